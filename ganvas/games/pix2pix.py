"""pix2pix: a picture becomes another picture, learned from pairs. The loss is learned too: it is D.

The distance of pixels alone makes blurred pictures, because the mean of all possible answers has the smallest distance. D asks
for one answer that looks real, and that fits its input, which D sees. The whole loss is

    G* = arg min over G max over D  of  E log D(x, y) + E log(1 - D(x, G(x)))  +  l1 E |y - G(x)|,

x the input and y the true picture. D judges patches: the distance of pixels takes care of the rest.
Source: Isola et al. 2017, arXiv:1611.07004 eq. 1, 3, 4, sec. 3.

Differs (G): a residual U-Net that starts at half resolution, with skips that are added (`layers/translator.py`); the
features of each pixel are normalized, not those of a batch, so that pictures of any size can be translated in tiles; it scales
and changes its input. No noise: G ignored that of dropout in the paper too (sec. 3.1). The loss of G is the non-saturating one.
Differs (D): group normalization instead of that of batches, and R1; it sees small slopes magnified
(`layers/patch_discriminator.py`), and augmented pairs (arXiv:2006.10738), because it would know a thousand pairs by heart.
Differs (both): batches of 16 instead of 1 to 10, an averaged G, a higher learning rate that falls to zero.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import torch.nn.functional as F
from torch import Tensor

from ganvas.config import TrainConfig
from ganvas.core.facts import Facts
from ganvas.core.game import Batch, Step, Terms, Turn, sum_losses
from ganvas.core.modality import IMAGES, Modality
from ganvas.data.builtin import earth
from ganvas.errors import UsageError
from ganvas.games.common.family import Family, cosine
from ganvas.games.common.rules import Rules
from ganvas.games.common.translating_game import PairGame
from ganvas.layers.patch_discriminator import PatchDiscriminator
from ganvas.layers.translator import MULTIPLE, Translator, require_multiple
from ganvas.utils.settings import require_within


@dataclass(frozen=True, kw_only=True)
class Config:
    """Channels of G and of D at a half, a quarter and an eighth of the side. The data sets the first three, and `domains`."""

    takes: ClassVar[tuple[Modality, ...]] = (IMAGES,)

    resolution: int = 64
    channels: int = 3
    source_channels: int = 3
    domains: tuple[str, ...] = ()  # what the input and the output are called
    widths: tuple[int, int, int] = (48, 96, 128)
    critic_widths: tuple[int, int, int] = (96, 128, 192)
    slopes: bool = True  # D sees the differences of neighboring pixels too, magnified
    residual: bool = True  # G scales and changes the input, instead of making a new picture
    l1: float = 30.0  # weight of the distance to the true picture
    adversarial: bool = True  # whether G gets the loss against D; D learns in any case
    rules: Rules = Rules(r1_gamma=0.1, penalty_every=8, full_precision=False)

    def __post_init__(self) -> None:
        require_multiple(self.resolution)
        require_within(self, "config.channels config.source_channels", 1)
        require_within(self, "config.l1", 0)
        if not self.adversarial and not self.l1:
            raise UsageError("config.l1: expected a number above 0, because G gets no other loss; or leave adversarial true")

    def adapt(self, facts: Facts) -> Self:
        """The settings for this data."""
        return facts.fill(self, source_channels=facts.shapes["source"][0])


class Pix2Pix(PairGame):
    """G: source -> image, against D: source and image -> logits of patches."""

    config_type = Config
    needs = ("source", "real")
    takes, directions = ("source",), ("source>real",)

    def __init__(self, config: Config) -> None:
        G = Translator(config.source_channels, config.channels, config.widths, residual=config.residual)
        inputs = config.source_channels + config.channels
        super().__init__(config, G, PatchDiscriminator(inputs, config.critic_widths, slopes=config.slopes))

    @property
    def multiple(self) -> int:
        return MULTIPLE

    @property
    def reach(self) -> int:
        return int(self.G.reach)

    def read_input(self, batch: Batch) -> Tensor:
        return batch["source"]

    def make_image(self, batch: Batch, step: Step) -> Tensor:
        image: Tensor = self.G(batch["source"])
        return image

    def turns(self) -> tuple[Turn, ...]:
        duel = self.duel()
        losses = [duel.g_loss] * self.config.adversarial + [self.l1] * (self.config.l1 > 0)
        return duel.d_turn(), replace(duel.g_turn(), loss=sum_losses(*losses))

    def l1(self, batch: Batch, step: Step) -> Terms:
        """The distance to the true picture. Source: arXiv:1611.07004 eq. 3."""
        return {"L1": self.config.l1 * F.l1_loss(self.find_image(batch, step).float(), batch["real"])}

    def translate(self, inputs: Batch, direction: str, z: Tensor | None = None) -> Tensor:
        """inputs {"source": [N, C, H, W]} -> image [N, C, H, W] in [-1, 1]; H and W are multiples of 8."""
        image: Tensor = self.G(inputs["source"])
        return image.clamp(-1, 1)


AUGMENT = ("color", "translation", "cutout")  # of input and picture alike
_recipe = Family("pix2pix", "Isola et al. 2017, arXiv:1611.07004")


def _train(images: int, **settings: Any) -> TrainConfig:
    # D is right about nearly all patches of pairs by nature: that is no reason to hold it back.
    steady = {"average_halflife": 2_000, "checkpoint_every": 10_000, "balance": "fixed", "diff_augment": AUGMENT}
    # At twice the rate G learns no better; at four times, it leaves its start as a copy in one leap and learns no shapes.
    return cosine(0.02, images, 16, 5e-4, **steady | settings)


RECIPES = (
    _recipe("pix2pix-emoji", "emoji-shading", 3, "flat emoji become shaded ones, from pairs", Config(), _train(20_000)),
    _recipe(
        "pix2pix-earth",
        "earth",
        10,
        "a relief map becomes a satellite picture",
        Config(),
        _train(60_000),
        flip=True,
        held_out=earth.HELD_OUT,
    ),
    _recipe("pix2pix-images", "", 15, "your own pairs of pictures, in two folders with equal names", Config(), _train(90_000)),
)
