"""The engine trains on any data set: it asks for positions and knows neither rows nor fields."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch
from support import PLAN, miniature, state_hash
from torch import nn

from ganvas.config import TrainConfig
from ganvas.core.game import Batch, Game, Step, Terms, Turn
from ganvas.data.dataset import Dataset
from ganvas.data.paired import PairedDataset
from ganvas.data.table import TableDataset
from ganvas.data.unpaired import UnpairedDataset
from ganvas.engine.autotune import initial_state
from ganvas.engine.loop import train
from ganvas.engine.state import State, dump, new_state, restore
from ganvas.errors import DataError

TRAIN = TrainConfig(images=160, batch=8)


@dataclass(frozen=True, kw_only=True)
class Config:
    """No settings."""


class Translation(Game):
    """One convolution from a field to another."""

    config_type = Config
    players = {"G": ("G",)}  # noqa: RUF012
    averaged = ("G",)
    given, wanted = "a", "b"

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.config = config
        self.G = nn.Conv2d(3, 3, 3, padding=1)

    def turns(self) -> tuple[Turn, ...]:
        return (Turn("generator", "G", self.loss),)

    def loss(self, batch: Batch, step: Step) -> Terms:
        y = batch[self.wanted].float()
        y = y[:, None] if y.ndim == 3 else y
        return {"L1": (self.G(batch[self.given]) - y).abs().mean()}


class Unpaired(Translation):
    """From one domain to another."""

    needs = ("a", "b")


class Maps(Translation):
    """From an image to its map."""

    needs = ("source", "map")
    given, wanted = "source", "map"


def images(n: int) -> torch.Tensor:
    return torch.randint(0, 256, (n, 3, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(n))


def data_of(kind: type[Translation]) -> Dataset:
    if kind is Unpaired:
        return UnpairedDataset(TableDataset("a", {"real": images(30)}, flip=True), TableDataset("b", {"real": images(21)}))
    return PairedDataset("maps", {"source": images(30), "map": images(30)[:, 0] % 4}, flip=True, crop=6)


def after(kind: type[Translation], steps: int, state: State | None = None) -> State:
    """The state after some steps from the start, or from `state`."""
    torch.manual_seed(0)
    state = state or new_state(kind(Config()), TRAIN, PLAN)
    for _ in itertools.islice(train(state, data_of(kind), TRAIN), steps):
        pass
    return state


@pytest.mark.parametrize("kind", [Unpaired, Maps])
def test_training_resumes_exactly_on_other_data_sets(kind: type[Translation]) -> None:
    unbroken, half = after(kind, 11), after(kind, 6)
    torch.manual_seed(1)
    resumed = new_state(kind(Config()), TRAIN, PLAN)
    restore(resumed, *dump(half))
    after(kind, 5, resumed)
    assert resumed.items == unbroken.items == 88
    assert state_hash(dump(resumed)[0]) == state_hash(dump(unbroken)[0])
    assert state_hash(dump(half)[0]) != state_hash(dump(unbroken)[0])


def test_the_first_batch_of_a_run_is_checked() -> None:
    """A missing field was a KeyError deep in a loss."""
    recipe, data = miniature("cgan-mnist")
    bare = replace(data, fields={"real": data.fields["real"]}, classes=())
    with pytest.raises(DataError, match=r"the game needs the field 'label' \(the class of the sample\); the data gives: real"):
        next(iter(train(initial_state(recipe, PLAN), bare, recipe.train)))
    with pytest.raises(DataError, match="the game needs the field 'a'"):
        next(iter(train(new_state(Unpaired(Config()), TRAIN, PLAN), data, TRAIN)))


def test_held_out_images_are_asked_by_position_too() -> None:
    """What the discriminator has not seen is shown as it is: held-out images are never mirrored."""
    recipe, data = miniature("dcgan-images")
    kept, held_out = replace(data, flip=True).hold_out(0.45)
    assert held_out is not None
    state = initial_state(recipe, PLAN)
    first, _ = next(iter(train(state, kept, recipe.train, held_out=held_out)))
    assert "verdict_held_out" in first.notes
    rows = held_out.rows(torch.arange(len(held_out)))["real"]
    shown = held_out.batch(0, 0, len(held_out))["real"]
    assert sorted(x.numpy().tobytes() for x in rows) == sorted(x.numpy().tobytes() for x in shown)
