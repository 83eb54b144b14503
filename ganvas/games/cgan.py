"""Conditional GAN (cGAN): generator and discriminator both get the class.

Source: Mirza & Osindero 2014, arXiv:1411.1784.

Differs: convolutions instead of perceptrons. The discriminator has one logit for each class, and the logit of the given class
is used (the class-dependent part of the projection discriminator, arXiv:1802.05637); this trains much faster than a one-hot
vector concatenated to the input. Fakes have the classes of the reals in the same batch, so that both terms have the same
class frequencies. With `rules.mismatch` a real with a wrong class counts as a fake too (arXiv:1605.05396 sec. 4.2): the
discriminator learns the differences of classes early, without a further forward pass.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganvas.core.capabilities import Conditional, Prepares, Projects
from ganvas.core.game import Batch, Step
from ganvas.games.common.adversarial_game import AdversarialGame
from ganvas.games.common.duel import Duel
from ganvas.games.common.family import Family, cosine
from ganvas.games.common.rules import Rules
from ganvas.layers.classes import class_weights
from ganvas.layers.discriminator import select_class
from ganvas.layers.flatten import Flatten
from ganvas.layers.groups import Groups
from ganvas.layers.resolutions import list_resolutions, list_widths, subpixel_layers
from ganvas.utils.settings import require_within


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """`width` channels of G and `critic_width` of D at half the resolution; doubled at each halving up to `max_width`."""

    resolution: int = 28
    channels: int = 1
    latent_dim: int = 32
    width: int = 32
    critic_width: int = 32
    max_width: int = 128
    head: int = 256  # width of the fully connected hidden layer of D
    rules: Rules = Rules(r1_gamma=0.1, penalty_every=8, mismatch=0.3)

    def __post_init__(self) -> None:
        require_within(self, "config.channels config.latent_dim config.head", 1)
        require_within(self, "config.width config.critic_width config.max_width", 1)


@dataclass(frozen=True, kw_only=True)
class Config(Sizes):
    """The sizes of the networks, and the number of classes."""

    classes: int = 10

    def __post_init__(self) -> None:
        super().__post_init__()
        require_within(self, "config.classes", 1)


@dataclass(frozen=True, kw_only=True)
class SelfConditionedConfig(Sizes):
    """The sizes of the networks, and the number of groups. The first of the `latent_dim` numbers decides the group."""

    groups: int = 100
    latent_dim: int = 33

    def __post_init__(self) -> None:
        super().__post_init__()
        require_within(self, "config.groups", 1)
        require_within(self, "config.latent_dim", 2)


class Generator(nn.Module):
    """z [N, latent_dim], c [N] class or [N, classes] shares -> image [N, C, H, W] in [-1, 1]."""

    def __init__(self, config: Sizes, latent_dim: int, classes: int) -> None:
        super().__init__()
        side = list_resolutions(config.resolution)[-1]
        channels = list_widths(config.resolution, config.width, config.max_width)[::-1]
        self.classes, self.base = classes, (channels[0], side, side)
        self.first = nn.Linear(latent_dim + classes, channels[0] * side**2, bias=False)
        layers: list[nn.Module] = [nn.BatchNorm2d(channels[0]), nn.ReLU(inplace=True)]
        for before, after in itertools.pairwise(channels):
            layers += [nn.ConvTranspose2d(before, after, 4, 2, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU(inplace=True)]
        self.rest = nn.Sequential(*layers, *subpixel_layers(channels[-1], config.channels), nn.Tanh())

    def forward(self, z: Tensor, c: Tensor) -> Tensor:
        shares = class_weights(c, self.classes, z.dtype)
        x: Tensor = self.rest(self.first(torch.cat([z, shares], 1)).unflatten(1, self.base))
        return x


class Discriminator(nn.Module):
    """image [N, C, H, W], c [N] or several [N, k] -> logits of the same shape."""

    def __init__(self, config: Sizes, classes: int) -> None:
        super().__init__()
        channels = [config.channels, *list_widths(config.resolution, config.critic_width, config.max_width)]
        size = channels[-1] * list_resolutions(config.resolution)[-1] ** 2
        layers: list[nn.Module] = []
        for before, after in itertools.pairwise(channels):
            layers += [nn.Conv2d(before, after, 4, 2, 1), nn.LeakyReLU(0.2, inplace=True)]
        self.body = nn.Sequential(*layers, Flatten(), nn.Linear(size, config.head), nn.LeakyReLU(0.2))
        self.head = nn.Linear(config.head, classes)

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        return select_class(self.head(self.body(x)), c)


class CGAN(AdversarialGame, Conditional, Projects):
    """A generator and a discriminator that both get the class."""

    config_type = Config
    needs = ("real", "label")
    without_classes = "name no recipe: ganvas then chooses one"

    def __init__(self, config: Config) -> None:
        super().__init__(config, Generator(config, config.latent_dim, config.classes), Discriminator(config, config.classes))


class SelfConditionedGAN(AdversarialGame, Projects, Prepares):
    """A generator and a discriminator that both get the group of a sample: groups are found in the data, without labels.

    Without classes a generator must turn one cloud of noise into digits that have nothing between them, and what it makes
    between two digits is neither. With groups it makes each of them apart. The first number of z decides the group, by the
    share of the training data that is in it. Source: Liu et al. 2020, arXiv:2006.10728.
    Differs: groups come from k-means in pixels, once before the training, not from the features of D again and again.
    """

    config_type = SelfConditionedConfig
    choosing: ClassVar[int] = 1

    def __init__(self, config: SelfConditionedConfig) -> None:
        generator = Generator(config, config.latent_dim - 1, config.groups)
        super().__init__(config, generator, Discriminator(config, config.groups))
        self.groups = Groups(config.groups, config.channels * config.resolution**2)

    def duel(self) -> Duel:
        return replace(super().duel(), classes=self.config.groups)

    def prepare(self, data: Tensor) -> None:
        self.groups.fit(data)

    def condition(self, batch: Batch, step: Step) -> Tensor:
        return step.compute_once("group", lambda: self.groups(batch["real"]))

    def make_fakes(self, batch: Batch, step: Step) -> Tensor:
        z = step.normal(len(batch["real"]), self.latent_dim)
        fakes: Tensor = self.G(z[:, 1:], self.condition(batch, step))
        return fakes

    def sample(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """z [N, latent_dim] -> image [N, C, H, W] in [-1, 1]."""
        x: Tensor = self.G(z[:, 1:], self.groups.choose(z[:, 0]))
        return x

    def judge(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """x [N, C, H, W], its group [N]; None: the nearest one -> logits [N]."""
        logits: Tensor = self.D(x, self.groups(x) if c is None else c)
        return logits

    def projection(self) -> Tensor:
        """The matrix [features, latent_dim] that multiplies z; the first number of z decides the group instead."""
        return F.pad(self.G.first.weight[:, : self.latent_dim - 1], (1, 0))


_recipe = Family("cgan", "Mirza & Osindero 2014, arXiv:1411.1784")
_TRAIN = cosine(0.02, 84_000, 64, 3e-3, average_halflife=20_000)
_grouped = Family("self-conditioned", "Liu et al. 2020, arXiv:2006.10728")
_GROUPS = cosine(0.02, 480_000, 64, 3e-3, average_halflife=20_000)
# With a weaker penalty one class, the bags, collapses. Classes of clothes overlap, so wrong labels have less weight.
_CLOTHES = Config(rules=Rules(r1_gamma=1.0, penalty_every=8, mismatch=0.1))

RECIPES = (
    _recipe("cgan-mnist", "mnist", 1, "handwritten digits on request: the main job", Config(), _TRAIN),
    _recipe("cgan-fashion", "fashion", 1, "clothes on request", _CLOTHES, _TRAIN),
    _grouped("cgan-mnist-groups", "mnist", 5, "handwritten digits without labels", SelfConditionedConfig(), _GROUPS),
)
