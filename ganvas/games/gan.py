"""The original GAN: generator and discriminator are multi-layer perceptrons.

min_G max_D  E log D(x) + E log(1 - D(G(z))); at the optimum the fakes have the distribution of the data, and D = 1/2.
Source: Goodfellow et al. 2014, arXiv:1406.2661.

Differs: leaky ReLU and Adam instead of maxout, dropout and momentum: they train the same game more reliably. For data in
separate modes there are two options. `coins` gives G the signs of z: a continuous map of connected noise always has samples
between modes (arXiv:1806.00880). `frequencies` gives D Fourier features: a perceptron on plain coordinates hardly resolves
small distances (arXiv:2006.10739). With `sharpen`, low frequencies come first and higher ones are added during training
(arXiv:2011.12948 eq. 8).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import torch
from torch import Tensor

from ganvas.config import Adam, Recipe, TrainConfig
from ganvas.core.capabilities import Projects
from ganvas.core.facts import Facts
from ganvas.core.game import Step
from ganvas.core.modality import IMAGES, POINTS, VOXELS
from ganvas.games.common.adversarial_game import AdversarialGame
from ganvas.games.common.family import Family, cosine
from ganvas.games.common.rules import Rules
from ganvas.layers.mlp import mlp
from ganvas.utils.settings import require_within


@dataclass(frozen=True, kw_only=True)
class Config:
    """`shape` is that of one sample: (2,) for points in the plane, (1, 28, 28) for images, for which G ends in tanh."""

    takes: ClassVar = (POINTS, IMAGES, VOXELS)
    shape: tuple[int, ...] = (2,)
    latent_dim: int = 2
    noise: Literal["normal", "uniform"] = "normal"
    width: int = 128
    critic_width: int | None = None  # of D; None: as wide as G
    depth: int = 3
    critic_depth: int | None = None  # of D; None: as deep as G
    slope: float = 0.2  # negative slope of the leaky ReLU of G; 0: ReLU
    coins: bool = False  # G also gets the sign of each coordinate of z, so its map may be discontinuous
    softness: float = 1.0  # factor on z next to the signs: the smaller, the larger the gaps between modes
    frequencies: int = 0  # Fourier features of D: sin and cos of each coordinate at this number of octaves
    span: float = 1.0  # half of the longest period
    sharpen: float = 0.0  # share of the run in which higher frequencies are added one by one; 0: all from the start
    rules: Rules = Rules()

    def __post_init__(self) -> None:
        require_within(self, "config.latent_dim config.width config.depth", 1)
        require_within(self, "config.slope config.softness config.sharpen", 0, 1)

    def adapt(self, facts: Facts) -> Config:
        """The settings for data of any shape."""
        return replace(self, shape=facts.shape)


class GAN(AdversarialGame, Projects):
    """G: z -> x and D: x -> logit, both perceptrons."""

    config_type = Config
    sharpness: Tensor

    def __init__(self, config: Config) -> None:
        size, depth = math.prod(config.shape), config.critic_depth or config.depth
        g = mlp(config.latent_dim * (2 if config.coins else 1), config.width, config.depth, size, config.slope)
        d = mlp(size * (1 + 2 * config.frequencies), config.critic_width or config.width, depth, 1)
        super().__init__(config, g, d)
        self.register_buffer("sharpness", torch.ones(config.frequencies))  # weight of each octave
        if config.rules.scoring.g_sees_reals:
            self.D[-1].register_parameter("bias", None)  # a constant on all logits does not change a relativistic loss

    def advance(self, step: Step) -> None:
        """Add higher Fourier frequencies during training."""
        octaves = torch.arange(len(self.sharpness), device=self.sharpness.device)
        share = 1.0 if step.progress >= self.config.sharpen else step.progress / self.config.sharpen
        reached = 2 + share * (len(octaves) - 2)
        self.sharpness.copy_((1 - torch.cos(math.pi * (reached - octaves).clamp(0, 1))) / 2)

    def sample(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """z [N, latent_dim], standard normal -> x [N, *shape].

        Uniform noise in [-1, 1] is the distribution function of z, so that every path in z is a path in the noise.
        """
        if self.config.noise == "uniform":
            z = torch.erf(z / math.sqrt(2))
        if self.config.coins:
            z = torch.cat([self.config.softness * z, z.sign()], 1)
        x = self.G(z).unflatten(1, self.config.shape)
        return torch.tanh(x) if len(self.config.shape) == 3 else x

    def projection(self) -> Tensor:
        """The first weight matrix that multiplies z, [width, latent_dim]; the columns of its signs are left out."""
        weight: Tensor = self.G[0].weight
        return weight[:, : self.latent_dim]

    def judge(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """x [N, *shape] -> logits [N]."""
        x = x.flatten(1)
        if self.config.frequencies:
            octaves = math.pi / self.config.span * 2.0 ** torch.arange(self.config.frequencies, device=x.device)
            waves = (x[:, :, None] * octaves).flatten(1)
            weight = self.sharpness.repeat(x.shape[1])
            x = torch.cat([x, weight * waves.sin(), weight * waves.cos()], 1)
        logits: Tensor = self.D(x).squeeze(1)
        return logits


_recipe = Family("gan", "Goodfellow et al. 2014, arXiv:1406.2661")
_POINTS = cosine(
    0.05, 2_000_000, 256, 1e-3, adam=Adam(beta1=0.5, beta2=0.99), average_halflife=50_000, checkpoint_every=500_000
)


def _points(source: str, about: str, dims: int = 2) -> Recipe:
    return _recipe(f"gan-{source}", source, 1, about, Config(shape=(dims,), latent_dim=dims), _POINTS)


def _modes(source: str, about: str, config: Config, points: int) -> Recipe:
    # No EMA: an average of many maps makes every mode too narrow.
    train = cosine(0.02, points, 512, 2e-3, average_halflife=0, checkpoint_every=500_000)
    return _recipe(f"gan-{source}", source, 2, about, config, train)


_RING = Config(
    latent_dim=8,
    coins=True,
    frequencies=6,
    rules=Rules(r1_gamma=0.9, r2_gamma=0.9, penalty_every=4),
)
_GRID = Config(
    latent_dim=12,
    coins=True,
    softness=0.2,
    frequencies=6,
    span=4.0,
    sharpen=0.5,
    rules=Rules(r1_gamma=0.5, r2_gamma=0.5, penalty_every=4, noise=1.0),
)

# G has exactly the layers of the decoder of vae-mnist, to compare training by a discriminator with training by the ELBO.
_DECODER = Config(
    shape=(1, 28, 28),
    latent_dim=20,
    width=400,
    depth=1,
    slope=0.0,
    critic_width=512,
    critic_depth=3,
    rules=Rules(objective="relativistic", r1_gamma=0.15, r2_gamma=0.15, penalty_every=4),
)

RECIPES = (
    _points("normal1d", "noise on a line becomes one bell curve", dims=1),
    _points("mixture1d", "noise on a line becomes two bell curves", dims=1),
    _points("line", "points on a line in the plane"),
    _points("gaussians", "two Gaussians in the plane"),
    _modes("ring", "eight narrow Gaussians on a ring: the classic test of mode collapse", _RING, 5_000_000),
    _modes("grid", "twenty-five narrow Gaussians on a grid", _GRID, 8_000_000),
    _points("moons", "two interleaved half moons"),
    _points("spiral", "a spiral"),
    _recipe(
        "gan-mnist",
        "mnist",
        2,
        "handwritten digits without labels, by the simplest networks",
        Config(shape=(1, 28, 28), latent_dim=64, width=512, depth=2),
        TrainConfig(images=600_000, batch=128, learning_rate=2e-4, average_halflife=20_000, checkpoint_every=100_000),
    ),
    _recipe(
        "gan-mnist-decoder",
        "mnist",
        2,
        "handwritten digits; the generator is the decoder of vae-mnist",
        _DECODER,
        cosine(0.05, 600_000, 128, 1e-3, average_halflife=20_000, checkpoint_every=100_000),
    ),
)
