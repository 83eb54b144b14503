"""StyleGAN2: modulated and demodulated convolutions instead of AdaIN, which removes its droplet artifacts.

A skip generator (the image is the sum of the outputs of all resolutions) and a residual discriminator; R1 and path length
regularization, both lazy. With few images the balance augments all inputs of the discriminator, as ADA does
(engine/balance.py). The conditional game concatenates an embedding of the class to z, and has a projection discriminator.
Source: Karras et al. 2020, arXiv:1912.04958; augmentation and conditions: arXiv:2006.06676.

Path length regularization: |J_w^T y| for a random image y of unit length should be constant, so that a step in w has a
constant effect on the image; E (|J_w^T y| - a)^2 with the running mean a (sec. 3.2, eq. 4).

Differs: penalties are part of an ordinary move of their player; as a separate move, under Adam without momentum, they would
be as long as any other. Path length regularization: a starts at the first measurement, not at 0, and a move is compared
with the mean before it, because its own lengths would pull the mean towards themselves; the noise inputs are the fixed ones,
so that lengths of two moves differ by w alone; the weight is 0.5 in each 16th move, not 2 in each 4th, which is a quarter of
the published strength on average, for runs that are a hundred times shorter. Fewer channels and mapping layers. Style mixing
is off by default, as in the published settings for small images (arXiv:2006.06676 appendix D).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor, nn

from ganvas.core.capabilities import Conditional, Grows
from ganvas.core.game import Batch, Step, Terms
from ganvas.errors import UsageError
from ganvas.games.common.duel import Duel
from ganvas.games.common.family import Family, cosine
from ganvas.games.common.rules import Rules
from ganvas.games.common.style_based import StyleBased
from ganvas.layers.discriminator import DiscriminatorHead, DownBlock, select_class
from ganvas.layers.equalized import HE, EqualConv, leaky_relu
from ganvas.layers.mapping import Mapping, repeat_per_layer
from ganvas.layers.modulated_conv import ModulatedConv
from ganvas.layers.noise_input import NoiseInput
from ganvas.layers.resample import upsample_blur, upsample_nearest
from ganvas.layers.resolutions import list_resolutions
from ganvas.losses.penalties import path_lengths
from ganvas.utils.settings import require_within

PATH_DECAY = 0.01  # of the running mean of path lengths


@dataclass(frozen=True, kw_only=True)
class Config:
    """`width` channels at full resolution, twice as many at every halving, up to `max_width`.

    With `finest` G has so many channels at full resolution, and `width` at half of it; D takes 2x2 pixels as one.
    """

    resolution: int = 32
    finest: int = 0
    channels: int = 1
    latent_dim: int = 64  # of z and of w
    mapping: int = 2  # layers from z to w; 0: none
    width: int = 8
    max_width: int = 128
    noise: bool = True
    mixing: float = 0.0  # the share of fakes with style mixing
    path_length: float = 0.5  # weight of the path length regularization
    path_every: int = 16  # it is lazy: in each k-th move of G
    rules: Rules = Rules(r1_gamma=1.0, penalty_every=16)

    def __post_init__(self) -> None:
        require_within(self, "config.channels config.latent_dim config.width config.max_width config.path_every", 1)
        require_within(self, "config.mapping config.path_length config.finest", 0)
        require_within(self, "config.mixing", 0, 1)

    @property
    def widths(self) -> list[int]:
        """The channels of G at each resolution, from the largest."""
        levels = len(list_resolutions(self.resolution)) - (self.finest > 0)
        widths = [min(self.max_width, self.width * 2**level) for level in range(levels)]
        return [self.finest, *widths] if self.finest else widths


@dataclass(frozen=True, kw_only=True)
class ConditionalConfig(Config):
    """The settings of the conditional game."""

    classes: int = 10


class StyleLayer(nn.Module):
    """x [N, I, h, h] -> [N, O, side, side]: upsampled if it is smaller, modulated convolution, noise, bias, leaky ReLU."""

    def __init__(self, config: Config, inputs: int, outputs: int, side: int) -> None:
        super().__init__()
        self.side = side
        self.conv = ModulatedConv(config.latent_dim, inputs, outputs, 3, gain=HE)
        self.noise = NoiseInput(outputs, side) if config.noise else None
        self.bias = nn.Parameter(torch.zeros(outputs, 1, 1))

    def forward(self, x: Tensor, w: Tensor, noise: Tensor | None) -> Tensor:
        x = self.conv(x, w, up=x.shape[-1] < self.side)
        x = self.noise(x, noise) if self.noise is not None else x
        return leaky_relu(x + self.bias.to(x.dtype))


class Generator(nn.Module):
    """w [N, layers + 1, latent_dim], noise for each layer or None -> image [N, C, H, W]: the sum over all resolutions."""

    def __init__(self, config: Config, classes: int) -> None:
        super().__init__()
        self.sides, widths = list_resolutions(config.resolution)[::-1], config.widths[::-1]
        self.mapping = Mapping(config.latent_dim, config.mapping, classes)
        self.constant = nn.Parameter(torch.randn(1, widths[0], self.sides[0], self.sides[0]))
        plan = [(widths[0], widths[0], self.sides[0])]
        for side, (before, after) in zip(self.sides[1:], itertools.pairwise(widths), strict=True):
            plan += [(before, after, side), (after, after, side)]
        self.layers = nn.ModuleList(StyleLayer(config, *sizes) for sizes in plan)
        self.to_image = nn.ModuleList(
            ModulatedConv(config.latent_dim, width, config.channels, 1, demodulate=False) for width in widths
        )
        self.bias = nn.Parameter(torch.zeros(config.channels, 1, 1))

    def features(self, w: Tensor, noise: Sequence[Tensor] | None = None) -> Iterator[Tensor]:
        """The features [N, width, h, h] after each layer, in turn."""
        x = self.constant.expand(len(w), -1, -1, -1)
        for i, layer in enumerate(self.layers):
            x = layer(x, w[:, i], None if noise is None else noise[i])
            yield x

    def forward(self, w: Tensor, noise: Sequence[Tensor] | None = None, side: int = 0) -> Tensor:
        """`side` is the resolution at which to stop; 0: the last one."""
        image: Tensor = self.bias
        for i, x in enumerate(self.features(w, noise)):
            if i % 2 == 0:  # the last layer of its resolution
                part = self.to_image[i // 2](x, w[:, i + 1])
                image = part + (upsample_blur(image) if i else image.to(part.dtype))
                if x.shape[-1] == side:
                    break
        return image


class Discriminator(nn.Module):
    """image [N, C, H, W], c [N], several [N, k] or None -> logits [N] or [N, k]."""

    def __init__(self, config: Config, classes: int) -> None:
        super().__init__()
        widths, side = config.widths, list_resolutions(config.resolution)[-1]
        self.from_image: nn.Module = EqualConv(config.channels, widths[0], 1)
        if config.finest:
            widths = widths[1:]
            self.from_image = nn.Sequential(nn.PixelUnshuffle(2), EqualConv(4 * config.channels, widths[0], 3))
        self.stages = nn.Sequential(*(DownBlock(a, b, residual=True) for a, b in itertools.pairwise(widths)))
        # With classes: the logit of a class is a projection on the direction of the class.
        self.verdict = DiscriminatorHead(widths[-1], side, max(1, classes))

    def forward(self, image: Tensor, c: Tensor | None = None) -> Tensor:
        logits: Tensor = self.verdict(self.stages(leaky_relu(self.from_image(image))))
        return logits.squeeze(1) if c is None else select_class(logits, c)


class StyleGAN2(StyleBased, Grows):
    """A style-based generator and a residual discriminator."""

    config_type: ClassVar[type] = Config
    batch_means = ("path_mean",)
    path_mean: Tensor

    def __init__(self, config: Config) -> None:
        classes = getattr(config, "classes", 0)
        super().__init__(config, Generator(config, classes), Discriminator(config, classes))
        self.register_buffer("path_mean", torch.zeros(()))

    @property
    def styles(self) -> int:
        return len(self.G.layers) + 1

    @property
    def resolutions(self) -> tuple[int, ...]:
        return tuple(self.G.sides)

    def style_weights(self) -> tuple[Tensor, ...]:
        """For each layer the matrix from w to its style, [channels, latent_dim]; that of the last image at the end."""
        layers = [layer.conv for layer in self.G.layers] + [self.G.to_image[-1]]
        return tuple(layer.style.weight for layer in layers)

    def duel(self) -> Duel:
        return replace(super().duel(), g_extra=(self.regularize_paths,) if self.config.path_length else ())

    def regularize_paths(self, batch: Batch, step: Step) -> Terms:
        """Path length regularization on half a batch, if this move has it; always in float32."""
        if not step.is_due(self.config.path_every):
            return {}
        n, c = max(1, len(batch["real"]) // 2), self.condition(batch, step)
        c = None if c is None else c[::2][:n]  # the same samples however many ranks share the batch
        with torch.autocast(step.device.type, enabled=False):
            w = repeat_per_layer(self.map(step.normal(n, self.latent_dim), c), self.styles)
            image = self.synthesize(w)
            lengths = path_lengths(image, w, step.normal(*image.shape))
            with torch.no_grad():
                usual = torch.where(self.path_mean > 0, self.path_mean, lengths)
                self.path_mean.copy_(torch.lerp(usual, lengths, PATH_DECAY).mean())
            step.lazy["path"] = self.config.path_every
            return {"path": self.config.path_every * self.config.path_length * (lengths - usual).square().mean()}

    def sample_at(self, z: Tensor, resolution: int, c: Tensor | None = None) -> Tensor:
        """z [N, latent_dim], c -> image [N, C, H, W] of full size: the sum over the resolutions up to `resolution`.

        Raises:
            UsageError: the generator has no such resolution.
        """
        if resolution not in self.resolutions:
            raise UsageError(f"resolution: expected one of {', '.join(map(str, self.resolutions))}, got {resolution}")
        image: Tensor = self.G(repeat_per_layer(self.map(z, c), self.styles), side=resolution)
        return upsample_nearest(image, self.G.sides[-1])


class ConditionalStyleGAN2(StyleGAN2, Conditional):
    """A generator and a discriminator that both get the class."""

    config_type: ClassVar[type] = ConditionalConfig
    needs: ClassVar[tuple[str, ...]] = ("real", "label")


_recipe = Family("stylegan2", "Karras et al. 2020, arXiv:1912.04958", own_fit="pad")
_conditional = Family("stylegan2-conditional", _recipe.paper, own_fit="pad")
# Few channels at full resolution and more elsewhere; a high rate: with 6e-3 the distance after 66,000 images is 72, not 40.
_CLOTHES, _BY_CLASS = Config(finest=16, width=32), ConditionalConfig(finest=16, width=32)
_TRAIN = cosine(0.02, 300_000, 32, 1.5e-2, checkpoint_every=40_000)
_SHORT = cosine(0.1, 80_000, 16, 6e-3, checkpoint_every=40_000)
_OWN = Config(resolution=64, channels=3)
_OWN_CLASSES = ConditionalConfig(resolution=64, channels=3)
_SUBFOLDERS = "your own pictures, one sub-folder a class"

RECIPES = (
    _recipe("stylegan2-fashion", "fashion", 15, "clothes, with styles that scale the weights", _CLOTHES, _TRAIN),
    _conditional("stylegan2-fashion-conditional", "fashion", 15, "clothes on request, with styles", _BY_CLASS, _TRAIN),
    _recipe("stylegan2-images", "", 15, "a folder of your own pictures, with styles", _OWN, _SHORT),
    _conditional("stylegan2-images-conditional", "", 15, _SUBFOLDERS, _OWN_CLASSES, _SHORT),
)
