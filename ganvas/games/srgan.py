"""SRGAN: super-resolution. A small picture becomes a larger one, and a discriminator asks for details that look real.

First a network P learns the pixels, from a distance that is smallest for the mean of all pictures that fit the small one: what
it makes is right, and soft. Then a discriminator D, and the distance in the maps of a network that has learned to see, ask for
one of these pictures: sharp, but some details are made up. That costs pixels, so the PSNR falls. Both are in one model: the
second part learns the change `delta` of the weights of P only, and

    weights = P + strength * delta

is a network for any strength from 0 (pixels) to 1 (details).
Source: Ledig et al. 2017, arXiv:1609.04802 sec. 2.2; Wang et al. 2018 (ESRGAN), arXiv:1809.00219 sec. 3.1, 3.3, 3.4: blocks
without normalization, the weights of the three terms, interpolation of the networks.

Differs (P): 8 blocks of 32 channels, one sub-pixel convolution for the whole scale with a convolution behind it; the result is
added to the input enlarged by bicubic interpolation, from which it starts. The distance of pixels is absolute, not squared.
Differs (D): R1, group instead of batch normalization; it judges patches, and sees small slopes magnified. The
non-saturating loss, as in SRGAN; ESRGAN has a relativistic one.
Differs (both): the network that has learned to see is the small one that comes with ganvas (`games/common/perceptual.py`). Its
maps are of another size than those of VGG, so the weights are others. The adversarial part is two fifths of a run of minutes,
and `delta` learns at a tenth of the rate of D.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganvas.config import TrainConfig
from ganvas.core.capabilities import Upscales, Watched
from ganvas.core.facts import Facts
from ganvas.core.game import Batch, Game, Step, Terms, Turn
from ganvas.core.host_number import HostNumber
from ganvas.core.modality import IMAGES, Modality
from ganvas.errors import UsageError
from ganvas.games.common.duel import Duel
from ganvas.games.common.family import Family, cosine
from ganvas.games.common.perceptual import measure_perceptual_distance
from ganvas.games.common.rules import Rules
from ganvas.layers.initialization import grow_evenly, start_as_zero
from ganvas.layers.patch_discriminator import PatchDiscriminator
from ganvas.layers.residual import Residual
from ganvas.metrics.resize import enlarge_unchecked
from ganvas.utils.settings import require_within

FINEST = 8  # channels at the size of the output


@dataclass(frozen=True, kw_only=True)
class Config:
    """`width` channels and `blocks` residual blocks of P, at the size of the input. The weights are relative to that of D."""

    takes: ClassVar[tuple[Modality, ...]] = (IMAGES,)

    resolution: int = 64  # of the large pictures of the training
    channels: int = 3
    scale: Literal[2, 4] = 2
    width: int = 32
    blocks: int = 8
    critic_widths: tuple[int, int, int] = (48, 64, 96)
    slopes: bool = False  # D sees the differences of neighboring pixels too, magnified; not in runs of earlier versions
    pixel_share: float = 0.6  # share of the run in which P learns pixels; 1: all of it
    l1: float = 10.0  # weight of the distance of pixels, beside D
    # ESRGAN has 0.005 for D, 0.01 for pixels and 1 for the maps of VGG. Such weights do not carry over to these maps: their
    # gradient would leave D nothing to say.
    perceptual: float = 1.0  # weight of the distance of maps
    # A weak penalty: what tells a soft picture from a sharp one are small differences, for which D must be steep.
    rules: Rules = Rules(r1_gamma=0.03, penalty_every=8, full_precision=False)

    def __post_init__(self) -> None:
        require_within(self, "config.channels config.width config.blocks", 1)
        require_within(self, "config.pixel_share", 0, 1)
        require_within(self, "config.l1 config.perceptual", 0)
        if self.resolution % 8:
            raise UsageError(f"config.resolution: expected a multiple of 8, got {self.resolution}; use 64")

    def adapt(self, facts: Facts) -> Self:
        """The settings for this data. Raises: UsageError: its small pictures have another scale."""
        if low := facts.shapes.get("low"):
            found = facts.shape[-1] // low[-1]
            if found != self.scale:
                raise UsageError(
                    f"config.scale: expected {found}, as in the data, got {self.scale}; change both: "
                    f"--set config.scale={self.scale} --set data.pair=bicubic-{self.scale}"
                )
        return facts.fill(self)


class Enlarger(nn.Module):
    """low [N, C, h, w] -> image [N, C, scale h, scale w]: that of bicubic interpolation and a change, which starts as zero."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        width, self.scale = config.width, config.scale
        body = [Residual(width) for _ in range(config.blocks)]
        grow = grow_evenly(width, FINEST, config.scale)
        last = nn.Conv2d(FINEST, config.channels, 3, 1, 1)
        start_as_zero(last)
        start = nn.Conv2d(config.channels, width, 3, 1, 1)
        # Sub-pixels with a convolution behind them, which wipes out their grid.
        self.steps = nn.Sequential(start, *body, nn.SiLU(), grow, nn.PixelShuffle(config.scale), nn.SiLU(), last)

    def forward(self, low: Tensor) -> Tensor:
        change: Tensor = self.steps(low)
        with torch.autocast(low.device.type, enabled=False):
            return enlarge_unchecked(low.float(), self.scale) + change


class SRGAN(Game, Watched, Upscales):
    """P: small image -> large image, and delta, the change of its weights that is learned against D."""

    config_type = Config
    needs = ("low", "real")
    players: ClassVar[dict[str, tuple[str, ...]]] = {"P": ("P",), "D": ("D",), "G": ("delta",)}
    averaged = ("P", "delta")
    kept_apart = ("D",)
    played: Tensor

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.P = Enlarger(config)
        self.delta = copy.deepcopy(self.P)
        for weight in self.delta.parameters():
            nn.init.zeros_(weight)
        self.D = PatchDiscriminator(config.channels, config.critic_widths, slopes=config.slopes)
        self.register_buffer("played", torch.zeros(()))  # progress since the discriminator plays; below 0: before that
        self.at = HostNumber()  # the same as a Python number: the turns depend on it

    @property
    def scale(self) -> int:
        return int(self.config.scale)

    @property
    def reach(self) -> int:
        return int(2 * self.config.blocks + 3)

    @property
    def keeps_grey(self) -> bool:
        return True

    def advance(self, step: Step) -> None:
        """Set the progress since the discriminator plays."""
        self.at.write(self.played, step.progress - self.config.pixel_share)

    def turns(self) -> tuple[Turn, ...]:
        if self.at.read(self.played) < 0:
            return (Turn("pixels", "P", self.pixels),)
        return self.duel().turns()

    def duel(self) -> Duel:
        """D against P with the changed weights."""
        return Duel(
            self.config.rules,
            lambda batch, _: self.enlarge_by(batch["low"], 1.0),
            lambda x, _: self.D(x),
            self.D,
            self.together,
            g_extra=(self.resemble,),
        )

    def pixels(self, batch: Batch, step: Step) -> Terms:
        """The first part: the distance of pixels."""
        return {"L1": F.l1_loss(self.P(batch["low"]).float(), batch["real"])}

    def resemble(self, batch: Batch, step: Step) -> Terms:
        """The second part: the distances of pixels and of maps. Source: arXiv:1809.00219 sec. 3.3."""
        image = self.duel().make_fake(batch, step)
        terms: Terms = {}
        if self.config.l1:
            terms["L1"] = self.config.l1 * F.l1_loss(image.float(), batch["real"])
        if self.config.perceptual:
            terms["perceptual"] = self.config.perceptual * measure_perceptual_distance(image, batch["real"])
        return terms

    def enlarge_by(self, low: Tensor, strength: float) -> Tensor:
        """low [N, C, h, w] -> image by the weights P + strength * delta; only delta gets a gradient."""
        pairs = zip(self.P.named_parameters(), self.delta.parameters(), strict=True)
        weights = {name: weight.detach() + strength * change for (name, weight), change in pairs}
        image: Tensor = torch.func.functional_call(self.P, weights, (low,))
        return image

    def held_out_logits(self, batch: Batch, step: Step) -> Mapping[str, Tensor]:
        return self.duel().held_out_logits(batch, step)

    def upscale(self, low: Tensor, strength: float = 1.0) -> Tensor:
        """low [N, C, h, w] -> image [N, C, scale h, scale w] in [-1, 1].

        `strength` 0: what the pixels say; 1: with all details; the weights between them: arXiv:1809.00219 sec. 3.4.
        """
        return self.enlarge_by(low, strength).clamp(-1, 1)


_recipe = Family("srgan", "Ledig et al. 2017, arXiv:1609.04802; Wang et al. 2018, arXiv:1809.00219")


def _train(images: int, **settings: Any) -> TrainConfig:
    # At the rate of D the change would outrun it: D would only guess, and the distance of maps alone would draw the details.
    steady = {"average_halflife": 2_000, "checkpoint_every": 20_000, "balance": "fixed", "rates": {"G": 0.1}}
    return cosine(0.02, images, 16, 1e-3, **steady | settings)


_ABOUT = "your own photographs at {} times the size: right pixels, made-up details, or a mixture"

RECIPES = (
    _recipe(
        "sr-photos", "", 15, _ABOUT.format("two"), Config(slopes=True), _train(150_000), pair="bicubic-2", tile=64, flip=True
    ),
    _recipe(
        "sr-photos-x4",
        "",
        15,
        _ABOUT.format("four"),
        Config(scale=4, slopes=True),
        _train(200_000),
        pair="bicubic-4",
        tile=64,
        flip=True,
    ),
)
