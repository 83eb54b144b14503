"""GAN: the original game. Noise becomes data through a multi-layer perceptron; another one tells the difference.

min_G max_D  E log D(x) + E log(1 - D(G(z))); at the optimum the fakes follow the data and D says one half everywhere.
Source: Goodfellow et al. 2014, arXiv:1406.2661.

Differs: leaky ReLU and Adam instead of maxout, dropout and momentum, which train the same game more reliably.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from ganvas.config import Adam, DataConfig, Ramp, Recipe, TrainConfig, within
from ganvas.game import Batch, Game, Step, Turn
from ganvas.games.adversarial import Duel, Rules
from ganvas.layers.mlp import mlp


@dataclass(frozen=True, kw_only=True)
class Config:
    """`shape` is one sample's: (2,) for points in the plane, (1, 28, 28) for images, whose range ends in tanh."""

    shape: tuple[int, ...] = (2,)
    latent_dim: int = 2
    noise: Literal["normal", "uniform"] = "normal"
    width: int = 128
    depth: int = 3
    rules: Rules = Rules()

    def __post_init__(self) -> None:
        within(self, "config.latent_dim config.width config.depth", 1)


class GAN(Game):
    """An artist G: z -> x and a critic D: x -> logit, both perceptrons."""

    config_type = Config
    needs = ("real",)
    players = {"D": ("D",), "G": ("G",)}  # noqa: RUF012
    averaged = ("G",)

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        size = math.prod(config.shape)
        self.G = mlp(config.latent_dim, config.width, config.depth, size)
        self.D = mlp(size, config.width, config.depth, 1)

    @property
    def latent_dim(self) -> int:
        return int(self.config.latent_dim)

    def turns(self) -> tuple[Turn, ...]:
        return Duel(self.config.rules, self.fakes, self.judge, self.D).turns()

    def fakes(self, batch: Batch, step: Step) -> Tensor:
        return self.sample(step.normal(len(batch["real"]), self.latent_dim))

    def sample(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """z [N, latent_dim], standard normal -> x [N, *shape].

        Uniform noise in [-1, 1] is the normal's distribution function of z, so that every walk in z stays one in noise.
        """
        if self.config.noise == "uniform":
            z = torch.erf(z / math.sqrt(2))
        x = self.G(z).unflatten(1, self.config.shape)
        return torch.tanh(x) if len(self.config.shape) == 3 else x

    def judge(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """x [N, *shape] -> logits [N]."""
        logits: Tensor = self.D(x.flatten(1)).squeeze(1)
        return logits


PAPER = "Goodfellow et al. 2014, arXiv:1406.2661"


def _points(source: str, about: str, dims: int = 2, latent_dim: int = 2) -> Recipe:
    return Recipe(
        name=f"gan-{source}",
        game="gan",
        config=Config(shape=(dims,), latent_dim=latent_dim),
        data=DataConfig(source=source),
        train=TrainConfig(
            images=2_000_000,
            batch=256,
            learning_rate=1e-3,
            schedule=Ramp(end=0.05, shape="cosine"),
            adam=Adam(beta1=0.5, beta2=0.99),
            average_halflife=50_000,
            checkpoint_every=500_000,
        ),
        paper=PAPER,
        minutes=1,
        about=about,
    )


RECIPES = (
    _points("normal1d", "noise on a line becomes one bell curve", dims=1, latent_dim=1),
    _points("mixture1d", "noise on a line becomes two bell curves", dims=1, latent_dim=1),
    _points("line", "points on a line in the plane"),
    _points("gaussians", "two Gaussians in the plane"),
    _points("ring", "eight narrow Gaussians on a ring: the classic test of mode collapse"),
    _points("grid", "twenty-five narrow Gaussians on a grid"),
    _points("moons", "two interleaved half moons"),
    _points("spiral", "a spiral"),
    Recipe(
        name="gan-mnist",
        game="gan",
        config=Config(shape=(1, 28, 28), latent_dim=64, width=512, depth=2),
        data=DataConfig(source="mnist"),
        train=TrainConfig(images=600_000, batch=128, learning_rate=2e-4, average_halflife=20_000, checkpoint_every=100_000),
        paper=PAPER,
        minutes=2,
        about="handwritten digits by perceptrons, without labels",
    ),
)
