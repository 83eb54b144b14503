"""VAE: the family's other generative model, a game of one player. No critic: a bound on the likelihood is raised instead.

An encoder names the codes z that may have made x, q(z|x), a Gaussian; a decoder draws x from z. Together they raise
log p(x) >= ELBO = E_q log p(x|z) - KL(q(z|x) || N(0, 1)), in nats. The draw is z = mean + sd * noise, so that its gradient
reaches the encoder. Source: Kingma & Welling 2013, arXiv:1312.6114 eq. 3 and 10, sec. 2.4, appendices B and C.

Differs: ReLU and Adam for tanh and Adagrad, which train the same bound faster; convolutional networks with BatchNorm beside
the paper's perceptrons. Grey levels are taken for probabilities, as is usual; the Bernoulli's missing normaliser
(arXiv:1907.06845) makes the bound comparable with itself only, and never with one on binarised digits. `beta` is beta-VAE's
(Higgins et al. 2017, eq. 4): 1 is the paper's bound.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganvas.config import Adam, DataConfig, Ramp, Recipe, TrainConfig, within
from ganvas.errors import UsageError
from ganvas.game import Batch, Game, Step, Terms, Turn
from ganvas.layers.mlp import mlp
from ganvas.layers.pyramid import sides
from ganvas.objectives import gaussian_kl


@dataclass(frozen=True, kw_only=True)
class Config:
    """`width` units in each of `depth` hidden layers of a perceptron; in a convolutional network, which has no `depth`,
    channels at half the resolution, doubled at each halving up to `max_width`. With `point`, data are not images but
    points of so many numbers, and p(x|z) is a Gaussian of deviation `sd` round what the decoder says.
    """

    resolution: int = 28
    channels: int = 1
    latent_dim: int = 20
    convolutional: bool = False
    width: int = 400
    depth: int = 1
    max_width: int = 256
    beta: float = 1.0  # weight of the KL term
    point: int = 0  # numbers in a point; 0: images
    sd: float = 0.1  # of a point round the decoder's

    def __post_init__(self) -> None:
        within(self, "config.resolution config.channels config.latent_dim config.width config.depth config.max_width", 1)
        within(self, "config.beta config.point", 0)
        if self.sd <= 0 or (self.point and self.convolutional):
            raise UsageError(f"config.sd: expected above 0, got {self.sd}; and points have no convolutions")


def _widths(config: Config) -> list[int]:
    """Channels at half the resolution, a quarter, ..., down to the smallest side."""
    return [min(config.max_width, config.width * 2**level) for level in range(len(sides(config.resolution)) - 1)]


def _encoder(config: Config) -> nn.Sequential:
    """image [N, C, H, W] in [0, 1], or point [N, D] -> mean and log-variance side by side [N, 2 latent_dim]."""
    if config.point:
        return mlp(config.point, config.width, config.depth, 2 * config.latent_dim, slope=0.0)
    if not config.convolutional:
        size = config.channels * config.resolution**2
        return nn.Sequential(nn.Flatten(), *mlp(size, config.width, config.depth, 2 * config.latent_dim, slope=0.0))
    widths = [config.channels, *_widths(config)]
    layers: list[nn.Module] = []
    for before, after in itertools.pairwise(widths):
        layers += [nn.Conv2d(before, after, 4, 2, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU(inplace=True)]
    size = widths[-1] * sides(config.resolution)[-1] ** 2
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(size, 2 * config.latent_dim))


def _decoder(config: Config) -> nn.Sequential:
    """z [N, latent_dim] -> logits of the pixels [N, C, H, W], or the mean of a point [N, D]."""
    if config.point:
        return mlp(config.latent_dim, config.width, config.depth, config.point, slope=0.0)
    shape = (config.channels, config.resolution, config.resolution)
    if not config.convolutional:
        layers = mlp(config.latent_dim, config.width, config.depth, config.channels * config.resolution**2, slope=0.0)
        return nn.Sequential(*layers, nn.Unflatten(1, shape))
    widths, side = _widths(config)[::-1], sides(config.resolution)[-1]
    inner: list[nn.Module] = [nn.Linear(config.latent_dim, widths[0] * side**2), nn.Unflatten(1, (widths[0], side, side))]
    for before, after in itertools.pairwise(widths):
        inner += [nn.BatchNorm2d(before), nn.ReLU(inplace=True), nn.ConvTranspose2d(before, after, 4, 2, 1, bias=False)]
    last = nn.ConvTranspose2d(widths[-1], config.channels, 4, 2, 1)
    return nn.Sequential(*inner, nn.BatchNorm2d(widths[-1]), nn.ReLU(inplace=True), last)


class VAE(Game):
    """One player of two networks: the encoder explains pictures, the decoder draws them."""

    config_type = Config
    needs = ("real",)
    players = {"VAE": ("encoder", "decoder")}  # noqa: RUF012
    averaged = ("encoder", "decoder")

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.encoder, self.decoder = _encoder(config), _decoder(config)

    @property
    def latent_dim(self) -> int:
        return int(self.config.latent_dim)

    def turns(self) -> tuple[Turn, ...]:
        return (Turn("explain", "VAE", self.loss),)

    def loss(self, batch: Batch, step: Step) -> Terms:
        """-ELBO a picture, in its two parts; `beta` weighs the second."""
        parts = self.bound(batch["real"], step.normal(len(batch["real"]), self.latent_dim))
        terms = {name: nats.mean() for name, nats in parts.items()}
        step.notes["ELBO"] = -sum(terms.values()).detach()  # type: ignore[union-attr]
        return {**terms, "KL": self.config.beta * terms["KL"]}

    def bound(self, x: Tensor, noise: Tensor) -> Terms:
        """data [N, ...], standard normal noise [N, latent_dim] -> -ELBO as a sum of parts [N], in nats.

        `reconstruction` is -log p(x|z) at the one draw of z that the noise makes, summed over pixels or coordinates; `KL`
        is exact.
        """
        mean, log_variance = self.posterior(x)
        logits = self.decoder(mean + torch.exp(0.5 * log_variance) * noise).float()
        if self.config.point:
            normaliser = math.log(self.config.sd) + 0.5 * math.log(2 * math.pi)
            far = 0.5 * ((x.float() - logits) / self.config.sd).square() + normaliser
            return {"reconstruction": far.sum(1), "KL": gaussian_kl(mean, log_variance)}
        missed = F.binary_cross_entropy_with_logits(logits, (x.float() + 1) / 2, reduction="none")
        return {"reconstruction": missed.flatten(1).sum(1), "KL": gaussian_kl(mean, log_variance)}

    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """image [N, C, H, W] in [-1, 1] or point -> mean and log-variance of q(z|x), each [N, latent_dim] in float32."""
        mean, log_variance = self.encoder(x if self.config.point else (x + 1) / 2).float().chunk(2, 1)
        return mean, log_variance

    def encode(self, x: Tensor) -> Tensor:
        """image [N, C, H, W] in [-1, 1] or point [N, D] -> the mean of q(z|x) [N, latent_dim]."""
        return self.posterior(x)[0]

    def sample(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """z [N, latent_dim] -> the mean of p(x|z), image [N, C, H, W] in [-1, 1]: no noise is added, hence the blur."""
        drawn: Tensor = self.decoder(z)
        return drawn if self.config.point else torch.tanh(drawn / 2)  # 2 sigmoid - 1

    def projection(self) -> Tensor:
        """The first matrix that z meets, [features, latent_dim]."""
        weight: Tensor = self.decoder[0].weight  # type: ignore[assignment]
        return weight


def _recipe(name: str, source: str, minutes: float, about: str, config: Config, train: TrainConfig) -> Recipe:
    return Recipe(
        name=name,
        game="vae",
        config=config,
        data=DataConfig(source=source),
        train=train,
        paper="Kingma & Welling 2013, arXiv:1312.6114",
        minutes=minutes,
        about=about,
    )


# The usual protocol: 10 epochs of 60,000, a batch of 128, Adam 1e-3, the last weights. Source: pytorch/examples, vae.
_EXAMPLE = TrainConfig(
    images=600_000, batch=128, learning_rate=1e-3, adam=Adam(beta1=0.9), average_halflife=0, checkpoint_every=100_000
)
_TRAIN = replace(_EXAMPLE, schedule=Ramp(end=0.05, shape="cosine"), average_halflife=10_000)
_FLAT = Config(latent_dim=2, depth=3)
_CONVOLUTIONAL = Config(convolutional=True, width=32, latent_dim=32)

RECIPES = (
    _recipe("vae-mnist", "mnist", 1, "handwritten digits by a bound on their likelihood: 784-400-20", Config(), _EXAMPLE),
    _recipe("vae-mnist-2d", "mnist", 2, "two numbers a digit, so that all of them fit on a map", _FLAT, _TRAIN),
    _recipe("vae-fashion", "fashion", 5, "clothes, by convolutions", _CONVOLUTIONAL, _TRAIN),
    _recipe(
        "vae-images",
        "",
        15,
        "a folder of your own pictures, without a critic",
        replace(_CONVOLUTIONAL, resolution=64, channels=3, latent_dim=64),
        _TRAIN,
    ),
)
