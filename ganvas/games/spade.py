"""SPADE (GauGAN): a drawn map of classes becomes a picture. Noise decides which of the many that fit.

A map that is only the input of the first layer is washed out by normalization: a sky that fills a region becomes the same as
water that fills it. Here the map decides at every layer, and at every place, how strong the features are there
(`layers/spatially_adaptive.py`). D sees the map beside the picture, at two scales. D has the hinge loss, and G

    -E D(m, G(m, z))  +  matching * (distance of the features of D)  -  variety * E |G(m, z) - G(m, z')| / |z - z'|.

The last term is for variety: only one picture belongs to a map, so a G that ignores z matches the features best.
Source: Park et al. 2019, arXiv:1903.07291 sec. 3; feature matching: arXiv:1711.11585 eq. 4; the term for variety: Mao et al.
2019, arXiv:1903.05628 (mode seeking).

Differs (G): three blocks, at an eighth, a quarter and half of the side; full resolution has few channels and two convolutions
without the map. The noise is made into maps of 4x4 pixels, stretched over the picture, and into the phases of waves, from
which textures are drawn (`Waves`). Each pixel is normalized, not the batch. No encoder for the style of a given picture, and no
distance in the maps of VGG.
Differs (D): R1 and group instead of spectral and instance normalization. Differs (both): the term for variety, which the paper
does not need; it is lazy. A learning rate that falls.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganvas.config import TrainConfig
from ganvas.core.game import Batch, Step, Terms
from ganvas.data.builtin import earth
from ganvas.games.common.duel import Duel
from ganvas.games.common.family import Family, cosine
from ganvas.games.common.rules import Rules
from ganvas.games.common.translating_game import PairGame
from ganvas.layers.patch_discriminator import PatchDiscriminator
from ganvas.layers.spatially_adaptive import ModulatedBlock, Waves, encode_map
from ganvas.layers.translator import MULTIPLE, require_multiple
from ganvas.utils.settings import require_within

NOISE_MAPS, NOISE_SIDE = 8, 4  # the noise as maps, stretched over the picture
FINEST = 16  # channels at full resolution
SCALES = 2  # of D: the picture, and its half
MOST_VARIED = 0.15  # a distance of pictures, over that of their noise, above which there is variety enough


@dataclass(frozen=True, kw_only=True)
class Config:
    """Channels of G at an eighth, a quarter and half of the side. The data sets `classes`, their names and their colors."""

    resolution: int = 64
    channels: int = 3
    classes: int = 10
    legend: tuple[str, ...] = ()  # the name of each class
    colors: tuple[tuple[int, int, int], ...] = ()  # and its color in a drawn map, RGB from 0 to 255
    noise_dim: int = 64
    widths: tuple[int, int, int] = (128, 128, 64)
    map_width: int = 64  # channels of the features of the map
    critic_widths: tuple[int, int, int] = (64, 96, 128)
    modulation: Literal["spade", "concat"] = "spade"  # "concat": the map only as an input of the first and the last layer
    matching: float = 10.0  # weight of feature matching
    variety: float = 1.0  # weight of the variety between two pictures of one map; 0: none
    variety_every: int = 4  # it is lazy: in each k-th move of G
    rules: Rules = Rules(objective="hinge", r1_gamma=0.1, penalty_every=8, full_precision=False)

    def __post_init__(self) -> None:
        require_multiple(self.resolution, MULTIPLE * 2 ** (SCALES - 1))  # D halves the smallest scale as often as G
        require_within(self, "config.channels config.classes config.noise_dim config.map_width config.variety_every", 1)
        require_within(self, "config.matching config.variety", 0)


class Generator(nn.Module):
    """one-hot map [N, K, H, W], z [N, noise_dim] -> image [N, C, H, W] in [-1, 1]; H and W are multiples of 8."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        deep, middle, fine = config.widths
        self.spread = nn.Linear(config.noise_dim, NOISE_MAPS * NOISE_SIDE**2)
        self.start = nn.Conv2d(config.classes + NOISE_MAPS, deep, 3, 1, 1)
        # What a layer gets of the map: at an eighth and a quarter the shares of the classes, at a half all four pixels.
        given = (config.classes, config.classes, 4 * config.classes)
        every = config.modulation == "spade"
        looks = [nn.Sequential(nn.Conv2d(inputs, config.map_width, 3, 1, 1), nn.ReLU()) for inputs in given] if every else []
        self.looks = nn.ModuleList(looks)
        sizes = ((deep, deep), (deep, middle), (middle, fine))
        self.blocks = nn.ModuleList(ModulatedBlock(a, b, config.map_width if every else 0) for a, b in sizes)
        waves = zip((deep, deep, middle, FINEST), (8, 4, 2, 1), strict=True)
        self.waves = nn.ModuleList(Waves(config.noise_dim, width, stride) for width, stride in waves)
        self.join = None if every else nn.Conv2d(fine + given[-1], fine, 1)
        # Not sub-pixels: where all of a region is one class, their grid would be what is left to see.
        self.enlarge = nn.Sequential(nn.SiLU(), nn.Conv2d(fine, FINEST, 3, 1, 1), nn.Upsample(scale_factor=2, mode="bilinear"))
        self.end = nn.Sequential(
            *(nn.SiLU(), nn.Conv2d(FINEST, FINEST, 3, 1, 1)), *(nn.SiLU(), nn.Conv2d(FINEST, config.channels, 3, 1, 1))
        )

    def forward(self, seen: Tensor, z: Tensor) -> Tensor:
        shares, details = F.avg_pool2d(seen, 8), F.pixel_unshuffle(seen, 2)
        noise = self.spread(z).unflatten(1, (NOISE_MAPS, NOISE_SIDE, NOISE_SIDE))
        noise = F.interpolate(noise.float(), size=shares.shape[2:], mode="bilinear")
        x = self.start(torch.cat([shares, noise], 1))
        for level, (block, given) in enumerate(zip(self.blocks, (shares, F.avg_pool2d(seen, 4), details), strict=True)):
            x = F.interpolate(x, scale_factor=2.0, mode="nearest") if level else x
            x = x + self.waves[level](z, x.shape[2:])
            x = block(x, self.looks[level](given) if self.looks else given)
        if self.join is not None:
            x = self.join(torch.cat([x, details.to(x.dtype)], 1))
        x = self.enlarge(x)
        return torch.tanh(self.end(x + self.waves[-1](z, x.shape[2:])))


class SPADE(PairGame):
    """G: map and noise -> image, against D: map and image -> logits of patches, at two scales."""

    config_type = Config
    needs = ("map", "real")
    takes, directions = ("map",), ("map>real",)

    def __init__(self, config: Config) -> None:
        D = PatchDiscriminator(config.classes + config.channels, config.critic_widths, SCALES)
        super().__init__(config, Generator(config), D)

    @property
    def noise_dim(self) -> int:
        return int(self.config.noise_dim)

    @property
    def multiple(self) -> int:
        return MULTIPLE

    def read_input(self, batch: Batch) -> Tensor:
        return encode_map(batch["map"], self.config.classes)

    def find_noise(self, batch: Batch, step: Step) -> Tensor:
        """The noise of this batch, [N, noise_dim]."""
        return step.compute_once("z", lambda: step.normal(len(batch["map"]), self.noise_dim))

    def make_image(self, batch: Batch, step: Step) -> Tensor:
        image: Tensor = self.G(self.read_input(batch), self.find_noise(batch, step))
        return image

    def duel(self) -> Duel:
        extra = [self.match] * (self.config.matching > 0) + [self.vary] * (self.config.variety > 0)
        return replace(super().duel(), g_extra=tuple(extra))

    def match(self, batch: Batch, step: Step) -> Terms:
        """Feature matching."""
        return {name: self.config.matching * term for name, term in self.duel().match_features(batch, step).items()}

    def vary(self, batch: Batch, step: Step) -> Terms:
        """Minus the distance of two pictures of one map, over that of their noise, if this move has it.

        It is bounded: pictures that differ enough have no gradient. Source: arXiv:1903.05628 sec. 3.
        """
        if not step.is_due(self.config.variety_every):
            return {}
        z, other = self.find_noise(batch, step), step.normal(len(batch["map"]), self.noise_dim)
        image, again = self.find_image(batch, step), self.G(self.read_input(batch), other)
        far = (image.float() - again.float()).abs().flatten(1).mean(1) / (z - other).abs().mean(1)
        step.lazy["mode_seeking"] = self.config.variety_every
        return {"mode_seeking": -self.config.variety_every * self.config.variety * far.clamp(max=MOST_VARIED).mean()}

    def translate(self, inputs: Batch, direction: str, z: Tensor | None = None) -> Tensor:
        """inputs {"map": int64 [N, H, W]}, z [N, noise_dim], None: zeros -> image [N, C, H, W] in [-1, 1]."""
        seen = self.read_input(inputs)
        image: Tensor = self.G(seen, seen.new_zeros(len(seen), self.noise_dim) if z is None else z)
        return image


_recipe = Family("spade", "Park et al. 2019, arXiv:1903.07291")


def _train(images: int, **settings: Any) -> TrainConfig:
    # Two time scales (arXiv:1706.08500), as in the paper, sec. 4, where D learns four times as fast.
    steady = {"average_halflife": 2_000, "checkpoint_every": 10_000, "balance": "fixed", "rates": {"D": 2.0}}
    return cosine(0.02, images, 16, 5e-4, **steady | settings)


RECIPES = (
    _recipe(
        "spade-earth",
        "earth",
        15,
        "a drawn map of the earth becomes a satellite picture",
        Config(),
        _train(60_000),
        flip=True,
        held_out=earth.HELD_OUT,
    ),
    _recipe("spade-images", "", 15, "your own pictures with a label map for each", Config(), _train(60_000)),
)
