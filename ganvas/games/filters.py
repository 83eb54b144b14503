"""Learned filters: a small network learns from a teacher, on any folder of photographs, what a filter does to a picture.

The teacher is a program (a sketch, oil paint, old film) or what undoes a damage (noise, blur, lost color); or pairs of pictures
whose program nobody has. The network sees 32 pixels to each side, so a photograph of any size is filtered in tiles, without a
seam, in the same time whatever the teacher needs. There is no discriminator: for a filter there is one right answer, and the
distance of pixels knows it.
Source: Chen et al. 2017, arXiv:1709.00643 sec. 3: a fully convolutional network with dilations, the distance of pixels;
arXiv:1611.07004 sec. 3.2 for a picture that becomes a picture.

Differs: residual blocks at half resolution instead of nine layers at full resolution, without normalization; the result is
added to the input, whose colors are mixed anew, and starts as the input; absolute differences instead of squares.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganvas.config import TrainConfig
from ganvas.core.capabilities import Translates
from ganvas.core.facts import Facts
from ganvas.core.game import Batch, Game, Step, Terms, Turn
from ganvas.core.modality import IMAGES, Modality
from ganvas.games.common.family import Family, cosine
from ganvas.layers.initialization import start_as_copy
from ganvas.layers.residual import Residual
from ganvas.layers.translator import make_end, require_multiple
from ganvas.utils.settings import require_within

MULTIPLE = 2  # the sides of a picture are multiples of it
EDGE = 8  # pixels along the sides of a picture, for which a convolution sees mostly the zeros beyond it


@dataclass(frozen=True, kw_only=True)
class Config:
    """`width` channels at half resolution, and a residual block for each of `dilations`."""

    takes: ClassVar[tuple[Modality, ...]] = (IMAGES,)

    resolution: int = 64
    channels: int = 3
    source_channels: int = 3
    domains: tuple[str, ...] = ()  # what the input and the output are called
    width: int = 48
    dilations: tuple[int, ...] = (1, 2, 4, 2)
    keeps_grey: bool = False  # whether a grey photograph stays grey

    def __post_init__(self) -> None:
        require_multiple(self.resolution, MULTIPLE)
        require_within(self, "config.channels config.source_channels config.width", 1)

    def adapt(self, facts: Facts) -> Self:
        """The settings for this data."""
        return facts.fill(self, source_channels=facts.shapes["source"][0])


class FilterNetwork(nn.Module):
    """image [N, inputs, H, W] -> image [N, outputs, H, W]: the input and a change, which starts as zero.

    The colors of the input are mixed anew, at first as they are: a sketch has none of them left.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.colors = nn.Conv2d(config.source_channels, config.channels, 1)
        start_as_copy(self.colors)
        start = nn.Conv2d(4 * config.source_channels, config.width, 3, 1, 1)
        body = [Residual(config.width, dilation) for dilation in config.dilations]
        self.steps = nn.Sequential(nn.PixelUnshuffle(2), start, *body, make_end(config.width, config.channels, zero=True))

    def forward(self, image: Tensor) -> Tensor:
        change: Tensor = self.steps(image)
        with torch.autocast(image.device.type, enabled=False):  # bfloat16 would lose half a level of the input
            mixed: Tensor = self.colors(image.to(self.colors.weight.dtype))
        return mixed + change


class Filter(Game, Translates):
    """One network, which does what its teacher does."""

    config_type = Config
    needs = ("source", "real")
    players: ClassVar[dict[str, tuple[str, ...]]] = {"G": ("G",)}
    averaged = ("G",)
    takes, directions = ("source",), ("source>real",)

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.G = FilterNetwork(config)

    @property
    def multiple(self) -> int:
        return MULTIPLE

    @property
    def reach(self) -> int:
        # Of the first and the last but one convolution, of each block, of the last one, and half a square of 2x2 pixels.
        return 2 * 2 + sum(2 * (int(dilation) + 1) for dilation in self.config.dilations) + 2

    @property
    def keeps_grey(self) -> bool:
        return bool(self.config.keeps_grey)

    def turns(self) -> tuple[Turn, ...]:
        return (Turn("imitate", "G", self.imitate),)

    def imitate(self, batch: Batch, step: Step) -> Terms:
        """The distance to what the teacher makes, except along the sides: a teacher saw more of the photograph there."""
        edge = min(EDGE, batch["real"].shape[-1] // 4)
        made, wanted = (x[..., edge:-edge, edge:-edge] for x in (self.G(batch["source"]), batch["real"]))
        return {"L1": F.l1_loss(made.float(), wanted)}

    def translate(self, inputs: Batch, direction: str, z: Tensor | None = None) -> Tensor:
        """inputs {"source": [N, C, H, W]} -> image [N, C, H, W] in [-1, 1]; H and W are even.

        The outermost pixels continue beyond the sides, as far as the training leaves them out.
        """
        image: Tensor = self.G(F.pad(inputs["source"], (EDGE,) * 4, "replicate"))
        return image[..., EDGE:-EDGE, EDGE:-EDGE].clamp(-1, 1)


_recipe = Family("filters", "Chen et al. 2017, arXiv:1709.00643")


def _train(images: int, **settings: Any) -> TrainConfig:
    steady = {"average_halflife": 2_000, "checkpoint_every": 20_000}
    return cosine(0.02, images, 16, 2e-3, **steady | settings)


_TRAIN, _GREY = _train(60_000), Config(keeps_grey=True)
_OWN: dict[str, Any] = {"tile": 64, "flip": True}

RECIPES = (
    _recipe("filter-sketch", "", 5, "your own photographs as pencil sketches", _GREY, _TRAIN, pair="sketch", **_OWN),
    _recipe("filter-oil", "", 6, "your own photographs as oil paintings", Config(), _TRAIN, pair="oil", **_OWN),
    _recipe("filter-vintage", "", 5, "your own photographs as on old film", Config(), _TRAIN, pair="vintage", **_OWN),
    _recipe("filter-denoise", "", 6, "your own photographs without noise", _GREY, _TRAIN, pair="denoise", **_OWN),
    _recipe("filter-deblur", "", 6, "your own photographs sharp again", _GREY, _TRAIN, pair="deblur", **_OWN),
    _recipe("filter-colourise", "", 6, "grey photographs in color", Config(), _TRAIN, pair="colourise", **_OWN),
)
