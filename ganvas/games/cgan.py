"""Conditional GAN: noise and a class in, P(features | class) out. The critic sees the class too.

Source: Mirza & Osindero 2014, arXiv:1411.1784.

Differs: convolutions instead of perceptrons; the critic gives one logit per class and answers for the class it is
asked about (the class-dependent part of the projection critic, arXiv:1802.05637), which trains far faster than a
one-hot vector joined to the input. Fakes are asked for the classes of the reals in the same batch, so that both terms
see the data's marginal. With `rules.mismatch` a real under the label of another class counts as a fake as well
(arXiv:1605.05396 sec. 4.2): the critic learns early what sets classes apart, and it costs no pass of its own.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganvas.config import Adam, DataConfig, Ramp, Recipe, TrainConfig, within
from ganvas.game import Batch, Game, Step, Turn, asked_for
from ganvas.games.adversarial import Duel, Rules
from ganvas.layers.critics import of_class
from ganvas.layers.pyramid import sides, subpixel


@dataclass(frozen=True, kw_only=True)
class Config:
    """`width` channels of G and `critic_width` of D at half the resolution; doubled at each halving up to `max_width`."""

    resolution: int = 28
    channels: int = 1
    classes: int = 10
    latent_dim: int = 32
    width: int = 32
    critic_width: int = 32
    max_width: int = 128
    head: int = 256  # width of D's hidden layer, which sees the picture whole
    rules: Rules = Rules(r1_gamma=0.1, penalty_every=8, mismatch=0.3)

    def __post_init__(self) -> None:
        within(self, "config.channels config.classes config.latent_dim config.head", 1)
        within(self, "config.width config.critic_width config.max_width", 1)


def _widths(config: Config, first: int) -> list[int]:
    """Channels at half the resolution, a quarter, ..., down to the smallest side."""
    return [min(config.max_width, first * 2**level) for level in range(len(sides(config.resolution)) - 1)]


class Generator(nn.Module):
    """z [N, latent_dim], c [N] class or [N, classes] shares -> image [N, C, H, W] in [-1, 1]."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        side, widths = sides(config.resolution)[-1], _widths(config, config.width)[::-1]
        self.classes, self.base = config.classes, (widths[0], side, side)
        self.first = nn.Linear(config.latent_dim + config.classes, widths[0] * side**2, bias=False)
        layers: list[nn.Module] = [nn.BatchNorm2d(widths[0]), nn.ReLU(inplace=True)]
        for before, after in itertools.pairwise(widths):
            layers += [nn.ConvTranspose2d(before, after, 4, 2, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU(inplace=True)]
        self.rest = nn.Sequential(*layers, *subpixel(widths[-1], config.channels), nn.Tanh())

    def forward(self, z: Tensor, c: Tensor) -> Tensor:
        onehot = c if c.is_floating_point() else F.one_hot(c, self.classes).to(z.dtype)
        x: Tensor = self.rest(self.first(torch.cat([z, onehot], 1)).unflatten(1, self.base))
        return x


class Critic(nn.Module):
    """image [N, C, H, W], c [N] or several [N, k] -> logits of the same shape."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        side, widths = sides(config.resolution)[-1], [config.channels, *_widths(config, config.critic_width)]
        layers: list[nn.Module] = []
        for before, after in itertools.pairwise(widths):
            layers += [nn.Conv2d(before, after, 4, 2, 1), nn.LeakyReLU(0.2, inplace=True)]
        self.body = nn.Sequential(*layers, nn.Flatten(), nn.Linear(widths[-1] * side**2, config.head), nn.LeakyReLU(0.2))
        self.head = nn.Linear(config.head, config.classes)

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        return of_class(self.head(self.body(x)), c)


class CGAN(Game):
    """An artist and a critic who both know which class is asked for."""

    config_type = Config
    needs = ("real", "label")
    without_classes = "use dcgan-images"
    players = {"D": ("D",), "G": ("G",)}  # noqa: RUF012
    averaged = ("G",)

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.G, self.D = Generator(config), Critic(config)

    @property
    def latent_dim(self) -> int:
        return int(self.config.latent_dim)

    @property
    def classes(self) -> int:
        return int(self.config.classes)

    def turns(self) -> tuple[Turn, ...]:
        return Duel(self.config.rules, self.fakes, self.judge, self.D, classes=self.classes).turns()

    def fakes(self, batch: Batch, step: Step) -> Tensor:
        return self.sample(step.normal(len(batch["real"]), self.latent_dim), batch["label"])

    def sample(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """z [N, latent_dim], c [N] class or [N, classes] shares -> image [N, C, H, W] in [-1, 1]."""
        image: Tensor = self.G(z, asked_for(c))
        return image

    def projection(self) -> Tensor:
        """The first matrix that z meets, [features, latent_dim]; that of the class is left out."""
        weight: Tensor = self.G.first.weight[:, : self.latent_dim]
        return weight

    def judge(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """image [N, C, H, W], c [N] -> logits [N]."""
        logits: Tensor = self.D(x, asked_for(c))
        return logits


def _recipe(source: str, minutes: float, about: str, rules: Rules) -> Recipe:
    return Recipe(
        name=f"cgan-{source}",
        game="cgan",
        config=Config(rules=rules),
        data=DataConfig(source=source),
        train=TrainConfig(
            images=84_000,
            batch=64,
            learning_rate=3e-3,
            schedule=Ramp(end=0.02, shape="cosine"),
            adam=Adam(beta1=0.0, beta2=0.99),
            average_halflife=20_000,
        ),
        paper="Mirza & Osindero 2014, arXiv:1411.1784",
        minutes=minutes,
        about=about,
    )


RECIPES = (
    _recipe("mnist", 1, "handwritten digits on request: the main job", Config.rules),
    # Under a gentler penalty one class, the bags, collapses; clothes overlap, so that exchanged labels count less.
    _recipe("fashion", 1, "clothes on request", Rules(r1_gamma=1.0, penalty_every=8, mismatch=0.1)),
)
