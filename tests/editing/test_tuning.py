"""Tuning: the codes give the pictures, other codes keep theirs, the model stays as it is, and it never gets worse."""

from __future__ import annotations

import pytest
import torch
from support import miniature_model as model
from support import state_hash
from torch import Tensor

from ganvas.editing.inversion import Inversion, invert
from ganvas.editing.tuning import tune
from ganvas.errors import UsageError


def find(name: str, where: str | None) -> tuple[Inversion, Tensor]:
    """Two pictures that no code makes, samples in negative, and their codes."""
    one = model(name)
    targets = -torch.cat([part for part, _ in one.stream(2, 10_000)]).clamp(-1, 1)
    return invert(one, targets, restarts=2, steps=2, where=where), targets


@pytest.mark.parametrize(
    ("name", "where"), [("gan-mnist", "z"), ("cgan-mnist", "z"), ("stylegan2-fashion", "w"), ("stylegan2-fashion", "w+")]
)
def test_the_codes_give_the_pictures(name: str, where: str) -> None:
    one = model(name)
    before = state_hash({"game": one.game.state_dict()})
    found, targets = find(name, where)
    game, tuned = tune(one, found, targets, 60)
    assert (tuned.errors < 0.95 * found.errors).all(), (found.errors, tuned.errors)
    assert torch.equal(tuned.codes, found.codes)
    assert state_hash({"game": one.game.state_dict()}) == before
    assert not any(weight.requires_grad for weight in game.parameters())


def test_it_never_gets_worse_and_ends_when_asked() -> None:
    one = model("gan-mnist")
    own = torch.cat([part for part, _ in one.stream(2, 10_000)])
    found = invert(one, own, restarts=4)
    _, tuned = tune(one, found, own, 30)
    assert float(tuned.errors.square().mean()) <= float(found.errors.square().mean())
    looks: list[Tensor] = []

    def watch(pictures: Tensor) -> bool:
        looks.append(pictures)
        return len(looks) < 2

    found, targets = find("gan-mnist", "z")
    _, tuned = tune(one, found, targets, 60, watch=watch)
    assert len(looks) == 2
    assert torch.equal(tuned.pictures, looks[-1])

    def interrupt(pictures: Tensor) -> None:
        raise KeyboardInterrupt

    _, tuned = tune(one, found, targets, 60, watch=interrupt)
    assert tuned.stopped
    assert (tuned.errors < found.errors).all()  # of the look before it


@pytest.mark.parametrize("steps", [0, 10_000])
def test_counts(steps: int) -> None:
    found, targets = find("gan-mnist", "z")
    with pytest.raises(UsageError, match="tuning steps"):
        tune(model("gan-mnist"), found, targets, steps)
