"""StyleGAN: a mapping network z -> w, and adaptive instance normalization (AdaIN) by w in every layer.

The mapping network unwarps the distribution of z. The image starts from a learnt constant, and AdaIN applies the styles,
coarse layers first. Noise inputs add stochastic detail. Style mixing regularization (two styles in one image, with a random
crossover layer) decorrelates the layers. Non-saturating loss and R1. Source: Karras et al. 2019, arXiv:1812.04948.

Each part can be switched off (table 1 of the paper): `mapping=0`, `noise=false`, `mixing=0`, `constant=false`,
`styled=false`; of the parts from ProGAN `deviation=false` and `equalised=false`.

Differs: no progressive growing, which 32 pixels do not need; R1 is lazy, each 16th step; fewer channels and mapping layers.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from ganvas.games.common.family import Family, cosine
from ganvas.games.common.rules import Rules
from ganvas.games.common.style_based import StyleBased
from ganvas.layers.discriminator import DiscriminatorHead, DownBlock
from ganvas.layers.equalized import EqualConv, EqualLinear, leaky_relu, plain_weights
from ganvas.layers.mapping import Mapping
from ganvas.layers.noise_input import NoiseInput
from ganvas.layers.normalization import AdaIN, pixel_norm
from ganvas.layers.resample import upsample_blur
from ganvas.layers.resolutions import list_resolutions
from ganvas.utils.settings import require_within


@dataclass(frozen=True, kw_only=True)
class Config:
    """`width` channels at full resolution, twice as many at every halving, up to `max_width`."""

    resolution: int = 32
    channels: int = 1
    latent_dim: int = 64  # of z and of w
    mapping: int = 4  # layers from z to w; 0: none
    width: int = 8
    max_width: int = 128
    noise: bool = True
    mixing: float = 0.9  # the share of fakes with style mixing
    constant: bool = True  # the image starts from a learnt constant, not from w
    styled: bool = True  # AdaIN by w in every layer; otherwise the image starts from w, with pixel norm in every layer
    deviation: bool = True  # minibatch standard deviation in the discriminator
    equalised: bool = True  # equalized learning rate
    rules: Rules = Rules(r1_gamma=1.0, penalty_every=16)

    def __post_init__(self) -> None:
        require_within(self, "config.channels config.latent_dim config.width config.max_width", 1)
        require_within(self, "config.mapping", 0)
        require_within(self, "config.mixing", 0, 1)

    @property
    def widths(self) -> list[int]:
        """The channels at each resolution, from the largest."""
        return [min(self.max_width, self.width * 2**level) for level in range(len(list_resolutions(self.resolution)))]


class StyleLayer(nn.Module):
    """x [N, I, h, h] -> [N, O, side, side]: upsampled if it is smaller, then convolution, noise, leaky ReLU, AdaIN."""

    def __init__(self, config: Config, inputs: int, outputs: int, side: int) -> None:
        super().__init__()
        self.side = side
        self.conv = EqualConv(inputs, outputs, 3) if inputs else None  # the first layer has no convolution
        self.noise = NoiseInput(outputs, side) if config.noise else None
        self.adain = AdaIN(config.latent_dim, outputs) if config.styled else None

    def forward(self, x: Tensor, w: Tensor, noise: Tensor | None) -> Tensor:
        x = upsample_blur(x) if x.shape[-1] < self.side else x
        x = self.conv(x) if self.conv is not None else x
        x = self.noise(x, noise) if self.noise is not None else x
        return pixel_norm(leaky_relu(x)) if self.adain is None else self.adain(leaky_relu(x), w)


class Generator(nn.Module):
    """w [N, layers, latent_dim], noise for each layer or None -> image [N, C, H, W], unbounded."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        steps, widths = list_resolutions(config.resolution)[::-1], config.widths[::-1]
        self.mapping = Mapping(config.latent_dim, config.mapping)
        self.base = (widths[0], steps[0], steps[0])
        constant = config.constant and config.styled  # without styles only the start can depend on w
        self.constant = nn.Parameter(torch.ones(1, *self.base)) if constant else None
        self.start = None if constant else EqualLinear(config.latent_dim, widths[0] * steps[0] ** 2)
        plan = [(0, widths[0], steps[0]), (widths[0], widths[0], steps[0])]
        for side, (before, after) in zip(steps[1:], itertools.pairwise(widths), strict=True):
            plan += [(before, after, side), (after, after, side)]
        self.layers = nn.ModuleList(StyleLayer(config, *sizes) for sizes in plan)
        self.to_image = EqualConv(widths[-1], config.channels, 1, gain=1.0)

    def features(self, w: Tensor, noise: Sequence[Tensor] | None = None) -> Iterator[Tensor]:
        """The features [N, width, h, h] after each layer, in turn."""
        if self.constant is not None:
            x = self.constant.repeat(len(w), 1, 1, 1)
        elif self.start is not None:
            x = self.start(w[:, 0]).unflatten(1, self.base)
        for i, layer in enumerate(self.layers):
            x = layer(x, w[:, i], None if noise is None else noise[i])
            yield x

    def forward(self, w: Tensor, noise: Sequence[Tensor] | None = None) -> Tensor:
        *_, last = self.features(w, noise)
        image: Tensor = self.to_image(last)
        return image


class Discriminator(nn.Module):
    """image [N, C, H, W] -> logits [N]."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        widths, side = config.widths, list_resolutions(config.resolution)[-1]
        self.from_image = EqualConv(config.channels, widths[0], 1)
        self.stages = nn.Sequential(*(DownBlock(a, b) for a, b in itertools.pairwise(widths)))
        self.verdict = DiscriminatorHead(widths[-1], side, deviation=config.deviation)

    def forward(self, image: Tensor) -> Tensor:
        logits: Tensor = self.verdict(self.stages(leaky_relu(self.from_image(image)))).squeeze(1)
        return logits


class StyleGAN(StyleBased):
    """A style-based generator and a discriminator."""

    config_type = Config

    def __init__(self, config: Config) -> None:
        super().__init__(config, Generator(config), Discriminator(config))
        if not config.equalised:
            plain_weights(self)

    def style_weights(self) -> tuple[Tensor, ...]:
        """For each layer the matrix from w to its style, [2 channels, latent_dim]: scales, then shifts.

        Without styles, the matrix from w to the start, [features, latent_dim].
        """
        if self.G.start is not None and not self.config.styled:
            return (self.G.start.weight,)
        return tuple(layer.adain.style.weight for layer in self.G.layers)


_recipe = Family("stylegan", "Karras et al. 2019, arXiv:1812.04948", own_fit="pad")
_OWN = Config(resolution=64, channels=3)
_TRAIN = cosine(0.1, 240_000, 16, 6e-3, checkpoint_every=40_000)
_SHORT = replace(_TRAIN, images=80_000)

RECIPES = (
    _recipe("stylegan-fashion", "fashion", 13, "clothes, with a style for every layer", Config(), _TRAIN),
    _recipe("stylegan-images", "", 15, "a folder of your own pictures, with a style for every layer", _OWN, _SHORT),
)
