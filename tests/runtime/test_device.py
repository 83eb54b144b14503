"""Plans and devices: what a run settles on, and what it refuses."""

from __future__ import annotations

import sys
from typing import Any

import pytest
import torch
from support import miniature, python

from ganvas.engine import autotune
from ganvas.engine.autotune import choose_plan
from ganvas.engine.state import new_state
from ganvas.errors import ResourceError, UsageError
from ganvas.games.registry import build
from ganvas.runtime import device, probe
from ganvas.runtime.device import _try_training, available_cores, find_device, has_bfloat16, max_threads, place_on_rank
from ganvas.runtime.plan import Plan
from ganvas.runtime.process_settings import apply_plan, keep_process_settings


def test_no_such_device() -> None:
    with pytest.raises(ResourceError, match="use --device cpu"):
        find_device("cuda:93")
    with pytest.raises(ResourceError, match="there is one CPU device: cpu"):
        find_device("cpu:3")
    assert find_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize(
    ("ranks", "says"),
    [("0", "expected a number or auto"), ("two", "expected a number or auto"), ("3", "split"), ("8", "less than 2")],
)
def test_ranks_that_cannot_be(ranks: str, says: str) -> None:
    recipe, data = miniature("gan-ring")
    with pytest.raises(UsageError, match=says):
        choose_plan(recipe, data, "cpu", ranks)


@pytest.mark.parametrize(("name", "hint"), [("gpu", "did you mean 'cuda'"), ("meta", "known: auto, cpu, cuda"), ("", "known")])
def test_devices_that_are_none(name: str, hint: str) -> None:
    with pytest.raises(UsageError, match=hint):
        find_device(name)


def test_a_plan_follows_what_was_asked() -> None:
    recipe, data = miniature("gan-ring")
    plan = choose_plan(recipe, data, "cpu", "2")
    assert (plan.ranks, plan.threads, plan.device) == (2, min(max_threads(), max(1, len(available_cores()) // 2)), "cpu")
    assert choose_plan(recipe, data, "cpu", "auto").ranks in (1, len(available_cores()))


def test_fewer_threads_where_the_user_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert max_threads() == 1
    recipe, data = miniature("gan-ring")
    assert choose_plan(recipe, data, "cpu", "1").threads == 1
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert max_threads() == len(available_cores())


def test_settling_sets_the_threads() -> None:
    before = available_cores()
    apply_plan(Plan(threads=1))
    assert torch.get_num_threads() == 1
    assert available_cores() == before  # only one of several ranks is pinned


def test_points_are_never_rounded_to_bfloat16(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has 8 bits: the ring's modes, sd 0.01, would be one number wide."""
    monkeypatch.setattr("ganvas.engine.autotune.bfloat16_is_fast", lambda _: True)
    recipe, data = miniature("gan-ring")
    assert choose_plan(recipe, data, "cpu").precision == "float32"
    recipe, data = miniature("cgan-mnist")
    assert choose_plan(recipe, data, "cpu").precision == "bfloat16"


def test_a_plan_names_no_gpu_of_one_rank(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rank 0's plan is that of all ranks: with an index, all would train on one GPU."""
    with monkeypatch.context() as there:
        there.setattr(torch, "empty", lambda *_, **__: None)  # there is a GPU
        assert str(find_device("cuda")) == "cuda"
        assert str(find_device("cuda:1")) == "cuda:1"
    monkeypatch.setattr(autotune, "find_device", torch.device)
    monkeypatch.setattr(autotune, "bfloat16_is_fast", lambda _: True)
    recipe, data = miniature("cgan-mnist")
    found = choose_plan(recipe, data, "cuda", "2")
    assert (found.device, found.precision, found.ranks) == ("cuda", "bfloat16", 2)


@pytest.mark.parametrize(("device", "rank", "gpus", "expected"), [
    ("cuda", "2", 4, "cuda:2"), ("cuda", "2", 2, "cuda:0"), ("cuda:1", "2", 4, "cuda:1"), ("cpu", "2", 4, "cpu"),
])  # fmt: skip
def test_each_rank_has_its_own_gpu(device: str, rank: str, gpus: int, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_RANK", rank)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    assert place_on_rank(Plan(device=device)).device == expected


def test_a_game_begins_on_the_gpu_of_its_rank(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe, _ = miniature("gan-ring")
    game, moves = build(recipe), list[Any]()
    monkeypatch.setenv("LOCAL_RANK", "1")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(game, "to", lambda *to, **_: moves.append(to))
    assert new_state(game, recipe.train, Plan(device="cuda", channels_last=False)).plan.device == "cuda:1"
    assert moves == [("cuda:1",)]


def test_emulated_bfloat16_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """A T4 says that it supports bfloat16, and emulates it."""
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: including_emulation)
    assert not has_bfloat16(torch.device("cuda"))
    assert not probe.bfloat16_is_fast("cuda")
    monkeypatch.setattr(autotune, "find_device", torch.device)
    recipe, data = miniature("cgan-mnist")
    assert choose_plan(recipe, data, "cuda").precision == "float32"


def test_what_has_been_set_is_put_back() -> None:
    available, count = available_cores(), torch.get_num_threads()
    with keep_process_settings():
        apply_plan(Plan(threads=1, ranks=2))
        assert len(available_cores()) == 1
    assert (available_cores(), torch.get_num_threads()) == (available, count)


@pytest.mark.skipif(sys.platform != "linux", reason="glibc only")
def test_freed_memory_is_not_fetched_again() -> None:
    """Each of 60 tensors of 64 MB costs 16,384 page faults where the memory of the one before went back to the kernel."""
    program = """
import resource, torch
from ganvas.runtime.plan import Plan
from ganvas.runtime.process_settings import apply_plan
{}
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(60):
    torch.ones(16 << 20)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
    kept, returned = (int(python(program.format(line)).stdout) for line in ("apply_plan(Plan())", ""))
    assert 4 * kept < returned


def test_other_systems_lack_some_calls() -> None:
    """Windows has no fcntl and no signal masks, macOS no affinity: nothing asks for them at import, nor to pin a process."""
    program = """
import os, signal, sys
sys.modules["fcntl"] = None
for module, name in ((os, "sched_getaffinity"), (os, "sched_setaffinity"), (signal, "pthread_sigmask")):
    delattr(module, name)
from ganvas.runtime.plan import Plan
from ganvas.runtime.process_settings import apply_plan
from ganvas.runtime.processes import _block_signals
import ganvas.cli.app, ganvas.training.api
apply_plan(Plan(ranks=2))
with _block_signals():
    pass
"""
    done = python(program)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("kind", ["mps", "xpu"])
def test_other_devices_are_taken_only_if_they_can_train(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "empty", lambda *_, **__: None)  # there is one

    def refuse(_: torch.device) -> None:
        raise TypeError("it has no float64. Others have: CPU, CUDA\nand a stack trace")

    monkeypatch.setattr(device, "_try_training", refuse)
    with pytest.raises(ResourceError, match=rf"'{kind}' is not available \(it has no float64\); use --device cpu"):
        find_device(kind)
    monkeypatch.setattr(device, "_try_training", lambda _: None)
    assert str(find_device(kind)) == kind


def test_the_trial_of_a_device_is_one_that_can_succeed() -> None:
    _try_training(torch.device("cpu"))
