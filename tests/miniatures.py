"""Games of a few weights that are not in the product: each declares what no game of it does yet, and must keep the contract."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganvas.config import Adam, DataConfig, Recipe, TrainConfig
from ganvas.core.capabilities import Animates, Inpaints, Translates, Upscales, Watched
from ganvas.core.game import Batch, Game, Step, Terms, Turn, sum_losses
from ganvas.core.memory import Memory
from ganvas.games.common.duel import Duel
from ganvas.games.common.rules import Rules

SIDE, CHANNELS, FRAMES = 8, 1, 3


class Table:
    """48 random samples of some fields; each field has an order of its own where they are `unpaired`."""

    flip, is_images, is_text, is_grid = False, True, False, True

    def __init__(self, shapes: Mapping[str, tuple[int, ...]], unpaired: bool = False) -> None:
        random = torch.Generator().manual_seed(1)
        self.fields = {name: torch.rand(48, *shape, generator=random) * 2 - 1 for name, shape in shapes.items()}
        self.unpaired = unpaired

    def __len__(self) -> int:
        return 48

    def batch(self, *place: Any) -> Batch:
        """rows [N], perhaps with flips; or seed, start and count: the samples at these places."""
        rows = torch.arange(place[1], place[1] + place[2]) if len(place) == 3 else place[0]
        steps = enumerate(self.fields.items())
        return {name: field[(rows + 7 * i * self.unpaired) % 48] for i, (name, field) in steps}


def generator(inputs: int = CHANNELS, outputs: int = CHANNELS) -> nn.Sequential:
    """[N, inputs, H, W] -> [N, outputs, H, W] in [-1, 1]."""
    return nn.Sequential(nn.Conv2d(inputs, 4, 3, 1, 1), nn.LeakyReLU(0.2), nn.Conv2d(4, outputs, 3, 1, 1), nn.Tanh())


class Patch(nn.Module):
    """[N, C, H, W] -> logits of patches [N, 1, H/2, W/2]."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.first, self.last = nn.Conv2d(inputs, 4, 4, 2, 1), nn.Conv2d(4, 1, 3, 1, 1)

    def features(self, x: Tensor) -> Tensor:
        """The hidden layer [N, 4, H/2, W/2]."""
        return F.leaky_relu(self.first(x), 0.2)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.last(self.features(x))
        return logits


@dataclass(frozen=True, kw_only=True)
class Config:
    """Weights of the losses."""

    cycle: float = 10.0
    matching: float = 10.0
    rules: Rules = Rules(objective="leastsquares")


class Cycle(Game, Watched, Translates):
    """Two domains, a generator each way and a discriminator each, as CycleGAN (arXiv:1703.10593)."""

    config_type, needs = Config, ("a", "b")
    players = {"D_a": ("D_a",), "D_b": ("D_b",), "G": ("G_ab", "G_ba")}  # noqa: RUF012
    averaged = ("G_ab", "G_ba")
    takes, directions = ("a", "b"), ("a>b", "b>a")

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.G_ab, self.G_ba, self.D_a, self.D_b = generator(), generator(), Patch(CHANNELS), Patch(CHANNELS)
        self.pools = {"a": Memory(12), "b": Memory(12)}

    def memories(self) -> Mapping[str, Memory]:
        return self.pools

    @property
    def discriminators(self) -> tuple[str, ...]:
        return ("a", "b")

    def duel(self, name: str) -> Duel:
        """Reals of the domain against what is made of the other one."""
        generator, other = (self.G_ba, "b") if name == "a" else (self.G_ab, "a")
        critic = self.D_a if name == "a" else self.D_b
        return Duel(
            self.config.rules,
            lambda batch, step: generator(batch[other]),
            lambda x, c: critic(x),
            critic,
            name=name,
            real=lambda batch, step: batch[name],
            memory=self.pools[name],
        )

    def turns(self) -> tuple[Turn, ...]:
        a, b = self.duel("a"), self.duel("b")
        return a.d_turn("D_a"), b.d_turn("D_b"), Turn("generator", "G", sum_losses(a.g_loss, b.g_loss, self.cycle))

    def cycle(self, batch: Batch, step: Step) -> Terms:
        """There and back is where it began."""
        back = F.l1_loss(self.G_ba(self.duel("b").make_fake(batch, step)), batch["a"])
        return {"cycle": self.config.cycle * (back + F.l1_loss(self.G_ab(self.duel("a").make_fake(batch, step)), batch["b"]))}

    def held_out_logits(self, batch: Batch, step: Step) -> Mapping[str, Tensor]:
        return self.duel("a").held_out_logits(batch, step) | self.duel("b").held_out_logits(batch, step)

    def translate(self, inputs: Batch, direction: str, z: Tensor | None = None) -> Tensor:
        translated: Tensor = self.G_ab(inputs["a"]) if direction == "a>b" else self.G_ba(inputs["b"])
        return translated


class PatchPair(Game, Watched, Translates):
    """Pairs, and a discriminator that looks at patches of two scales, as pix2pix (arXiv:1611.07004, arXiv:1711.11585)."""

    config_type, needs = Config, ("source", "real")
    players = {"D": ("D",), "G": ("G",)}  # noqa: RUF012
    averaged = ("G",)
    takes, directions = ("source",), ("source>real",)

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.G, self.D = generator(), nn.ModuleList([Patch(2 * CHANNELS), Patch(2 * CHANNELS)])

    def pair(self, batch: Batch, image: Tensor) -> Tensor:
        """What D sees: the source beside the image, so that augmentation moves both alike."""
        return torch.cat([batch["source"], image], 1)

    def sizes(self, x: Tensor) -> list[Tensor]:
        """x at full and at half size."""
        return [x, F.avg_pool2d(x, 2)]

    def duel(self) -> Duel:
        return Duel(
            self.config.rules,
            lambda batch, step: self.pair(batch, self.G(batch["source"])),
            lambda x, c: [part(size) for part, size in zip(self.D, self.sizes(x), strict=True)],
            self.D,
            real=lambda batch, step: self.pair(batch, batch["real"]),
            features=lambda x, c: [part.features(size) for part, size in zip(self.D, self.sizes(x), strict=True)],
            g_extra=(self.match,),
        )

    def match(self, batch: Batch, step: Step) -> Terms:
        """Feature matching, weighted."""
        return {name: self.config.matching * term for name, term in self.duel().match_features(batch, step).items()}

    def turns(self) -> tuple[Turn, ...]:
        return self.duel().turns()

    def held_out_logits(self, batch: Batch, step: Step) -> Mapping[str, Tensor]:
        return self.duel().held_out_logits(batch, step)

    def translate(self, inputs: Batch, direction: str, z: Tensor | None = None) -> Tensor:
        translated: Tensor = self.G(inputs["source"])
        return translated


class Alone(Game):
    """One generator that learns what its batch shows it."""

    config_type = Config
    players = {"G": ("G",)}  # noqa: RUF012
    averaged = ("G",)

    def __init__(self, config: Config, inputs: int, outputs: int = CHANNELS) -> None:
        super().__init__()
        self.config = config
        self.G = generator(inputs, outputs)

    def turns(self) -> tuple[Turn, ...]:
        return (Turn("imitate", "G", self.loss),)

    def loss(self, batch: Batch, step: Step) -> Terms:
        """The L1 distance from what is wanted."""
        raise NotImplementedError


class Puppet(Alone, Animates):
    """Draws each driving frame from it and the source."""

    needs = ("source", "driving")

    def __init__(self, config: Config) -> None:
        super().__init__(config, 2 * CHANNELS)

    def animate(self, source: Tensor, driving: Tensor) -> Tensor:
        pairs = torch.cat([source[:, None].expand_as(driving), driving], 2)
        frames: Tensor = self.G(pairs.flatten(0, 1)).unflatten(0, driving.shape[:2])
        return frames

    def loss(self, batch: Batch, step: Step) -> Terms:
        return {"L1": F.l1_loss(self.animate(batch["source"], batch["driving"]), batch["driving"])}


class Filler(Alone, Inpaints):
    """Fills half of a picture from the other half."""

    needs = ("real",)

    def __init__(self, config: Config) -> None:
        super().__init__(config, CHANNELS + 1)

    def inpaint(self, image: Tensor, mask: Tensor, z: Tensor | None = None) -> Tensor:
        drawn = self.G(torch.cat([image * (1 - mask), mask], 1))
        return image * (1 - mask) + drawn * mask

    def loss(self, batch: Batch, step: Step) -> Terms:
        mask = (step.uniform(len(batch["real"]), 1, 1, SIDE) < 0.5).float().expand(-1, -1, SIDE, -1)
        return {"L1": F.l1_loss(self.inpaint(batch["real"], mask), batch["real"])}


class Larger(Alone, Upscales):
    """Doubles each side."""

    needs = ("real",)

    def __init__(self, config: Config) -> None:
        super().__init__(config, CHANNELS, 4 * CHANNELS)

    @property
    def scale(self) -> int:
        return 2

    def upscale(self, low: Tensor) -> Tensor:
        return F.pixel_shuffle(self.G(low), 2)

    def loss(self, batch: Batch, step: Step) -> Terms:
        return {"L1": F.l1_loss(self.upscale(F.avg_pool2d(batch["real"], 2)), batch["real"])}


IMAGE = (CHANNELS, SIDE, SIDE)
FIELDS: Mapping[str, Mapping[str, tuple[int, ...]]] = {
    "miniature-cycle": {"a": IMAGE, "b": IMAGE},
    "miniature-pair": {"source": IMAGE, "real": IMAGE},
    "miniature-puppet": {"source": IMAGE, "driving": (FRAMES, *IMAGE)},
    "miniature-filler": {"real": IMAGE},
    "miniature-larger": {"real": IMAGE},
}
GAMES: Mapping[str, type[Game]] = {
    "miniature-cycle": Cycle,
    "miniature-pair": PatchPair,
    "miniature-puppet": Puppet,
    "miniature-filler": Filler,
    "miniature-larger": Larger,
}
_CONFIGS = {"miniature-pair": Config(rules=Rules(r1_gamma=0.1, penalty_every=2))}


def _recipe(name: str) -> Recipe:
    train = TrainConfig(images=320, batch=8, learning_rate=2e-3, average_halflife=100, adam=Adam(eps=1e-6), snapshots=3)
    data = DataConfig(source="miniature")
    return Recipe(name=name, game=name, config=_CONFIGS.get(name, Config()), data=data, train=train, paper="none", minutes=0.01)


RECIPES: Mapping[str, Recipe] = {name: _recipe(name) for name in GAMES}


def table(name: str) -> Table:
    """The data of a miniature."""
    return Table(FIELDS[name], unpaired=name == "miniature-cycle")
