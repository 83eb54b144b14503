"""Whole steps of every game on PyTorch's meta device, which stands for a GPU: it holds no numbers, so nothing can be read.

A tensor that is left on the CPU, or a number that is read in the middle of a step, fails here without a GPU.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import miniatures
import pytest
import torch
from support import PLAN, miniature
from torch import Tensor

from ganvas.core.game import Step, Terms
from ganvas.core.telemetry import is_note
from ganvas.engine.autotune import initial_state
from ganvas.engine.loop import train
from ganvas.games import GAMES, RECIPES

PLACES = (0.0, 0.5, 0.9)  # of a run: networks grow and turns change on the way


def numbers(*groups: Mapping[str, Tensor]) -> list[dict[str, Tensor]]:
    """The one read of a step: there is nothing to read, so each is a half, and nothing is broken."""
    return [{name: torch.tensor(0.0 if name == "broken" else 0.5) for name in group} for group in groups]


@pytest.fixture(autouse=True)
def _meta(monkeypatch: pytest.MonkeyPatch) -> None:
    """The games of `miniatures`, and what PyTorch lacks on the meta device."""
    for key, game in miniatures.GAMES.items():
        monkeypatch.setitem(GAMES, key, game)  # type: ignore[arg-type]
    autocast = torch.autocast
    monkeypatch.setattr("ganvas.engine.moves.read_together", numbers)
    # There is no fused Adam of this device, and no autocast: nothing of what they do depends on the game.
    monkeypatch.setattr(torch.optim.Adam, "step", lambda self: None)

    def autocast_of(device: str, *settings: Any, **more: Any) -> Any:
        return contextlib.nullcontext() if device == "meta" else autocast(device, *settings, **more)

    monkeypatch.setattr(torch, "autocast", autocast_of)


def play(name: str, balance: str) -> list[tuple[Step, Terms]]:
    """Two steps at each of `PLACES`, in the first of which every lazy term and every measurement is due."""
    recipe, data = miniature(name)
    config: Any = replace(recipe.train, balance=balance, diff_augment=("color", "translation", "cutout"))
    state = initial_state(replace(recipe, train=config), replace(PLAN, device="meta"))
    kept, held_out = data.hold_out(0.42)
    steps: list[tuple[Step, Terms]] = []
    for place in PLACES:
        state.items, state.step, state.moves = int(place * config.images), 0, {}
        for each in state.balances.values():
            each.lead, each.augment, each.last = 1.2, 0.5, 0.9
        steps += itertools.islice(train(state, kept, config, held_out=held_out), 2)
    assert state.dropped == 0
    return steps


@pytest.mark.parametrize("balance", ["auto", "rest"])
@pytest.mark.parametrize("name", [*RECIPES, *miniatures.RECIPES])
def test_a_step_stays_on_its_device_and_its_numbers_are_losses_or_known_notes(name: str, balance: str) -> None:
    steps = play(name, balance)
    assert len(steps) == 2 * len(PLACES)
    for step, terms in steps:
        assert [term for term in terms if is_note(term)] == []
        assert [value for value in step.values if value not in terms and not is_note(value)] == []


def test_no_step_asks_torch_to_seed_every_kind_of_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """`torch.manual_seed` formats a stack trace for each kind of device, which takes up to 1.5 ms."""
    calls: list[int] = []
    seed = torch.manual_seed
    monkeypatch.setattr(torch, "manual_seed", lambda number: (calls.append(number), seed(number))[1])
    play("gan-ring", "auto")
    assert len(calls) == 1  # of the weights


READS: Mapping[str, Callable[[Tensor], object]] = {
    "item": lambda x: x.mean().item(),
    "float": lambda x: float(x.mean()),
    "bool": lambda x: bool((x > 0).any()),
    "list": lambda x: x.tolist(),
    "copy": lambda x: x.cpu(),
    "array": lambda x: x.detach().numpy(),
    "nonzero": lambda x: x.nonzero(),
    "another device": lambda x: x + torch.zeros(x.shape),
}


@pytest.mark.parametrize("read", READS)
def test_a_read_in_the_middle_of_a_step_is_noticed(read: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the tests above would mean nothing."""
    sample = GAMES["cgan"].sample  # type: ignore[attr-defined]

    def sample_and_read(self: Any, z: Tensor, c: Tensor | None = None) -> Tensor:
        x: Tensor = sample(self, z, c)
        READS[read](x)
        return x

    monkeypatch.setattr(GAMES["cgan"], "sample", sample_and_read)
    with pytest.raises((RuntimeError, NotImplementedError, TypeError)):
        play("cgan-mnist", "auto")
