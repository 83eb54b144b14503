"""DCGAN: the rules that made convolutional GANs train.

No pooling and no hidden fully connected layer; BatchNorm everywhere but at G's output and D's input; ReLU and tanh in G,
leaky ReLU in D; weights from N(0, 0.02); Adam 2e-4 with beta1 0.5; batch 128; z of 100.
Source: Radford et al. 2016, arXiv:1511.06434 sec. 3-4.

Differs: D's BatchNorm is left out where a slope penalty is asked for, which it would blur across samples
(arXiv:1704.00028 sec. 4). D may have a hidden layer that sees the picture whole (`config.head`), G a sub-pixel end
(`config.subpixel`): two recipes use one or both. Sides of 28 start from 7x7 instead of 4x4. Narrower than the paper's
1024-channel networks.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

from torch import Tensor, nn

from ganvas.config import Adam, DataConfig, Ramp, Recipe, TrainConfig, within
from ganvas.game import Batch, Game, Step, Turn
from ganvas.games.adversarial import Duel, Rules
from ganvas.layers.pyramid import sides, subpixel


@dataclass(frozen=True, kw_only=True)
class Config:
    """`width` is the number of channels at the largest inner side; it doubles at every halving, up to `max_width`."""

    resolution: int = 28
    channels: int = 1
    latent_dim: int = 100
    width: int = 32
    max_width: int = 512
    subpixel: bool = False  # G's last doubling with one convolution more
    head: int = 0  # width of a hidden layer in D that sees the picture whole; the paper has none
    rules: Rules = Rules()

    def __post_init__(self) -> None:
        within(self, "config.channels config.latent_dim config.width config.max_width", 1)
        within(self, "config.head", 0)


def _generator(config: Config) -> nn.Sequential:
    """z [N, latent_dim, 1, 1] -> image [N, C, H, W] in [-1, 1]."""
    steps = sides(config.resolution)
    widths = [min(config.max_width, config.width * 2**level) for level in range(len(steps) - 1)][::-1]
    layers: list[nn.Module] = [nn.ConvTranspose2d(config.latent_dim, widths[0], steps[-1], bias=False)]
    for before, after in itertools.pairwise(widths):
        layers += [nn.BatchNorm2d(before), nn.ReLU(inplace=True), nn.ConvTranspose2d(before, after, 4, 2, 1, bias=False)]
    layers += [nn.BatchNorm2d(widths[-1]), nn.ReLU(inplace=True)]
    if config.subpixel:
        end = subpixel(widths[-1], config.channels)
    else:
        end = [nn.ConvTranspose2d(widths[-1], config.channels, 4, 2, 1)]
    return nn.Sequential(*layers, *end, nn.Tanh())


def _critic(config: Config) -> nn.Sequential:
    """image [N, C, H, W] -> one logit each."""
    steps = sides(config.resolution)
    widths = [config.channels] + [min(config.max_width, config.width * 2**level) for level in range(len(steps) - 1)]
    norm = not config.rules.penalised
    layers: list[nn.Module] = []
    for level, (before, after) in enumerate(itertools.pairwise(widths)):
        layers.append(nn.Conv2d(before, after, 4, 2, 1, bias=level == 0 or not norm))
        if level and norm:
            layers.append(nn.BatchNorm2d(after))
        layers.append(nn.LeakyReLU(0.2, inplace=True))
    if not config.head:
        return nn.Sequential(*layers, nn.Conv2d(widths[-1], 1, steps[-1]))
    whole = nn.Linear(widths[-1] * steps[-1] ** 2, config.head)
    return nn.Sequential(*layers, nn.Flatten(), whole, nn.LeakyReLU(0.2), nn.Linear(config.head, 1))


def _initialise(module: nn.Module) -> None:
    """Weights from N(0, 0.02), BatchNorm scales from N(1, 0.02). Source: arXiv:1511.06434 sec. 4."""
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)


class DCGAN(Game):
    """An all-convolutional artist and critic."""

    config_type = Config
    needs = ("real",)
    players = {"D": ("D",), "G": ("G",)}  # noqa: RUF012
    averaged = ("G",)

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.G, self.D = _generator(config).apply(_initialise), _critic(config).apply(_initialise)
        if config.rules.scoring.g_sees_reals:
            self.D[-1].register_parameter("bias", None)  # a common shift of all logits changes no relativistic loss

    @property
    def latent_dim(self) -> int:
        return int(self.config.latent_dim)

    def turns(self) -> tuple[Turn, ...]:
        together = self.config.rules.penalised  # else D has BatchNorm, and reals and fakes are separate batches
        return Duel(self.config.rules, self.fakes, self.judge, self.D, together).turns()

    def fakes(self, batch: Batch, step: Step) -> Tensor:
        return self.sample(step.normal(len(batch["real"]), self.latent_dim))

    def sample(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """z [N, latent_dim] -> image [N, C, H, W] in [-1, 1]."""
        image: Tensor = self.G(z[:, :, None, None])
        return image

    def projection(self) -> Tensor:
        """The first matrix that z meets, [features, latent_dim]."""
        weight: Tensor = self.G[0].weight  # type: ignore[assignment]
        return weight.flatten(1).T

    def judge(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """image [N, C, H, W] -> logits [N]."""
        logits: Tensor = self.D(x).flatten()
        return logits


def _recipe(name: str, source: str, minutes: float, about: str, config: Config, train: TrainConfig) -> Recipe:
    return Recipe(
        name=name,
        game="dcgan",
        config=config,
        data=DataConfig(source=source),
        train=train,
        paper="Radford et al. 2016, arXiv:1511.06434",
        minutes=minutes,
        about=about,
    )


_TRAIN = TrainConfig(images=200_000, batch=128, learning_rate=2e-4, checkpoint_every=40_000)

# Under the relativistic loss with R1 and R2 (arXiv:2501.05441), and at a higher rate, no class is lost.
_PAIRED = replace(
    _TRAIN,
    images=800_000,
    batch=64,
    learning_rate=2e-3,
    schedule=Ramp(end=0.02, shape="cosine"),
    adam=Adam(beta1=0.0, beta2=0.99),
    average_halflife=6_000,
)

_RULES = Rules(objective="relativistic", r1_gamma=0.3, r2_gamma=0.3, penalty_every=4)

RECIPES = (
    _recipe("dcgan-mnist", "mnist", 3, "handwritten digits without labels", Config(), _TRAIN),
    _recipe("dcgan-fashion", "fashion", 3, "clothes without labels", Config(), _TRAIN),
    _recipe(
        "dcgan-mnist-paired",
        "mnist",
        5,
        "all ten digits, without labels",
        Config(latent_dim=32, subpixel=True, head=256, rules=_RULES),
        replace(_PAIRED, images=360_000, learning_rate=3e-3),
    ),
    _recipe(
        "dcgan-stacked",
        "stacked",
        15,
        "three digits in one picture: all 1,000 modes",
        Config(channels=3, head=256, rules=_RULES),
        _PAIRED,
    ),
    _recipe("dcgan-images", "", 15, "a folder of your own pictures", Config(resolution=64, channels=3, max_width=256), _TRAIN),
)
