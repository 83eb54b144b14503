"""Plans and devices: what a run settles on, and what it refuses."""

from __future__ import annotations

import pytest
import torch
from support import miniature

from ganvas.errors import ResourceError, UsageError
from ganvas.machine import Plan, cores, device_named, most_threads, settle
from ganvas.plan import settled


def test_no_such_device() -> None:
    with pytest.raises(ResourceError, match="use --device cpu"):
        device_named("cuda:93")
    assert device_named("cpu") == torch.device("cpu")


@pytest.mark.parametrize(
    ("ranks", "says"),
    [("0", "expected a number or auto"), ("two", "expected a number or auto"), ("3", "split"), ("8", "less than 2")],
)
def test_ranks_that_cannot_be(ranks: str, says: str) -> None:
    recipe, data = miniature("gan-ring")
    with pytest.raises(UsageError, match=says):
        settled(recipe, data, "cpu", ranks)


@pytest.mark.parametrize(("name", "hint"), [("gpu", "did you mean 'cuda'"), ("meta", "known: auto, cpu, cuda"), ("", "known")])
def test_devices_that_are_none(name: str, hint: str) -> None:
    with pytest.raises(UsageError, match=hint):
        device_named(name)


def test_a_plan_follows_what_was_asked() -> None:
    recipe, data = miniature("gan-ring")
    plan = settled(recipe, data, "cpu", "2")
    assert (plan.ranks, plan.threads, plan.device) == (2, min(most_threads(), max(1, len(cores()) // 2)), "cpu")
    assert settled(recipe, data, "cpu", "auto").ranks in (1, len(cores()))


def test_fewer_threads_where_the_user_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert most_threads() == 1
    recipe, data = miniature("gan-ring")
    assert settled(recipe, data, "cpu", "1").threads == 1
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert most_threads() == len(cores())


def test_settling_sets_the_threads() -> None:
    before = cores()
    settle(Plan(threads=1))
    assert torch.get_num_threads() == 1
    assert cores() == before  # only one of several ranks is pinned


def test_points_are_never_rounded_to_bfloat16(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has 8 bits: the ring's modes, sd 0.01, would be one number wide."""
    monkeypatch.setattr("ganvas.plan.bfloat16_is_fast", lambda: True)
    recipe, data = miniature("gan-ring")
    assert settled(recipe, data, "cpu").precision == "float32"
    recipe, data = miniature("cgan-mnist")
    assert settled(recipe, data, "cpu").precision == "bfloat16"
