"""Variational autoencoder (VAE), and conditional VAE: games with one player, trained by the ELBO, without a discriminator.

The encoder computes q(z|x), a Gaussian over codes; the decoder computes p(x|z). Together they maximize
log p(x) >= ELBO = E_q log p(x|z) - KL(q(z|x) || N(0, 1)), in nats, with the reparameterization z = mean + sd * noise.
Source: Kingma & Welling 2013, arXiv:1312.6114 eq. 3 and 10, sec. 2.4, appendices B and C.

Differs: ReLU and Adam instead of tanh and Adagrad, which train faster; besides the perceptrons of the paper there are
convolutional networks with BatchNorm. Grey levels are treated as probabilities, as usual; the normalizing constant of the
continuous Bernoulli is missing (arXiv:1907.06845), so the bound compares only with itself, not with one on binarized digits.
`beta` is that of beta-VAE (Higgins et al. 2017, eq. 4); 1 is the bound of the paper.

The conditional game bounds log p(x|c), with the class concatenated to x and to z (Sohn et al. 2015, "Learning structured
output representation", sec. 4). By Bayes' rule it is also a classifier.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganvas.config import Adam, Ramp, TrainConfig
from ganvas.core.capabilities import Bounds, Classifies, Conditional, Encodes, Projects, require_class
from ganvas.core.facts import Facts
from ganvas.core.game import Batch, Game, Step, Terms, Turn
from ganvas.core.modality import IMAGES, POINTS
from ganvas.errors import UsageError
from ganvas.games.common.family import Family
from ganvas.layers.classes import class_weights
from ganvas.layers.flatten import Flatten
from ganvas.layers.mlp import mlp
from ganvas.layers.resolutions import list_resolutions, list_widths
from ganvas.losses.likelihood import gaussian_kl
from ganvas.utils.settings import require_within


@dataclass(frozen=True, kw_only=True)
class Config:
    """`depth` hidden layers of `width` units; if `convolutional`, `width` channels at half the resolution instead, doubled at
    each halving up to `max_width`. With `point`, data are points with so many coordinates instead of images, and p(x|z) is a
    Gaussian with standard deviation `sd` around the output of the decoder.
    """

    takes: ClassVar = (IMAGES, POINTS)
    resolution: int = 28
    channels: int = 1
    latent_dim: int = 20
    convolutional: bool = False
    width: int = 400
    depth: int = 1
    max_width: int = 256
    beta: float = 1.0  # weight of the KL term
    point: int = 0  # coordinates of a point; 0: images
    sd: float = 0.1  # standard deviation of p(x|z) for points

    def __post_init__(self) -> None:
        require_within(
            self, "config.resolution config.channels config.latent_dim config.width config.depth config.max_width", 1
        )
        require_within(self, "config.beta config.point", 0)
        if not 0 < self.sd < math.inf:
            raise UsageError(f"config.sd: expected a number above 0, got {self.sd:g}")
        if self.point and self.convolutional:
            raise UsageError("config.convolutional: points have no convolutions; leave it false")

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one sample."""
        return (self.point,) if self.point else (self.channels, self.resolution, self.resolution)

    def adapt(self, facts: Facts) -> Self:
        """The settings for images, or for points of any dimension."""
        return facts.fill(self, point=facts.shape[0] if facts.modality is POINTS else 0)


@dataclass(frozen=True, kw_only=True)
class ConditionalConfig(Config):
    """The settings of the conditional game."""

    classes: int = 10

    def __post_init__(self) -> None:
        super().__post_init__()
        require_within(self, "config.classes", 1)


def _encoder(config: Config, classes: int) -> nn.Sequential:
    """image [N, C, H, W] in [0, 1] or point [N, D], with its class -> mean and log-variance, concatenated [N, 2 latent_dim]."""
    if config.point:
        return mlp(config.point + classes, config.width, config.depth, 2 * config.latent_dim, slope=0.0)
    if not config.convolutional:
        size = config.channels * config.resolution**2 + classes
        return nn.Sequential(nn.Flatten(), *mlp(size, config.width, config.depth, 2 * config.latent_dim, slope=0.0))
    channels = [config.channels + classes, *list_widths(config.resolution, config.width, config.max_width)]
    layers: list[nn.Module] = []
    for before, after in itertools.pairwise(channels):
        layers += [nn.Conv2d(before, after, 4, 2, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU(inplace=True)]
    size = channels[-1] * list_resolutions(config.resolution)[-1] ** 2
    return nn.Sequential(*layers, Flatten(), nn.Linear(size, 2 * config.latent_dim))


def _decoder(config: Config, classes: int) -> nn.Sequential:
    """z [N, latent_dim + classes] -> logits of the pixels [N, C, H, W], or the mean of a point [N, D]."""
    if config.point:
        return mlp(config.latent_dim + classes, config.width, config.depth, config.point, slope=0.0)
    shape = (config.channels, config.resolution, config.resolution)
    if not config.convolutional:
        layers = mlp(config.latent_dim + classes, config.width, config.depth, config.channels * config.resolution**2, slope=0.0)
        return nn.Sequential(*layers, nn.Unflatten(1, shape))
    side, channels = (
        list_resolutions(config.resolution)[-1],
        list_widths(config.resolution, config.width, config.max_width)[::-1],
    )
    inner: list[nn.Module] = [nn.Linear(config.latent_dim + classes, channels[0] * side**2)]
    inner.append(nn.Unflatten(1, (channels[0], side, side)))
    for before, after in itertools.pairwise(channels):
        inner += [nn.BatchNorm2d(before), nn.ReLU(inplace=True), nn.ConvTranspose2d(before, after, 4, 2, 1, bias=False)]
    last = nn.ConvTranspose2d(channels[-1], config.channels, 4, 2, 1)
    return nn.Sequential(*inner, nn.BatchNorm2d(channels[-1]), nn.ReLU(inplace=True), last)


class VAE(Game, Projects, Encodes, Bounds):
    """One player with two networks: encoder and decoder."""

    config_type: ClassVar[type] = Config
    needs: ClassVar[tuple[str, ...]] = ("real",)
    players = {"VAE": ("encoder", "decoder")}  # noqa: RUF012
    averaged = ("encoder", "decoder")

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        classes = getattr(config, "classes", 0)
        self.encoder, self.decoder = _encoder(config, classes), _decoder(config, classes)

    def turns(self) -> tuple[Turn, ...]:
        return (Turn("explain", "VAE", self.loss),)

    def loss(self, batch: Batch, step: Step) -> Terms:
        """-ELBO per sample, in its two terms; `beta` is the weight of the second one."""
        parts = self.bound(batch["real"], step.normal(len(batch["real"]), self.latent_dim), batch.get("label"))
        terms = {name: nats.mean() for name, nats in parts.items()}
        step.notes["ELBO"] = -sum(terms.values()).detach()  # type: ignore[union-attr]
        return {**terms, "KL": self.config.beta * terms["KL"]}

    def bound(self, x: Tensor, noise: Tensor, c: Tensor | None = None) -> Terms:
        """data [N, ...], standard normal noise [N, latent_dim], c -> the terms of -ELBO, each [N], in nats.

        `reconstruction` is -log p(x|z) for the z from the noise, summed over pixels or coordinates; `KL` is exact.
        """
        mean, log_variance = self.posterior(x, c)
        logits = self.decoder(self.join_class(mean + torch.exp(0.5 * log_variance) * noise, c)).float()
        if self.config.point:
            normalizer = math.log(self.config.sd) + 0.5 * math.log(2 * math.pi)
            far = 0.5 * ((x.float() - logits) / self.config.sd).square() + normalizer
            return {"reconstruction": far.sum(1), "KL": gaussian_kl(mean, log_variance)}
        missed = F.binary_cross_entropy_with_logits(logits, (x.float() + 1) / 2, reduction="none")
        return {"reconstruction": missed.flatten(1).sum(1), "KL": gaussian_kl(mean, log_variance)}

    def posterior(self, x: Tensor, c: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """image [N, C, H, W] in [-1, 1] or point, c -> mean and log-variance of q(z|x), each [N, latent_dim] in float32."""
        output = self.encoder(self.join_class(x if self.config.point else (x + 1) / 2, c))
        mean, log_variance = output.float().chunk(2, 1)
        return mean, log_variance

    def encode(self, x: Tensor) -> Tensor:
        """image [N, C, H, W] in [-1, 1] or point [N, D] -> the mean of q(z|x) [N, latent_dim]."""
        return self.posterior(x)[0]

    def sample(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """z [N, latent_dim], c -> the mean of p(x|z), image [N, C, H, W] in [-1, 1]: without noise, so images are blurred."""
        output: Tensor = self.decoder(self.join_class(z, c))
        return output if self.config.point else torch.tanh(output / 2)  # 2 sigmoid - 1

    def join_class(self, x: Tensor, c: Tensor | None) -> Tensor:
        """x [N, ...] unchanged: the game has no classes."""
        return x

    def projection(self) -> Tensor:
        """The first weight matrix that multiplies z, [features, latent_dim]; the columns of the class are left out."""
        weight: Tensor = self.decoder[0].weight[:, : self.latent_dim]  # type: ignore[index]
        return weight


class ConditionalVAE(VAE, Conditional, Classifies):
    """A conditional VAE: a bound on log p(x | class)."""

    config_type: ClassVar[type] = ConditionalConfig
    needs: ClassVar[tuple[str, ...]] = ("real", "label")

    def join_class(self, x: Tensor, c: Tensor | None) -> Tensor:
        """x [N, ...], c [N] class or [N, classes] shares -> x with the one-hot class concatenated; as planes for images."""
        onehot = class_weights(require_class(c), self.classes, x.dtype)
        if x.ndim == 2 or not self.config.convolutional:
            return torch.cat([x.flatten(1), onehot], 1)
        return torch.cat([x, onehot[:, :, None, None].expand(-1, -1, *x.shape[2:])], 1)

    def classify(self, x: Tensor) -> Tensor:
        """image [N, C, H, W] in [-1, 1] -> the bound on log p(x | class) at the mean code [N, classes], in nats.

        By Bayes' rule these are logits of P(class | x), for equally frequent classes.
        """
        noise = x.new_zeros(len(x), self.latent_dim)
        every = [self.bound(x, noise, torch.full((len(x),), c, device=x.device)) for c in range(self.classes)]
        return torch.stack([-parts["reconstruction"] - parts["KL"] for parts in every], 1)

    def encode(self, x: Tensor) -> Tensor:
        """image [N, C, H, W] in [-1, 1] -> the mean of q(z|x, c) [N, latent_dim], c the predicted class."""
        return self.posterior(x, self.classify(x).argmax(1))[0]

    def features(self, x: Tensor) -> Tensor:
        """image [N, C, H, W] in [-1, 1] -> its code [N, latent_dim]."""
        return self.encode(x)


_recipe = Family("vae", "Kingma & Welling 2013, arXiv:1312.6114")
_conditional = Family("vae-conditional", _recipe.paper)
# The usual training: 10 epochs of 60,000, a batch of 128, Adam 1e-3, no EMA. Source: pytorch/examples, vae.
_EXAMPLE = TrainConfig(
    images=600_000, batch=128, learning_rate=1e-3, adam=Adam(beta1=0.9), average_halflife=0, checkpoint_every=100_000
)
_TRAIN = replace(_EXAMPLE, schedule=Ramp(end=0.05, shape="cosine"), average_halflife=10_000)
_FLAT = Config(latent_dim=2, depth=3)
_CONVOLUTIONAL = Config(convolutional=True, width=32, latent_dim=32)

_OWN = replace(_CONVOLUTIONAL, resolution=64, channels=3, latent_dim=64)

RECIPES = (
    _recipe(
        "vae-mnist",
        "mnist",
        1,
        "handwritten digits by an encoder and a decoder: the first model of its kind",
        Config(),
        _EXAMPLE,
    ),
    _conditional(
        "vae-mnist-conditional",
        "mnist",
        1,
        "handwritten digits on request, by an encoder and a decoder, which also name them",
        ConditionalConfig(),
        _EXAMPLE,
    ),
    _recipe("vae-mnist-2d", "mnist", 2, "handwritten digits from two numbers each, so that all fit on a map", _FLAT, _TRAIN),
    _recipe("vae-fashion", "fashion", 5, "clothes, by an encoder and a decoder", _CONVOLUTIONAL, _TRAIN),
    _recipe("vae-images", "", 15, "a folder of your own pictures, without a discriminator", _OWN, _TRAIN),
)
