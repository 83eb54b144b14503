"""3D-GAN: a conditional GAN for voxel shapes, with 3-D convolutions.

A solid is an occupancy grid in [-1, 1], filled above 0. Transposed 3-D convolutions upsample a block of 4^3, and the
discriminator is the mirror image. The discriminator rests while it classifies more than 80 % of the last batch correctly,
because voxel shapes are harder to generate than to classify (`train.balance = "rest"`, sec. 3.1 of the paper).
Source: Wu et al. 2016, arXiv:1610.07584 sec. 3.1-3.2.

Differs: 32^3 instead of 64^3 and a tenth of the channels, for two CPU cores. Conditional, with one logit for each class as in
`cgan`, instead of one model for each class. tanh instead of sigmoid, so that solids have the range of images. Sub-pixel
convolutions instead of layers at full size. No BatchNorm in the discriminator, but R1 and R2: solids fill 2 to 10 % of the
grid, and without a penalty the generator collapses to empty or full grids. The relativistic loss (arXiv:2501.05441): without
it there are single voxels around every solid. A convolution more at each resolution of G (`refine`): 86 % of the solids are in
one piece instead of 82.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from ganvas.core.capabilities import Conditional, Projects
from ganvas.core.modality import VOXELS
from ganvas.games.common.adversarial_game import AdversarialGame
from ganvas.games.common.family import Family, cosine
from ganvas.games.common.rules import Rules
from ganvas.layers.classes import class_weights
from ganvas.layers.discriminator import select_class
from ganvas.layers.flatten import Flatten
from ganvas.layers.pixel_shuffle3d import PixelShuffle3d, PixelUnshuffle3d
from ganvas.layers.resolutions import list_resolutions, list_widths
from ganvas.utils.settings import require_within


@dataclass(frozen=True, kw_only=True)
class Config:
    """`width` channels of G and `critic_width` of D at half the resolution; doubled at each halving up to `max_width`.

    G refines each resolution by `refine` convolutions of 3^3.
    """

    takes: ClassVar = (VOXELS,)
    dims: ClassVar[int] = 3  # spatial dimensions
    resolution: int = 32
    channels: int = 1
    classes: int = 4
    latent_dim: int = 64
    width: int = 16
    critic_width: int = 16
    max_width: int = 128
    refine: int = 0
    head: int = 128  # width of the fully connected hidden layer of D
    rules: Rules = Rules(objective="relativistic", r1_gamma=0.5, r2_gamma=0.5, penalty_every=4)

    def __post_init__(self) -> None:
        require_within(self, "config.channels config.classes config.latent_dim config.head", 1)
        require_within(self, "config.width config.critic_width config.max_width", 1)
        require_within(self, "config.refine", 0)


class Generator(nn.Module):
    """z [N, latent_dim], c [N] class or [N, classes] shares -> solid [N, C, D, H, W] in [-1, 1]."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        side = list_resolutions(config.resolution)[-1]
        channels = list_widths(config.resolution, config.width, config.max_width)[::-1]
        self.classes, self.base = config.classes, (channels[0], side, side, side)
        self.first = nn.Linear(config.latent_dim + config.classes, channels[0] * side**3, bias=False)
        layers: list[nn.Module] = [nn.BatchNorm3d(channels[0]), nn.ReLU(inplace=True)]
        for before, after in itertools.pairwise(channels):
            layers += [nn.ConvTranspose3d(before, after, 4, 2, 1, bias=False), nn.BatchNorm3d(after), nn.ReLU(inplace=True)]
            for _ in range(config.refine):
                layers += [nn.Conv3d(after, after, 3, 1, 1, bias=False), nn.BatchNorm3d(after), nn.ReLU(inplace=True)]
        self.rest = nn.Sequential(*layers, nn.Conv3d(channels[-1], 8 * config.channels, 3, 1, 1), PixelShuffle3d(), nn.Tanh())

    def forward(self, z: Tensor, c: Tensor) -> Tensor:
        shares = class_weights(c, self.classes, z.dtype)
        x: Tensor = self.rest(self.first(torch.cat([z, shares], 1)).unflatten(1, self.base))
        return x


class Discriminator(nn.Module):
    """solid [N, C, D, H, W], c [N] or several [N, k] -> logits of the same shape."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        channels = list_widths(config.resolution, config.critic_width, config.max_width)
        size = channels[-1] * list_resolutions(config.resolution)[-1] ** 3
        first = nn.Conv3d(8 * config.channels, channels[0], 3, 1, 1)
        layers: list[nn.Module] = [PixelUnshuffle3d(), first, nn.LeakyReLU(0.2, inplace=True)]
        for before, after in itertools.pairwise(channels):
            layers += [nn.Conv3d(before, after, 4, 2, 1), nn.LeakyReLU(0.2, inplace=True)]
        self.body = nn.Sequential(*layers, Flatten(), nn.Linear(size, config.head), nn.LeakyReLU(0.2))
        self.head = nn.Linear(config.head, config.classes)

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        return select_class(self.head(self.body(x)), c)


class VoxelGAN(AdversarialGame, Conditional, Projects):
    """A generator of solids [N, C, D, H, W] in [-1, 1] of a class, filled above 0, and a discriminator that gets the class."""

    config_type = Config
    needs = ("real", "label")

    def __init__(self, config: Config) -> None:
        super().__init__(config, Generator(config), Discriminator(config))


_recipe = Family("voxel", "Wu et al. 2016, arXiv:1610.07584")
_TRAIN = cosine(0.05, 140_000, 32, 2e-3, average_halflife=5_000, balance="rest", snapshots=16, rates={"D": 0.5})
_ABOUT = "voxel shapes by class: chairs, tables, lamps and planes"

RECIPES = (_recipe("voxel-shapes", "shapes", 15, _ABOUT, Config(refine=1), _TRAIN),)
