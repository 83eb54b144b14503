"""FastGAN: for few pictures and little time. Coarse features excite fine layers of G, and D also reconstructs.

G and D play at 32 pixels, where a step takes a third of the time of one at 64. A network that comes with ganvas and does not
learn here draws the samples again at twice the side, once or twice (`layers/redraw.py`). A run begins with weights that come
with ganvas, if its networks have their shapes: they learned from drawings, photographs and the earth what pictures look like,
so a quarter of an hour goes into what is special about the user's own (transfer: Wang et al. 2018, arXiv:1805.01677).

The features of G at 4, 8, ... pixels decide how strong the channels at 16, 32, ... are (skip-layer excitation): a short way
for the gradient, and the fine parts fit the coarse ones. D is residual. A small decoder draws the reals again from its features
(self-supervision): they must describe the whole picture, so D cannot win by one detail of each picture that it remembers.
Source: Liu et al. 2021, arXiv:2101.04775 sec. 3.

Differs (G): ReLU instead of gated linear units, which need twice as many channels. Bilinear interpolation. Few channels at full
resolution, and no more than 128 anywhere: layers of 64 to 128 channels and 16 to 32 pixels are the fast ones on a CPU.
Differs (D): R1 instead of batch and spectral normalization, the non-saturating loss instead of the hinge loss; it judges the
picture as a whole as well as by patches, and learns more slowly than G. The reconstruction is an absolute difference of
pixels, not of features of a trained network, of the whole picture only, and lazy. No augmentation until the balance asks for
it. With classes, reals with a wrong label are further fakes (Reed et al. 2016, arXiv:1605.05396 sec. 4.2): else half of the
samples would show another class.
Differs (both): they play at a half or a quarter of the resolution. Adam with beta1 0, a higher learning rate that falls to
zero, batches of 32 instead of 8: the runs are short.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganvas.core.capabilities import Conditional, Drafts, Projects
from ganvas.core.game import Batch, Step, Terms
from ganvas.errors import UsageError
from ganvas.games.common.adversarial_game import AdversarialGame
from ganvas.games.common.duel import Duel
from ganvas.games.common.family import Family, cosine
from ganvas.games.common.rules import Rules
from ganvas.layers.classes import class_weights
from ganvas.layers.flatten import Flatten
from ganvas.layers.minibatch_std import minibatch_std
from ganvas.layers.redraw import CODE_PIXELS, load_redraw
from ganvas.layers.resolutions import list_resolutions, list_widths
from ganvas.utils.settings import require_within
from ganvas.utils.shipped_weights import begin_with, read_shipped_weights

FILE = Path(__file__).parent / "networks" / "fastgan.safetensors"  # of `tools/train_fastgan.py`
SHA256 = "7f8e7963391d50d47385012bb8d3657d73d35f6bcfbb79e5a5bc079cc08ff7f8"
BEGINNING = "begins with weights that come with ganvas, of other pictures: --set config.pretrained=false for new ones"
ANEW = "begins with new weights: those that come with ganvas fit color pictures, and the widths and side of G of the recipe"
LARGER = ("G.first.", "D.score.", "D.local.2.")  # with classes: more inputs of G, and a logit for each
SLOPE = 0.2  # of the leaky ReLU
SMALLEST = 32  # pixels of a side of G


@dataclass(frozen=True, kw_only=True)
class Config:
    """`width` channels at half the resolution of G; doubled at each halving up to `max_width`. G has `finest` at the end.

    Samples are drawn again at twice the side, `redraw` times; not so often where G would have fewer than `SMALLEST` pixels, or
    a side that the network cannot take.
    """

    resolution: int = 64
    redraw: int = 2  # at most as often; 0: G and D have the full resolution
    pretrained: bool = True  # begin with the weights that come with ganvas, if they have the shapes of the networks
    channels: int = 3
    latent_dim: int = 64
    width: int = 64
    max_width: int = 128
    finest: int = 16
    head: int = 256  # width of the fully connected hidden layer of D
    excite: bool = True  # skip-layer excitation in G
    patches: bool = True  # D also judges patches, at 8 pixels
    reconstruct: float = 1.0  # weight of the reconstruction of the reals by D; 0: none
    reconstruct_every: int = 4  # it is lazy: in each k-th move of D
    rules: Rules = Rules(r1_gamma=0.4, penalty_every=4, full_precision=False)

    def __post_init__(self) -> None:
        require_within(self, "config.channels config.latent_dim config.width config.max_width config.finest config.head", 1)
        require_within(self, "config.reconstruct_every", 1)
        require_within(self, "config.redraw", 0)
        require_within(self, "config.reconstruct", 0)

    @property
    def widths(self) -> list[int]:
        """The channels at each resolution, from half the side of G to the smallest.

        Raises:
            UsageError: the resolution cannot be halved, or not twice.
        """
        found = list_widths(self.side, self.width, self.max_width)
        if len(found) < 2:
            raise UsageError(f"resolution {self.resolution} is too small for FastGAN; use 16, 28, 32 or 64")
        return found

    @property
    def side(self) -> int:
        """The side of the pictures that G makes and D sees, in pixels. Raises: UsageError: the resolution cannot be halved."""
        side = list_resolutions(self.resolution)[0]  # checked here, so that the message has the side that the user knows
        for _ in range(self.redraw):
            if side % (2 * CODE_PIXELS) == 0 and side // 2 >= SMALLEST:
                side //= 2
        return side


@dataclass(frozen=True, kw_only=True)
class ConditionalConfig(Config):
    """The settings of the conditional game."""

    classes: int = 10
    rules: Rules = replace(Config.rules, mismatch=1.0)


def _mix(inputs: int, outputs: int) -> list[nn.Module]:
    """A 3x3 convolution, batch normalization and ReLU."""
    return [nn.Conv2d(inputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]


def _up(inputs: int, outputs: int) -> list[nn.Module]:
    """Twice the resolution: a 1x1 convolution, bilinear interpolation, then `_mix`."""
    wider = nn.Upsample(scale_factor=2, mode="bilinear")
    return [nn.Conv2d(inputs, outputs, 1, bias=False), wider, *_mix(outputs, outputs)]


class Excitation(nn.Module):
    """coarse [N, I, h, h], fine [N, O, H, H] -> fine, each channel times a factor in [0, 1]. Source: sec. 3.1, eq. 1."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        squeeze = [nn.AdaptiveAvgPool2d(4), nn.Conv2d(inputs, outputs, 4), nn.LeakyReLU(0.1)]
        self.factors = nn.Sequential(*squeeze, nn.Conv2d(outputs, outputs, 1), nn.Sigmoid())

    def forward(self, coarse: Tensor, fine: Tensor) -> Tensor:
        excited: Tensor = fine * self.factors(coarse)
        return excited


class Generator(nn.Module):
    """z [N, latent_dim], c [N], shares [N, classes] or None -> image [N, C, h, h] in [-1, 1], h = `config.side`."""

    def __init__(self, config: Config, classes: int) -> None:
        super().__init__()
        self.classes = classes
        side, widths = list_resolutions(config.side)[-1], [*config.widths[::-1], config.finest]
        self.base = (widths[0], side, side)
        self.first = nn.Linear(config.latent_dim + classes, widths[0] * side**2, bias=False)
        self.start = nn.Sequential(nn.BatchNorm2d(widths[0]), nn.ReLU(inplace=True), *_mix(widths[0], widths[0]))
        stages = [nn.Sequential(*_up(a, b), *_mix(b, b)) for a, b in itertools.pairwise(widths[:-1])]
        # At full resolution few channels and one convolution: every pass over so many pixels takes time.
        self.stages = nn.ModuleList([*stages, nn.Sequential(*_up(widths[-2], widths[-1]))])
        pairs = zip(widths, widths[2:], strict=False) if config.excite else ()
        self.excitations = nn.ModuleList(Excitation(coarse, fine) for coarse, fine in pairs)
        self.end = nn.Conv2d(config.finest, config.channels, 3, 1, 1)

    def forward(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        z = z if c is None else torch.cat([z, class_weights(c, self.classes, z.dtype)], 1)
        maps = [self.start(self.first(z).unflatten(1, self.base))]  # the plan of the run chooses the memory format
        for number, stage in enumerate(self.stages):
            x = stage(maps[-1])
            # The features two stages before decide how strong each channel is.
            maps.append(self.excitations[number - 1](maps[number - 1], x) if number and self.excitations else x)
        return torch.tanh(self.end(maps[-1]))


class Down(nn.Module):
    """x [N, I, H, W] -> [N, O, H/2, W/2]: two convolutions, and one of the averaged x beside them. Source: sec. 3.2."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        steps = [nn.Conv2d(inputs, outputs, 4, 2, 1), nn.LeakyReLU(SLOPE), nn.Conv2d(outputs, outputs, 3, 1, 1)]
        self.main = nn.Sequential(*steps, nn.LeakyReLU(SLOPE))
        self.direct = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(inputs, outputs, 1), nn.LeakyReLU(SLOPE))

    def forward(self, x: Tensor) -> Tensor:
        both: Tensor = self.main(x) + self.direct(x)
        return both * math.sqrt(0.5)


def _stem(channels: int, width: int) -> nn.Sequential:
    """image [N, C, 2h, 2h] -> features [N, width, h, h]: 2x2 pixels are one pixel of four times the channels."""
    return nn.Sequential(nn.PixelUnshuffle(2), nn.Conv2d(4 * channels, width, 3, 1, 1), nn.LeakyReLU(SLOPE))


class Discriminator(nn.Module):
    """image [N, C, h, h], h = `config.side`, c [N] or None -> logits [N] of the whole; with `patches` also of patches [N, K].

    With classes there is a logit for each, and c chooses; for several classes c [N, k] logits are [N, k] and [N, k, K].
    """

    def __init__(self, config: Config, classes: int) -> None:
        super().__init__()
        side, widths = list_resolutions(config.side)[-1], config.widths
        self.stem = _stem(config.channels, widths[0])
        downs = [Down(before, after) for before, after in itertools.pairwise(widths)]
        self.trunk = nn.Sequential(*downs[:-1])
        self.deep = downs[-1]
        self.mix = nn.Sequential(nn.Conv2d(widths[-1] + 1, widths[-1], 3, 1, 1), nn.LeakyReLU(SLOPE))
        self.gather = nn.Sequential(Flatten(), nn.Linear(widths[-1] * side**2, config.head), nn.LeakyReLU(SLOPE))
        self.score = nn.Linear(config.head, max(1, classes))
        local = [nn.Conv2d(widths[-2], widths[-2], 1), nn.LeakyReLU(SLOPE), nn.Conv2d(widths[-2], max(1, classes), 3)]
        self.local = nn.Sequential(*local) if config.patches else None

    def forward(self, image: Tensor, c: Tensor | None = None) -> tuple[Tensor, ...]:
        features = self.trunk(self.stem(image))
        logits = [self.score(self.gather(self.mix(minibatch_std(self.deep(features)))))]
        if self.local is not None:
            logits.append(self.local(features).flatten(2))
        return tuple(each.squeeze(1) if c is None else _select(each, c) for each in logits)

    def encode(self, image: Tensor) -> Tensor:
        """The features [N, width, 4, 4] from which the decoder draws the image again."""
        features: Tensor = self.deep(self.trunk(self.stem(image)))
        return features


def shrink(image: Tensor, side: int) -> Tensor:
    """image [N, C, H, W] -> at most `side` pixels, the means of squares."""
    return image if image.shape[-1] <= side else F.avg_pool2d(image, image.shape[-1] // side)


def _select(logits: Tensor, c: Tensor) -> Tensor:
    """logits [N, classes] or [N, classes, K], c [N] or [N, k] -> the logits of c: [N], [N, k], [N, K] or [N, k, K]."""
    rows = torch.arange(len(c), device=c.device)
    return logits[rows.view(-1, *[1] * (c.ndim - 1)), c]


def _decoder(config: Config) -> nn.Sequential:
    """Features of D [N, width, 4, 4] -> image [N, C, h, h] in [-1, 1], h = `config.side`."""
    widths = [max(32, width // 2) for width in config.widths[::-1]]
    widths[0] = config.widths[-1]
    steps = [layer for before, after in itertools.pairwise(widths) for layer in _up(before, after)]
    last = nn.Conv2d(widths[-1], 4 * config.channels, 3, 1, 1)
    return nn.Sequential(*steps, last, nn.PixelShuffle(2), nn.Tanh())


def _initialize(module: nn.Module) -> None:
    """Weights of D that keep the variance through the leaky ReLU; no bias."""
    if isinstance(module, (nn.Conv2d, nn.Linear)):
        nn.init.kaiming_normal_(module.weight, SLOPE)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


class FastGAN(AdversarialGame, Drafts, Projects):
    """A generator with skip-layer excitation against a discriminator that also reconstructs."""

    config_type: ClassVar[type] = Config
    players: ClassVar[dict[str, tuple[str, ...]]] = {"D": ("D", "decoder"), "G": ("G",)}
    kept_apart: ClassVar[tuple[str, ...]] = ("D", "decoder")

    def __init__(self, config: Config) -> None:
        classes = getattr(config, "classes", 0)
        super().__init__(config, Generator(config, classes), Discriminator(config, classes).apply(_initialize))
        self.decoder = _decoder(config) if config.reconstruct else nn.Identity()
        if config.pretrained and not self.G.first.weight.is_meta:  # else a bundle brings the weights
            fits = begin_with(self, read_shipped_weights(FILE, SHA256), larger=LARGER)
            self.beginning = BEGINNING if fits else ANEW
        self.redraw = load_redraw() if config.side < config.resolution else nn.Identity()

    def make_fakes(self, batch: Batch, step: Step) -> Tensor:
        z = step.normal(len(batch["real"]), self.latent_dim)
        image: Tensor = self.G(z, *self.arguments(self.condition(batch, step)))
        return image

    def read_real(self, batch: Batch, _: Step) -> Tensor:
        """The reals at the side of G."""
        return self.to_draft(batch["real"])

    def sample(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """z [N, latent_dim], c -> image [N, C, H, W] in [-1, 1], of the full resolution."""
        image = self.draft(z, c)
        while image.shape[-1] < self.config.resolution:
            image = self.redraw(image)
        return image

    def to_draft(self, x: Tensor) -> Tensor:
        """image [N, C, H, W] -> [N, C, h, h], h = `config.side`."""
        return shrink(x, self.config.side)

    def draft(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """z [N, latent_dim], c -> image [N, C, h, h] of G, h = `config.side`."""
        image: Tensor = self.G(z, *self.arguments(c))
        return image

    def judge(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """image [N, C, H, W], c [N] if the game is conditional -> logits [N] of the whole image."""
        return self.judge_scales(self.to_draft(x), c)[0]

    def judge_scales(self, x: Tensor, c: Tensor | None = None) -> Sequence[Tensor]:
        """image [N, C, h, h] at the side of G, c -> logits [N] of the whole image, and [N, K] of its patches."""
        scales: Sequence[Tensor] = self.D(x, *self.arguments(c))
        return scales

    def duel(self) -> Duel:
        extra = (self.reconstruct,) if self.config.reconstruct else ()
        return replace(super().duel(), real=self.read_real, judge=self.judge_scales, d_extra=extra)

    def reconstruct(self, batch: Batch, step: Step) -> Terms:
        """The reconstruction of the reals, as D sees them, if this move has it. Source: arXiv:2101.04775 eq. 2."""
        if not step.is_due(self.config.reconstruct_every):
            return {}
        real = self.duel().view(self.read_real(batch, step), step)
        again = self.decoder(self.D.encode(real))
        step.lazy["reconstruction"] = self.config.reconstruct_every
        weight = self.config.reconstruct_every * self.config.reconstruct
        return {"reconstruction": weight * F.l1_loss(again.float(), shrink(real.float(), again.shape[-1]))}

    def projection(self) -> Tensor:
        """The first weight matrix that multiplies z, [features, latent_dim]."""
        weight: Tensor = self.G.first.weight
        return weight[:, : self.latent_dim]


class ConditionalFastGAN(FastGAN, Conditional):
    """A generator and a discriminator that both get the class."""

    config_type: ClassVar[type] = ConditionalConfig
    needs: ClassVar[tuple[str, ...]] = ("real", "label")


_recipe = Family("fastgan", "Liu et al. 2021, arXiv:2101.04775")
_conditional = Family("fastgan-conditional", _recipe.paper)
# At the rate of G the loss of D, which has no normalization, explodes after some hundred moves.
_TRAIN = cosine(0.0, 240_000, 32, 1e-3, rates={"D": 0.4}, checkpoint_every=40_000)
_SUBFOLDERS = "your own pictures on request, one sub-folder a class"

RECIPES = (
    _recipe("fastgan-images", "", 15, "a folder of your own pictures, also of few", Config(), _TRAIN),
    _conditional("fastgan-images-conditional", "", 15, _SUBFOLDERS, ConditionalConfig(), _TRAIN),
)
