"""R3GAN: a modern baseline without tricks: the relativistic pairing loss with R1 and R2 penalties.

L = E softplus(-(D(x) - D(G(z)))), plus gamma / 2 |grad D|^2 at the reals (R1) and at the fakes (R2), every step; residual
networks without normalization, whose last convolutions start at zero; bilinear resampling; Adam with beta1 0; schedules
that lower the learning rate and gamma. Source: Huang et al. 2024, arXiv:2501.05441.

Differs: one residual block in each stage, and convolutions without groups, which are faster on two CPU cores. The generator
starts with a linear layer instead of a learnt basis, and the discriminator ends with one instead of a sum over pixels: both
are too weak with few channels. The finest stage works on patches of 2x2 pixels. Images end in a tanh. The penalties are lazy,
every fourth step. A block widens in its 3x3 convolution, not in its first 1x1, which halves its weights.
Downsampling is the mean of 2x2 pixels; the published code filters with [1, 3, 3, 1] / 8 first, at more cost, against aliases
that hardly matter at these sizes. Upsampling repeats pixels at the border, where the published code takes zeros. beta2 is
constant at 0.99, and gamma is constant unless `config.gamma` is set: these runs are short.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganvas.config import Ramp
from ganvas.core.capabilities import Projects
from ganvas.core.game import Step
from ganvas.errors import UsageError
from ganvas.games.common.adversarial_game import AdversarialGame
from ganvas.games.common.family import Family, cosine
from ganvas.games.common.rules import Rules
from ganvas.layers.resolutions import list_resolutions
from ganvas.utils.settings import require_within

SLOPE = 0.2  # of the leaky ReLU
GAIN = math.sqrt(2 / (1 + SLOPE**2))  # keeps the variance through the leaky ReLU


@dataclass(frozen=True, kw_only=True)
class Config:
    """`width` channels at the finest stage, times `growth` at each halving, up to `max_width`."""

    resolution: int = 28
    channels: int = 1
    latent_dim: int = 64
    patch: int = 2  # side in pixels of a patch, the unit of the finest stage; 1: full resolution, at four times the cost
    width: int = 16
    growth: int = 3
    max_width: int = 96
    head: int = 128  # width of the fully connected hidden layer of D
    gamma: Ramp = Ramp(start=1.0, end=1.0)  # factor on the penalties during the run
    rules: Rules = Rules(objective="relativistic", r1_gamma=1.0, r2_gamma=1.0, penalty_every=4)

    def __post_init__(self) -> None:
        require_within(self, "config.channels config.latent_dim config.width config.growth config.max_width config.head", 1)
        allowed = [self.resolution // side for side in list_resolutions(self.resolution)]
        if self.patch not in allowed:
            raise UsageError(f"config.patch: expected one of {allowed} at {self.resolution} pixels, got {self.patch}")
        require_within(self.gamma, "config.gamma.start config.gamma.end", 0)


def _stages(config: Config) -> tuple[list[int], list[int]]:
    """The sides of the stages and their channels, the finest first."""
    steps = [side for side in list_resolutions(config.resolution) if side * config.patch <= config.resolution]
    return steps, [min(config.max_width, config.width * config.growth**level) for level in range(len(steps))]


def _convolution(inputs: int, outputs: int, kernel: int, gain: float) -> nn.Conv2d:
    """A convolution without bias, initialized with `gain` to keep the variance; gain 0: zeros. Source: sec. 3.2, Fix-up."""
    layer = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False)
    nn.init.normal_(layer.weight, 0.0, gain / math.sqrt(inputs * kernel * kernel))
    return layer


class Block(nn.Module):
    """Residual block x + f(x): 1x1, 3x3, 1x1 convolutions with bias and leaky ReLU between; the last starts at zero."""

    def __init__(self, width: int, blocks: int) -> None:
        super().__init__()
        inner = width * 2
        gain = GAIN * blocks ** -(1 / 4)
        self.narrow, self.mix, self.widen = (
            _convolution(width, width, 1, gain),
            _convolution(width, inner, 3, gain),
            _convolution(inner, width, 1, 0.0),
        )
        self.bias1, self.bias2 = nn.Parameter(torch.zeros(width, 1, 1)), nn.Parameter(torch.zeros(inner, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        hidden = F.leaky_relu(self.narrow(x) + self.bias1, SLOPE)
        out: Tensor = x + self.widen(F.leaky_relu(self.mix(hidden) + self.bias2, SLOPE))
        return out


class Resample(nn.Module):
    """Bilinear resampling by 2 up or down, and a 1x1 convolution if the number of channels changes."""

    def __init__(self, before: int, after: int, factor: float) -> None:
        super().__init__()
        self.factor = factor
        self.change = nn.Identity() if before == after else _convolution(before, after, 1, 1.0)

    def forward(self, x: Tensor) -> Tensor:
        if self.factor < 1:
            resized: Tensor = self.change(F.avg_pool2d(x, 2))  # bilinear at half the size
            return resized
        return F.interpolate(self.change(x), scale_factor=self.factor, mode="bilinear", align_corners=False)


class Generator(nn.Module):
    """z [N, latent_dim] -> image [N, C, H, W] in [-1, 1]."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        steps, widths = _stages(config)
        widths = widths[::-1]
        self.base = (widths[0], steps[-1], steps[-1])
        self.first = nn.Linear(config.latent_dim, widths[0] * steps[-1] ** 2, bias=False)
        nn.init.normal_(self.first.weight, 0.0, config.latent_dim**-0.5)
        stages: list[nn.Module] = [Block(widths[0], len(steps))]
        for before, after in itertools.pairwise(widths):
            stages += [Resample(before, after, 2.0), Block(after, len(steps))]
        self.stages = nn.Sequential(*stages)
        last, pixels = widths[-1], config.channels * config.patch**2
        if config.patch == 1:
            self.to_image = nn.Sequential(_convolution(last, pixels, 1, 1.0))
        else:  # 3x3 convolutions, so that neighbouring patches fit together
            mixing = (_convolution(last, last, 3, GAIN), nn.LeakyReLU(SLOPE, inplace=True), _convolution(last, pixels, 3, 1.0))
            self.to_image = nn.Sequential(*mixing, nn.PixelShuffle(config.patch))

    def forward(self, z: Tensor) -> Tensor:
        image: Tensor = self.to_image(self.stages(self.first(z).unflatten(1, self.base)))
        return torch.tanh(image)


class Discriminator(nn.Module):
    """image [N, C, H, W] -> logits [N]."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        steps, widths = _stages(config)
        pixels = _convolution(config.channels * config.patch**2, widths[0], 1 if config.patch == 1 else 3, 1.0)
        self.from_image = nn.Sequential(nn.PixelUnshuffle(config.patch), pixels)
        stages: list[nn.Module] = [Block(widths[0], len(steps))]
        for before, after in itertools.pairwise(widths):
            stages += [Resample(before, after, 0.5), Block(after, len(steps))]
        self.stages = nn.Sequential(*stages)
        self.gather = nn.Linear(widths[-1] * steps[-1] ** 2, config.head)
        self.score = nn.Linear(config.head, 1, bias=False)
        nn.init.normal_(self.score.weight, 0.0, config.head**-0.5)

    def forward(self, x: Tensor) -> Tensor:
        whole = F.leaky_relu(self.gather(self.stages(self.from_image(x)).flatten(1)), SLOPE)
        logits: Tensor = self.score(whole).squeeze(1)
        return logits


class R3GAN(AdversarialGame, Projects):
    """Residual generator and discriminator with the relativistic loss, R1 and R2."""

    config_type = Config

    def __init__(self, config: Config) -> None:
        super().__init__(config, Generator(config), Discriminator(config))
        self.factor = 1.0  # on the penalties, at the current progress

    @property
    def rules(self) -> Rules:
        """The rules of the config, with gamma from its schedule. Source: arXiv:2501.05441 table 5."""
        rules: Rules = self.config.rules
        return replace(rules, r1_gamma=rules.r1_gamma * self.factor, r2_gamma=rules.r2_gamma * self.factor)

    def advance(self, step: Step) -> None:
        """Set the factor on the penalties."""
        self.factor = self.config.gamma.at(step.progress)


_recipe = Family("r3gan", "Huang et al. 2024, arXiv:2501.05441")
_DIGITS = Config(latent_dim=32, rules=replace(Config().rules, r1_gamma=2.0, r2_gamma=2.0))
_OWN = Config(resolution=64, channels=3)
_TRAIN = cosine(0.02, 200_000, 48, 5e-4, checkpoint_every=40_000)
_LONG = replace(_TRAIN, images=290_000, learning_rate=1e-3)

RECIPES = (
    _recipe("r3gan-mnist", "mnist", 5, "handwritten digits without labels, the modern way", _DIGITS, _LONG),
    _recipe("r3gan-images", "", 15, "a folder of your own pictures, the modern way", _OWN, _TRAIN),
)
