"""DCGAN: architecture rules with which convolutional GANs train.

No pooling and no fully connected hidden layer; BatchNorm everywhere except at the output of G and the input of D; ReLU and
tanh in G, leaky ReLU in D; weights from N(0, 0.02); Adam 2e-4 with beta1 0.5; batch 128; z of 100.
Source: Radford et al. 2016, arXiv:1511.06434 sec. 3-4.

Differs: D has no BatchNorm if there is a gradient penalty, because BatchNorm mixes the gradients of samples (arXiv:1704.00028
sec. 4). D may have a fully connected hidden layer (`config.head`), and G a sub-pixel convolution at the end
(`config.subpixel`): two recipes use one or both. Images of 28 pixels start from 7x7 instead of 4x4. Networks are narrower
than those of the paper, with 1024 channels.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

from torch import Tensor, nn

from ganvas.config import TrainConfig
from ganvas.core.capabilities import Projects
from ganvas.games.common.adversarial_game import AdversarialGame
from ganvas.games.common.duel import Duel
from ganvas.games.common.family import Family, cosine
from ganvas.games.common.rules import Rules
from ganvas.layers.flatten import Flatten
from ganvas.layers.resolutions import list_resolutions, list_widths, subpixel_layers
from ganvas.utils.settings import require_within


@dataclass(frozen=True, kw_only=True)
class Config:
    """`width` channels at half the resolution; doubled at each halving up to `max_width`."""

    resolution: int = 28
    channels: int = 1
    latent_dim: int = 100
    width: int = 32
    max_width: int = 512
    subpixel: bool = False  # G ends with a sub-pixel convolution, which is one more layer
    head: int = 0  # width of a fully connected hidden layer of D; 0: none, as in the paper
    rules: Rules = Rules()

    def __post_init__(self) -> None:
        require_within(self, "config.channels config.latent_dim config.width config.max_width", 1)
        require_within(self, "config.head", 0)


def _generator(config: Config) -> nn.Sequential:
    """z [N, latent_dim, 1, 1] -> image [N, C, H, W] in [-1, 1]."""
    channels = list_widths(config.resolution, config.width, config.max_width)[::-1]
    first = nn.ConvTranspose2d(config.latent_dim, channels[0], list_resolutions(config.resolution)[-1], bias=False)
    layers: list[nn.Module] = [first]
    for before, after in itertools.pairwise(channels):
        layers += [nn.BatchNorm2d(before), nn.ReLU(inplace=True), nn.ConvTranspose2d(before, after, 4, 2, 1, bias=False)]
    layers += [nn.BatchNorm2d(channels[-1]), nn.ReLU(inplace=True)]
    if config.subpixel:
        end = subpixel_layers(channels[-1], config.channels)
    else:
        end = [nn.ConvTranspose2d(channels[-1], config.channels, 4, 2, 1)]
    return nn.Sequential(*layers, *end, nn.Tanh())


def _discriminator(config: Config) -> nn.Sequential:
    """image [N, C, H, W] -> logits [N, 1, 1, 1], or [N, 1] with `head`."""
    side = list_resolutions(config.resolution)[-1]
    channels = [config.channels, *list_widths(config.resolution, config.width, config.max_width)]
    norm = not config.rules.penalized
    layers: list[nn.Module] = []
    for level, (before, after) in enumerate(itertools.pairwise(channels)):
        layers.append(nn.Conv2d(before, after, 4, 2, 1, bias=level == 0 or not norm))
        if level and norm:
            layers.append(nn.BatchNorm2d(after))
        layers.append(nn.LeakyReLU(0.2, inplace=True))
    if not config.head:
        return nn.Sequential(*layers, nn.Conv2d(channels[-1], 1, side))
    whole = nn.Linear(channels[-1] * side**2, config.head)
    return nn.Sequential(*layers, Flatten(), whole, nn.LeakyReLU(0.2), nn.Linear(config.head, 1))


def _initialize(module: nn.Module) -> None:
    """Weights from N(0, 0.02), BatchNorm scales from N(1, 0.02). Source: arXiv:1511.06434 sec. 4."""
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)


class DCGAN(AdversarialGame, Projects):
    """A generator and a discriminator of convolutions only."""

    config_type = Config

    def __init__(self, config: Config) -> None:
        super().__init__(config, _generator(config).apply(_initialize), _discriminator(config).apply(_initialize))
        if config.rules.scoring.g_sees_reals:
            self.D[-1].register_parameter("bias", None)  # a constant on all logits does not change a relativistic loss

    def duel(self) -> Duel:
        # Without a gradient penalty D has BatchNorm, so reals and fakes must be separate batches.
        return replace(super().duel(), together=self.together and self.rules.penalized)

    def sample(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """z [N, latent_dim] -> image [N, C, H, W] in [-1, 1]."""
        return super().sample(z[:, :, None, None])

    def projection(self) -> Tensor:
        """The first weight matrix that multiplies z, [features, latent_dim]."""
        weight: Tensor = self.G[0].weight
        return weight.flatten(1).T

    def judge(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """image [N, C, H, W] -> logits [N]."""
        return super().judge(x).flatten()


_recipe = Family("dcgan", "Radford et al. 2016, arXiv:1511.06434")
_TRAIN = TrainConfig(images=200_000, batch=128, learning_rate=2e-4, checkpoint_every=40_000)

# With the relativistic loss, R1 and R2 (arXiv:2501.05441), and a higher learning rate, no class is lost.
_RULES = Rules(objective="relativistic", r1_gamma=0.3, r2_gamma=0.3, penalty_every=4)
_PAIRED = Config(latent_dim=32, subpixel=True, head=256, rules=_RULES)
_STACKED = Config(channels=3, head=256, rules=_RULES)
_LONG = {"average_halflife": 6_000, "checkpoint_every": 40_000}
_OWN = Config(resolution=64, channels=3, max_width=256)

RECIPES = (
    _recipe("dcgan-mnist", "mnist", 3, "handwritten digits without labels", Config(), _TRAIN),
    _recipe("dcgan-fashion", "fashion", 3, "clothes without labels", Config(), _TRAIN),
    _recipe(
        "dcgan-mnist-paired",
        "mnist",
        5,
        "handwritten digits without labels, and all ten of them: D compares reals with fakes",
        _PAIRED,
        cosine(0.02, 360_000, 64, 3e-3, **_LONG),
    ),
    _recipe(
        "dcgan-fashion-paired",
        "fashion",
        10,
        "clothes without labels, of every kind: D compares reals with fakes",
        _PAIRED,
        cosine(0.02, 850_000, 64, 3e-3, **_LONG),
    ),
    _recipe(
        "dcgan-stacked",
        "stacked",
        15,
        "three digits in one image: all 1,000 modes",
        _STACKED,
        cosine(0.02, 800_000, 64, 2e-3, **_LONG),
    ),
    _recipe("dcgan-images", "", 15, "a folder of your own pictures", _OWN, _TRAIN),
)
