"""Games of a few weights that are not in the product, and their data.

Each has a capability that no game of the product has yet, and must keep the contract.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganvas import games
from ganvas.config import Adam, DataConfig, Recipe, TrainConfig
from ganvas.core.capabilities import Animates, Inpaints, Translates, Upscales, Watched
from ganvas.core.game import Batch, Game, Step, Terms, Turn, sum_losses
from ganvas.core.memory import Memory
from ganvas.core.modality import CLIPS
from ganvas.data.dataset import Dataset
from ganvas.data.open import BUILT_IN
from ganvas.data.paired import PairedDataset
from ganvas.data.table import TableDataset, fingerprint
from ganvas.data.unpaired import UnpairedDataset
from ganvas.engine.autotune import initial_state
from ganvas.games.common.duel import Duel, Rules
from ganvas.inference import model_file
from ganvas.runtime.plan import Plan
from ganvas.utils.settings import to_dict

SIDE, CHANNELS, FRAMES = 16, 1, 3
IMAGE = (CHANNELS, SIDE, SIDE)
COUNT = 48  # rows of a table


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
    kept_apart = ("D_a", "D_b")
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
        """Reals of the domain against translations of the other one."""
        generator, other = (self.G_ba, "b") if name == "a" else (self.G_ab, "a")
        discriminator = self.D_a if name == "a" else self.D_b
        return Duel(
            self.config.rules,
            lambda batch, step: generator(batch[other]),
            lambda x, c: discriminator(x),
            discriminator,
            self.together,
            name=name,
            real=lambda batch, step: batch[name],
            memory=self.pools[name],
        )

    def turns(self) -> tuple[Turn, ...]:
        a, b = self.duel("a"), self.duel("b")
        return a.d_turn("D_a"), b.d_turn("D_b"), Turn("generator", "G", sum_losses(a.g_loss, b.g_loss, self.cycle))

    def cycle(self, batch: Batch, step: Step) -> Terms:
        """Cycle consistency: a to b to a, and b to a to b."""
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
        """The input of D: source and image as channels of one tensor, so that augmentation moves both alike."""
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
            self.together,
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
    """One generator without a discriminator, which learns by L1."""

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
        """The L1 distance to the truth."""
        raise NotImplementedError


class Puppet(Alone, Animates):
    """Makes each output frame from the driving frame and the source."""

    needs = ("source", "driving")

    def __init__(self, config: Config) -> None:
        super().__init__(config, 2 * CHANNELS)

    def animate(self, source: Tensor, driving: Tensor, start: Tensor | None = None) -> Tensor:
        pairs = torch.cat([source[:, None].expand_as(driving), driving], 2)
        frames: Tensor = self.G(pairs.flatten(0, 1)).unflatten(0, driving.shape[:2])
        return frames

    def find_pose(self, image: Tensor) -> Tensor:
        return image.mean((1, 2, 3))[:, None, None].expand(-1, 1, 2)

    def measure_motion(self, driving: Tensor, start: Tensor) -> Tensor:
        return (driving - start[:, None]).abs().mean((2, 3, 4))

    def loss(self, batch: Batch, step: Step) -> Terms:
        return {"L1": F.l1_loss(self.animate(batch["source"], batch["driving"]), batch["driving"])}


class Filler(Alone, Inpaints):
    """Fills missing rows of an image from the others."""

    needs = ("real",)

    def __init__(self, config: Config) -> None:
        super().__init__(config, CHANNELS + 1)

    def inpaint(self, image: Tensor, mask: Tensor, z: Tensor | None = None) -> Tensor:
        generated = self.G(torch.cat([image * (1 - mask), mask], 1))
        return torch.where(mask > 0, generated, image)

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

    def upscale(self, low: Tensor, strength: float = 1.0) -> Tensor:
        return F.pixel_shuffle(self.G(low), 2)

    def loss(self, batch: Batch, step: Step) -> Terms:
        return {"L1": F.l1_loss(self.upscale(F.avg_pool2d(batch["real"], 2)), batch["real"])}


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
    data = DataConfig(source=name)
    return Recipe(name=name, game=name, config=_CONFIGS.get(name, Config()), data=data, train=train, paper="none", minutes=0.01)


RECIPES: Mapping[str, Recipe] = {name: _recipe(name) for name in GAMES}


def table(name: str, count: int = COUNT, split: str = "train") -> Dataset:
    """The data of a miniature, whose name is the source: `count` rows of smooth random images, others in each split.

    Of a pair, "real" is the negative of "source"; so are the images of the domain "b" to those of "a", in other rows. Each
    clip shows its source, which moves to the right.
    """
    random = torch.Generator().manual_seed(1 if split == "train" else 2)

    def images() -> Tensor:
        noise = torch.rand(count, CHANNELS, SIDE + 4, SIDE + 4, generator=random)
        smooth = F.avg_pool2d(noise, 5, 1)
        return ((smooth - smooth.amin()) / (smooth.amax() - smooth.amin()) * 255).round().to(torch.uint8)

    def one(fields: Mapping[str, Tensor]) -> TableDataset:
        return TableDataset(name, fields, fingerprint=fingerprint(fields), splits=("train", "test"))

    first = images()
    if name == "miniature-cycle":
        return UnpairedDataset(one({"real": first}), one({"real": 255 - images()}))
    if name == "miniature-pair":
        pair = {"source": first, "real": 255 - first}
        return PairedDataset(name, pair, flip=True, fingerprint=fingerprint(pair), splits=("train", "test"))
    if name == "miniature-puppet":
        clip = {"source": first, "driving": torch.stack([first.roll(2 * i, -1) for i in range(FRAMES)], 1)}
        kinds = {"driving": CLIPS}
        return PairedDataset(name, clip, fingerprint=fingerprint(clip), splits=("train", "test"), kinds=kinds)
    return one({"real": first})


def install(monkeypatch: pytest.MonkeyPatch, count: int = 240) -> None:
    """Let the miniatures be found by name: as games, and as sources of `count` rows a split."""
    for name, game in GAMES.items():
        monkeypatch.setitem(games.GAMES, name, game)  # type: ignore[arg-type]

    def open_source(config: DataConfig, **_: object) -> Dataset:
        return table(config.source, count, config.split)

    def open_fields(config: DataConfig, needs: Sequence[str], **_: object) -> Dataset:
        return table(config.source, count, config.split)

    monkeypatch.setattr("ganvas.games.recipes.open_source", open_source)
    monkeypatch.setattr("ganvas.games.recipes.open_fields", open_fields)
    monkeypatch.setattr("ganvas.data.source_names.BUILT_IN", (*BUILT_IN, *GAMES))


def fresh_game(name: str) -> Any:
    """A miniature before any training, with the weights of one seed."""
    torch.manual_seed(0)
    return initial_state(RECIPES[name], Plan(threads=1)).average


def save_bundle(name: str, folder: Path) -> Path:
    """The same as a bundle in `folder`."""
    model_file.save(
        folder / f"{name}.safetensors", fresh_game(name), {"recipe": to_dict(RECIPES[name]), "items": 8, "classes": []}
    )
    return folder / f"{name}.safetensors"
