"""Inpainting: a hole in a picture is filled so that it cannot be seen.

The hole is filled smoothly first (`layers/smooth_fill.py`). A network of gated convolutions sees this, and the mask of the
hole, and learns what to change: edges go on, surfaces get their texture. First from the distance of pixels alone; then a
discriminator of patches, which sees the picture with its hole filled and the mask, and the distance in the maps of a network
that has learned to see, ask for a filling that looks real. Holes are drawn anew in every step: strokes of a brush, and
rectangles. Outside the hole the output is the input.
Source: Yu et al. 2019 (DeepFill v2), arXiv:1806.03589 sec. 3.1 to 3.4: gated convolutions with dilations, free-form masks, a
hinge loss on patches, and the distance of pixels.

Differs: one network, which changes a smooth filling, instead of a coarse one and a fine one; no attention; the distance of
pixels in the hole only; R1 and group normalization in D instead of spectral normalization; the part without D, and the term of
the maps, are new.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganvas.config import Adam, TrainConfig
from ganvas.core.capabilities import Inpaints, Watched
from ganvas.core.facts import Facts
from ganvas.core.game import Batch, Game, Step, Terms, Turn
from ganvas.core.host_number import HostNumber
from ganvas.core.modality import IMAGES, Modality
from ganvas.data.masks import NUMBERS, draw_masks
from ganvas.games.common.duel import Duel
from ganvas.games.common.family import Family, cosine
from ganvas.games.common.perceptual import measure_perceptual_distance
from ganvas.games.common.rules import Rules
from ganvas.layers.coarse_to_fine import fill_any_hole
from ganvas.layers.gated import GatedConv, GatedResidual
from ganvas.layers.patch_discriminator import PatchDiscriminator
from ganvas.layers.smooth_fill import fill_smoothly
from ganvas.layers.translator import MULTIPLE, make_end, require_multiple
from ganvas.utils.settings import require_within

SHARE = 0.15  # of a picture that is a hole, on the average (`data/masks.py`)
THIN = 8  # a hole that is thicker than two of so many parts of a side of the training is filled from coarse to fine


@dataclass(frozen=True, kw_only=True)
class Config:
    """`width` channels at a quarter of the side, half of them at half of it. The weights are relative to that of D."""

    takes: ClassVar[tuple[Modality, ...]] = (IMAGES,)

    resolution: int = 128
    channels: int = 3
    crop: int = 64  # side in pixels of the square of each picture that a step trains on, another one each time; 0: all of it
    width: int = 48
    dilations: tuple[int, ...] = (1, 2, 4, 8, 4, 2, 1)  # of the blocks at a quarter of the side
    critic_widths: tuple[int, int, int] = (48, 64, 96)
    slopes: bool = False  # D sees the differences of neighboring pixels too, magnified: docs/systems/inpainting.md
    pixel_share: float = 0.9  # share of the run in which G learns pixels only; 1: all of it
    l1: float = 10.0  # weight of the distance of pixels in the hole, beside D
    perceptual: float = 1.0  # weight of the distance of maps
    rules: Rules = Rules(objective="hinge", r1_gamma=1.0, penalty_every=8, full_precision=False)

    def __post_init__(self) -> None:
        require_multiple(self.resolution, MULTIPLE)
        if self.crop:  # one that is larger than the pictures is all of them
            require_multiple(self.crop, MULTIPLE, "config.crop")
        require_within(self, "config.channels config.width", 1)
        require_within(self, "config.pixel_share", 0, 1)
        require_within(self, "config.l1 config.perceptual", 0)

    def adapt(self, facts: Facts) -> Self:
        """The settings for this data."""
        return facts.fill(self)


class Inpainter(nn.Module):
    """image [N, C, H, W], mask [N, 1, H, W] -> image: a smooth filling and a change of it, which starts as zero.

    H and W are multiples of 4. What the image holds in the hole does not matter.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        half, quarter = max(1, config.width // 2), config.width
        self.start = nn.Sequential(nn.PixelUnshuffle(2), GatedConv(4 * (config.channels + 1), half), GatedResidual(half))
        body = [GatedResidual(quarter, dilation) for dilation in config.dilations]
        self.body = nn.Sequential(GatedConv(half, quarter, stride=2), *body)
        self.grow = nn.Sequential(nn.Conv2d(quarter, half, 1), nn.Upsample(scale_factor=2, mode="bilinear"))
        self.end = nn.Sequential(GatedResidual(half), make_end(half, config.channels, zero=True))

    def forward(self, image: Tensor, mask: Tensor) -> Tensor:
        with torch.autocast(image.device.type, enabled=False):  # bfloat16 would lose half a level
            smooth = fill_smoothly(image, mask)
        fine = self.start(torch.cat([smooth, mask.to(smooth.dtype)], 1))
        change: Tensor = self.end(fine + self.grow(self.body(fine)))
        return smooth + change


class Inpainting(Game, Watched, Inpaints):
    """G: a picture with a hole -> the picture without it, against D: patches of it beside the mask -> logits."""

    config_type = Config
    needs = ("real",)
    players: ClassVar[dict[str, tuple[str, ...]]] = {"D": ("D",), "G": ("G",)}
    averaged = ("G",)
    kept_apart = ("D",)
    played: Tensor

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.G = Inpainter(config)
        self.D = PatchDiscriminator(config.channels + 1, config.critic_widths, slopes=config.slopes)
        self.register_buffer("played", torch.zeros(()))  # progress since the discriminator plays; below 0: before that
        self.at = HostNumber()  # the same as a Python number: the turns depend on it

    @property
    def keeps_grey(self) -> bool:
        return True

    def advance(self, step: Step) -> None:
        """Set the progress since the discriminator plays."""
        self.at.write(self.played, step.progress - self.config.pixel_share)

    def turns(self) -> tuple[Turn, ...]:
        if self.at.read(self.played) < 0:
            return (Turn("pixels", "G", self.pixels),)
        return self.duel().turns()

    def duel(self) -> Duel:
        """D against G. D sees the mask too, so it knows where to look."""
        return Duel(
            self.config.rules,
            lambda batch, step: torch.cat([self.make_filled(batch, step), self.make_mask(batch, step)], 1),
            lambda x, _: self.D(x),
            self.D,
            real=lambda batch, step: torch.cat([self.cut(batch, step), self.make_mask(batch, step)], 1),
            g_extra=(self.resemble,),
        )

    def cut(self, batch: Batch, step: Step) -> Tensor:
        """The square of each picture that this step trains on, [N, C, crop, crop]."""
        return step.compute_once("squares", lambda: self._cut(batch["real"], step))

    def _cut(self, real: Tensor, step: Step) -> Tensor:
        side = self.config.crop
        if not side or side >= min(real.shape[-2:]):
            return real
        n, (height, width) = len(real), real.shape[-2:]
        places = step.uniform(n, 2) * torch.tensor([height - side + 1, width - side + 1], device=real.device)
        top, left = places.long().unbind(1)
        return IMAGES.crop(real, top, left, side)

    def make_mask(self, batch: Batch, step: Step) -> Tensor:
        """The mask [N, 1, H, W] of each square of this batch, drawn once."""
        n, (height, width) = len(batch["real"]), self.cut(batch, step).shape[-2:]
        return step.compute_once("mask", lambda: draw_masks(step.uniform(n, NUMBERS), height, width))

    def make_filled(self, batch: Batch, step: Step) -> Tensor:
        """The squares of the batch with their holes filled, with the gradient; as they are outside of them."""
        mask, real = self.make_mask(batch, step), self.cut(batch, step)
        return torch.where(mask > 0, self.G(real, mask), real)

    def pixels(self, batch: Batch, step: Step) -> Terms:
        """The first part: the distance of pixels."""
        return {"L1": self._hole_distance(self.make_filled(batch, step), batch, step)}

    def resemble(self, batch: Batch, step: Step) -> Terms:
        """The second part: the distances of pixels and of maps."""
        filled = self.duel().make_fake(batch, step)[:, : self.config.channels]
        terms: Terms = {}
        if self.config.l1:
            terms["L1"] = self.config.l1 * self._hole_distance(filled, batch, step)
        if self.config.perceptual:
            terms["perceptual"] = self.config.perceptual * measure_perceptual_distance(filled, self.cut(batch, step))
        return terms

    def _hole_distance(self, filled: Tensor, batch: Batch, step: Step) -> Tensor:
        """The mean distance to the true pixels, of those in the holes: outside there is none.

        By the share that holes have on the average, not in this batch: ranks have other batches.
        """
        return F.l1_loss(filled.float(), self.cut(batch, step)) / SHARE

    def held_out_logits(self, batch: Batch, step: Step) -> Mapping[str, Tensor]:
        return self.duel().held_out_logits(batch, step)

    def inpaint(self, image: Tensor, mask: Tensor, z: Tensor | None = None) -> Tensor:
        """image [N, C, H, W], mask [N, 1, H, W] with 1 in the hole -> image [N, C, H, W] in [-1, 1], filled.

        There is no noise: a hole has one filling. Thick holes are filled at a smaller size first: `layers/coarse_to_fine.py`.
        """
        radius = max(1, (self.config.crop or self.config.resolution) // THIN)
        return torch.where(mask > 0, fill_any_hole(self._fill, image, mask, radius).clamp(-1, 1), image)

    def _fill(self, image: Tensor, mask: Tensor) -> Tensor:
        """As `inpaint`, at the full size, which may be any: the sides are continued to multiples of `MULTIPLE`."""
        height, width = image.shape[-2:]
        more = (0, -width % MULTIPLE, 0, -height % MULTIPLE)
        filled: Tensor = self.G(*(F.pad(x, more, "replicate") for x in (image, mask)))
        return filled[..., :height, :width]


_recipe = Family("inpainting", "Yu et al. 2019, arXiv:1806.03589")


def _train(images: int, **settings: Any) -> TrainConfig:
    # With momentum the distance of pixels falls about twice as fast; the discriminator comes when the rate is low.
    steady = {"average_halflife": 1_000, "checkpoint_every": 10_000, "balance": "fixed", "adam": Adam(beta1=0.9, beta2=0.99)}
    return cosine(0.02, images, 8, 2e-3, **steady | settings)


_WHOLE = Config(resolution=64, crop=0)

RECIPES = (
    _recipe("inpaint-photos", "", 12, "holes in your own photographs filled", Config(), _train(60_000), tile=128, flip=True),
    _recipe("inpaint-images", "", 12, "holes in your own pictures filled", _WHOLE, _train(60_000), flip=True),
)
