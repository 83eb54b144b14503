"""CoGAN (coupled GANs): pairs of images in two domains, learnt without paired data.

Each domain has a generator and a discriminator. The generators share their first layers (the content), the discriminators
share their last layers. The sum of both games is played,

    min over G1, G2  max over D1, D2  of  V(D1, G1) + V(D2, G2),

and the domains have different training images (data/computed_domains.py). One z through both generators gives a pair, because
the shared layers give the same features to both. Source: Liu & Tuzel 2016, arXiv:1606.07536 eq. 3-6, sec. 4.

Differs: the layers that are not shared start as copies, so that pairs are similar from the start. The domain is the class of
a conditional game, and selects these layers; any number of domains is possible. In training every fake has its own noise: the
losses are sums over the marginals of the domains, so the expected gradient is the same. Networks and objective are those of
`cgan`, which need a tenth of the 3.2 million images of the paper.
"""

from __future__ import annotations

import copy
import itertools
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ganvas.core.capabilities import Couples, Projects
from ganvas.games.common.adversarial_game import AdversarialGame
from ganvas.games.common.family import Family, cosine
from ganvas.games.common.rules import Rules
from ganvas.layers.flatten import Flatten
from ganvas.layers.resolutions import list_resolutions, list_widths
from ganvas.utils.settings import require_within


@dataclass(frozen=True, kw_only=True)
class Config:
    """`width` channels of G and `critic_width` of D at half the resolution; doubled at each halving up to `max_width`.

    `shared_g` first layers of G and `shared_d` last ones of D are shared by all domains; None: all but one.
    """

    resolution: int = 28
    channels: int = 1
    classes: int = 2  # domains
    latent_dim: int = 24
    width: int = 32
    critic_width: int = 24
    max_width: int = 128
    fine: int = 16  # channels of G at full resolution: the input of the last layer, which is not shared
    head: int = 128  # width of the fully connected hidden layer of D
    shared_g: int | None = None
    shared_d: int | None = None
    rules: Rules = Rules(r1_gamma=0.05, penalty_every=4)

    def __post_init__(self) -> None:
        require_within(self, "config.channels config.classes config.latent_dim config.head", 1)
        require_within(self, "config.width config.critic_width config.max_width config.fine", 1)
        for name in ("shared_g", "shared_d"):
            if getattr(self, name) is not None:
                require_within(self, f"config.{name}", 0, len(list_resolutions(self.resolution)))  # all layers but one


def _generator(config: Config) -> list[nn.Module]:
    """The layers of G, first to last: z [N, latent_dim] -> image [N, C, H, W] in [-1, 1]."""
    side, channels = (
        list_resolutions(config.resolution)[-1],
        list_widths(config.resolution, config.width, config.max_width)[::-1],
    )
    layers: list[nn.Module] = [
        nn.Sequential(
            nn.Linear(config.latent_dim, channels[0] * side**2, bias=False),
            nn.Unflatten(1, (channels[0], side, side)),
            nn.BatchNorm2d(channels[0]),
            nn.ReLU(inplace=True),
        )
    ]
    for before, after in itertools.pairwise(channels):
        up = nn.ConvTranspose2d(before, after, 4, 2, 1, bias=False)
        layers.append(nn.Sequential(up, nn.BatchNorm2d(after), nn.ReLU(inplace=True)))
    last, fine = channels[-1], config.fine
    grow = [nn.Conv2d(last, 4 * fine, 3, 1, 1, bias=False), nn.PixelShuffle(2), nn.BatchNorm2d(fine), nn.ReLU(inplace=True)]
    layers.append(nn.Sequential(*grow))
    layers.append(nn.Sequential(nn.Conv2d(fine, config.channels, 3, 1, 1), nn.Tanh()))
    return layers


def _discriminator(config: Config) -> list[nn.Module]:
    """The layers of D, first to last: image [N, C, H, W] -> logit [N, 1]."""
    channels = [config.channels, *list_widths(config.resolution, config.critic_width, config.max_width)]
    size = channels[-1] * list_resolutions(config.resolution)[-1] ** 2
    layers: list[nn.Module] = [
        nn.Sequential(nn.Conv2d(before, after, 4, 2, 1), nn.LeakyReLU(0.2, inplace=True))
        for before, after in itertools.pairwise(channels)
    ]
    layers.append(nn.Sequential(Flatten(), nn.Linear(size, config.head), nn.LeakyReLU(0.2)))
    layers.append(nn.Linear(config.head, 1))
    return layers


class PartlySharedLayers(nn.Module):
    """A stack of layers; each domain has its own copy of the layers in `own`, and all domains share the others.

    x [N, ...], c [N] domain or [N, domains] shares -> [N, ...]. The copies are equal at the start. The layers of every domain
    get the whole batch, then the result of the chosen domain is selected: a sample does not depend on the domains of the
    other samples in the batch.
    """

    def __init__(self, domains: int, layers: list[nn.Module], own: slice) -> None:
        super().__init__()
        everyone = range(len(layers))
        self.own_first = 0 in everyone[own]
        self.shared = nn.Sequential(*(layers[i] for i in everyone if i not in everyone[own]))
        first = nn.Sequential(*layers[own])
        self.own = nn.ModuleList([first, *(copy.deepcopy(first) for _ in range(domains - 1))])

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        result: Tensor = self.shared(self.apply_own(x, c)) if self.own_first else self.apply_own(self.shared(x), c)
        return result

    def apply_own(self, x: Tensor, c: Tensor) -> Tensor:
        """x through the own layers of the domain of each sample."""
        every = torch.stack([own(x) for own in self.own], 1)  # [N, domains, ...]
        if c.is_floating_point():
            return torch.einsum("nd,nd...->n...", c.to(every.dtype), every)
        return every[torch.arange(len(x), device=x.device), c]


class CoGAN(AdversarialGame, Couples, Projects):
    """A generator and a discriminator for each domain, with shared layers. One z gives one pair."""

    config_type = Config
    needs = ("real", "label")
    without_classes = "--data edges:FOLDER"

    def __init__(self, config: Config) -> None:
        first = -1 if config.shared_g is None else config.shared_g
        last = 1 if config.shared_d is None else len(_discriminator(config)) - config.shared_d
        g = PartlySharedLayers(config.classes, _generator(config), slice(first, None))
        super().__init__(config, g, PartlySharedLayers(config.classes, _discriminator(config), slice(None, last)))

    def projection(self) -> Tensor:
        """The first weight matrix that multiplies z, [features, latent_dim]; those of all domains if it is not shared."""
        if not self.G.own_first:
            weight: Tensor = self.G.shared[0][0].weight
            return weight
        return torch.cat([own[0][0].weight for own in self.G.own])

    def judge(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """image [N, C, H, W], c [N] domain -> logits [N]."""
        return super().judge(x, c).squeeze(1)


_recipe = Family("cogan", "Liu & Tuzel 2016, arXiv:1606.07536")
_TRAIN = cosine(0.02, 300_000, 48, 4e-3)
_OWN = Config(resolution=64, channels=3, latent_dim=64)
_ABOUT = "two folders of your own pictures, or one and its edges, in pairs"

RECIPES = (
    _recipe("cogan-edges", "edges:mnist", 5, "digits and their edges, paired without paired training data", Config(), _TRAIN),
    _recipe("cogan-negatives", "negatives:mnist", 5, "digits and their negatives, in pairs", Config(), _TRAIN),
    _recipe("cogan-images", "", 15, _ABOUT, _OWN, cosine(0.02, 270_000, 48, 4e-3)),
)
