"""Whole steps of every game on PyTorch's meta device, which stands for a GPU: it holds no numbers, so nothing can be read.

A tensor that is left on the CPU, or a number that is read in the middle of a step, fails here without a GPU.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import miniatures
import pytest
import torch
from support import PLAN, miniature
from torch import Tensor

from ganvas.engine.autotune import initial_state
from ganvas.engine.loop import train
from ganvas.games import GAMES, RECIPES


def numbers(*groups: Mapping[str, Tensor]) -> list[dict[str, Tensor]]:
    """The one read of a step: there is nothing to read, so each is a half, and nothing is broken."""
    return [{name: torch.tensor(0.0 if name == "broken" else 0.5) for name in group} for group in groups]


@pytest.mark.parametrize("name", [*RECIPES, *miniatures.RECIPES])
def test_a_step_stays_on_its_device(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for key, game in miniatures.GAMES.items():
        monkeypatch.setitem(GAMES, key, game)  # type: ignore[arg-type]
    autocast = torch.autocast
    monkeypatch.setattr("ganvas.engine.moves.read_together", numbers)
    # There is no fused Adam of this device, and no autocast: nothing of what they do depends on the game.
    monkeypatch.setattr(torch.optim.Adam, "step", lambda self: None)

    def autocast_of(device: str, *settings: Any, **more: Any) -> Any:
        return contextlib.nullcontext() if device == "meta" else autocast(device, *settings, **more)

    monkeypatch.setattr(torch, "autocast", autocast_of)
    recipe, data = miniature(name)
    config: Any = replace(recipe.train, balance="auto", diff_augment=("color", "translation", "cutout"))
    state = initial_state(replace(recipe, train=config), replace(PLAN, device="meta"))
    for each in state.balances.values():
        each.lead, each.augment = 1.2, 0.5
    kept, held_out = data.hold_out(0.42)
    steps = list(itertools.islice(train(state, kept, config, held_out=held_out), 3))
    assert len(steps) == 3
    assert state.dropped == 0
