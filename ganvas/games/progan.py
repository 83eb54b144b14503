"""ProGAN: progressive growing of generator and discriminator, from a few pixels to the full resolution.

Large structure is learnt first, then finer detail. A new resolution fades in: both networks blend the old path with the new
one, and reals are blended in the same way. WGAN-GP with a drift term, equalized learning rate, pixel norm in the generator,
and minibatch standard deviation in the discriminator. Source: Karras et al. 2018, arXiv:1710.10196.

The state of growth is one number, `level`, a function of the progress of training: 1.25 is a quarter of the way from the
second resolution to the third. The generator always returns images of full size, upsampled by nearest neighbour.

Differs: the moments of Adam are kept when the networks grow, because the old layers do not change; fewer channels; the share
of the run spent growing is a setting (`grown_by`), because only the last resolution counts.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from ganvas.core.capabilities import Grows, Projects
from ganvas.core.game import Batch, Step
from ganvas.core.host_number import HostNumber
from ganvas.errors import UsageError
from ganvas.games.common.adversarial_game import AdversarialGame
from ganvas.games.common.duel import Duel
from ganvas.games.common.family import Family, cosine
from ganvas.games.common.rules import Rules
from ganvas.layers.discriminator import DiscriminatorHead
from ganvas.layers.equalized import EqualConv, EqualLinear, leaky_relu
from ganvas.layers.normalization import pixel_norm
from ganvas.layers.resample import downsample_mean, upsample_nearest
from ganvas.layers.resolutions import list_resolutions
from ganvas.utils.settings import require_within


@dataclass(frozen=True, kw_only=True)
class Config:
    """`width` channels at full resolution, twice as many at every halving, up to `max_width`."""

    resolution: int = 32
    channels: int = 1
    latent_dim: int = 64
    width: int = 8
    max_width: int = 64
    grown_by: float = 0.6  # the share of the run after which growth is complete
    rules: Rules = Rules(objective="wasserstein", gradient_penalty=10.0, drift=0.001)

    def __post_init__(self) -> None:
        require_within(self, "config.channels config.latent_dim config.width config.max_width", 1)
        require_within(self, "config.grown_by", 0, 1)

    @property
    def sides(self) -> list[int]:
        """The resolutions from the first to the last."""
        return list_resolutions(self.resolution)[::-1]

    @property
    def widths(self) -> list[int]:
        """The channels at each resolution."""
        return [min(self.max_width, self.width * 2**level) for level in range(len(self.sides))][::-1]


def level_at(progress: float, levels: int, grown_by: float) -> float:
    """The level, from 0 to levels - 1, at `progress` in [0, 1]: constant resolution and fading take turns of equal length."""
    if progress >= grown_by:
        return levels - 1.0
    stage, within_stage = divmod(progress / grown_by * (levels - 1), 1)
    return min(levels - 1.0, stage + max(0.0, 2 * within_stage - 1))


def split_level(level: float) -> tuple[int, float]:
    """The integer level, and the share of the next one."""
    return int(level), level - int(level)


class GrowingNetwork(nn.Module):
    """A network that grows with its buffer `level`."""

    level: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("level", torch.zeros(()))
        self.at = HostNumber()  # the level as a Python number: which layers run depends on it

    def split_level(self) -> tuple[int, float]:
        """The integer level, and the share of the next one."""
        return split_level(self.at.read(self.level))


class Stage(nn.Module):
    """Two 3x3 convolutions, each followed by leaky ReLU and `after`: pixel norm in the generator."""

    def __init__(self, inputs: int, middle: int, outputs: int, after: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.first, self.second, self.after = EqualConv(inputs, middle, 3), EqualConv(middle, outputs, 3), after

    def forward(self, x: Tensor) -> Tensor:
        return self.after(leaky_relu(self.second(self.after(leaky_relu(self.first(x))))))


class Generator(GrowingNetwork):
    """z [N, latent_dim] -> image [N, C, H, W], unbounded, with the detail of `level`."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        widths, self.sides = config.widths, config.sides
        self.first = EqualLinear(config.latent_dim, widths[0] * self.sides[0] ** 2, gain=2**0.5 / 4)  # the gain for 4x4
        self.second = EqualConv(widths[0], widths[0], 3)
        self.stages = nn.ModuleList(Stage(a, b, b, pixel_norm) for a, b in itertools.pairwise(widths))
        self.heads = nn.ModuleList(EqualConv(width, config.channels, 1, gain=1.0) for width in widths)

    def forward(self, z: Tensor, level: float | None = None) -> Tensor:
        reached, share = self.split_level() if level is None else split_level(level)
        x = pixel_norm(leaky_relu(self.first(pixel_norm(z)).unflatten(1, (-1, self.sides[0], self.sides[0]))))
        x = pixel_norm(leaky_relu(self.second(x)))
        for side, stage in zip(self.sides[1 : reached + 1], self.stages, strict=False):
            x = stage(upsample_nearest(x, side))
        image: Tensor = self.heads[reached](x)
        if share:
            side = self.sides[reached + 1]
            image = torch.lerp(
                upsample_nearest(image, side), self.heads[reached + 1](self.stages[reached](upsample_nearest(x, side))), share
            )
        return upsample_nearest(image, self.sides[-1])


class Discriminator(GrowingNetwork):
    """image [N, C, H, W] -> logits [N], with the detail of `level`."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        widths, self.sides = config.widths, config.sides
        self.heads = nn.ModuleList(EqualConv(config.channels, width, 1) for width in widths)
        self.stages = nn.ModuleList(Stage(b, b, a, lambda x: x) for a, b in itertools.pairwise(widths))
        self.verdict = DiscriminatorHead(widths[0], self.sides[0])

    def forward(self, image: Tensor) -> Tensor:
        reached, share = self.split_level()
        x: Tensor = leaky_relu(self.heads[reached](downsample_mean(image, self.sides[reached])))
        if share:
            finer = leaky_relu(self.heads[reached + 1](downsample_mean(image, self.sides[reached + 1])))
            x = torch.lerp(x, downsample_mean(self.stages[reached](finer), self.sides[reached]), share)
        for side, stage in zip(self.sides[:reached][::-1], self.stages[:reached][::-1], strict=True):
            x = downsample_mean(stage(x), side)
        logits: Tensor = self.verdict(x).squeeze(1)
        return logits


class ProGAN(AdversarialGame, Projects, Grows):
    """A generator and a discriminator that grow together."""

    config_type = Config
    together = False  # D uses the standard deviation of its batch

    def __init__(self, config: Config) -> None:
        super().__init__(config, Generator(config), Discriminator(config))

    @property
    def resolutions(self) -> tuple[int, ...]:
        """The resolutions up to the current one, the one that is fading in included."""
        reached, share = self.G.split_level()
        return tuple(self.G.sides[: reached + 1 + (share > 0)])

    def advance(self, step: Step) -> None:
        """Set the level of both networks."""
        level = level_at(step.progress, len(self.G.sides), self.config.grown_by)
        for network in (self.G, self.D):
            network.at.write(network.level, level)

    def duel(self) -> Duel:
        return replace(super().duel(), real=self.blend_real)

    def blend_real(self, batch: Batch, step: Step) -> Tensor:
        """The reals, blended in the same way as the fakes. Source: arXiv:1710.10196 appendix A.1."""
        return self.blend(batch["real"])

    def blend(self, image: Tensor) -> Tensor:
        """image [N, C, H, W] -> the same size, with the detail of the current level only."""
        reached, share = self.G.split_level()
        coarse = upsample_nearest(downsample_mean(image, self.G.sides[reached]), image.shape[-1])
        if not share:
            return coarse
        return torch.lerp(coarse, upsample_nearest(downsample_mean(image, self.G.sides[reached + 1]), image.shape[-1]), share)

    def sample_at(self, z: Tensor, resolution: int, c: Tensor | None = None) -> Tensor:
        """z [N, latent_dim] -> image [N, C, H, W] of full size, from the layers up to `resolution`.

        Raises:
            UsageError: the generator has not grown to this resolution.
        """
        if resolution not in self.resolutions:
            raise UsageError(f"resolution: expected one of {', '.join(map(str, self.resolutions))}, got {resolution}")
        image: Tensor = self.G(z, min(self.G.at.read(self.G.level), float(self.G.sides.index(resolution))))
        return image


_recipe = Family("progan", "Karras et al. 2018, arXiv:1710.10196", own_fit="pad")
_OWN = Config(resolution=128, channels=3, width=8, max_width=64)
_TRAIN = cosine(0.1, 150_000, 16, 8e-3, checkpoint_every=40_000)
_SHORT = replace(_TRAIN, images=40_000)

RECIPES = (
    _recipe("progan-mnist", "mnist", 8, "handwritten digits that grow from 4x4 to 32x32", Config(), _TRAIN),
    _recipe("progan-images", "", 15, "a folder of your own pictures, grown to 128x128", _OWN, _SHORT),
)
