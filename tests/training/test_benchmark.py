"""The bench: bounds that make sense, and no chatter of the profiler."""

from __future__ import annotations

import importlib.util
import itertools
import math
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import miniatures
import pytest
import torch
from support import PLAN, miniature

from ganvas.engine.autotune import initial_state
from ganvas.engine.loop import train
from ganvas.errors import UsageError
from ganvas.games import RECIPES
from ganvas.training import benchmark
from ganvas.training.benchmark import _silence, bench, plain_loop, plain_turns, profile_operations


@pytest.mark.parametrize("seconds", [0, -1, math.nan, math.inf])
def test_no_time_is_no_bench(seconds: float) -> None:
    with pytest.raises(UsageError, match="seconds: expected a number above 0"):
        bench("gan-ring", seconds=seconds)


def test_it_says_what_takes_long_before_it_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    told = list[str]()

    def fail(*_: Any, **__: Any) -> Any:
        assert len(told) == 1
        raise ZeroDivisionError

    monkeypatch.setattr(benchmark, "measure_peak", fail)
    with pytest.raises(ZeroDivisionError):
        bench("gan-ring", seconds=1, tell=told.append)
    assert "convolutions" in told[0]


def test_the_profiler_is_silent(capfd: pytest.CaptureFixture[str]) -> None:
    recipe, data = miniature("gan-ring")
    with _silence():
        os.write(2, b"chatter\n")
    assert sum(share for _, share in profile_operations(recipe, data, PLAN)) <= 1.0001
    assert capfd.readouterr().err == ""


def test_the_plain_loop_stays_on_its_device() -> None:
    """PyTorch's meta device stands for a GPU: a batch that was left on the CPU would fail."""
    recipe, data = miniature("gan-mnist")
    assert len(list(itertools.islice(plain_loop(recipe, data, "meta"), 2))) == 2


@pytest.mark.parametrize("name", ["cogan-edges", "dcgan-mnist", "r3gan-mnist", "miniature-cycle", "miniature-pair"])
def test_the_plain_loop_has_all_turns_and_calls_discriminators_for_one_kind_at_a_time(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    miniatures.install(monkeypatch)
    game = initial_state(miniature(name)[0], PLAN).game
    turns = game.turns()
    duels = [turn.loss.__self__ for turn in plain_turns(game) if turn.discriminators]  # type: ignore[attr-defined]
    assert [turn.name for turn in plain_turns(game)] == [turn.name for turn in turns]
    assert duels
    assert not any(duel.together for duel in duels)


def test_an_unknown_device_is_named() -> None:
    with pytest.raises(UsageError, match="unknown device 'abacus'"):
        bench("gan-ring", device="abacus")


GPU = Path(__file__).parents[2] / "bench" / "gpu.py"


def gpu(*words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, GPU, *words], env=environment, capture_output=True, text=True, timeout=200, check=False
    )


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_the_gpu_table_needs_a_gpu() -> None:
    done = gpu()
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "not available" in done.stderr


@pytest.mark.slow
def test_the_gpu_table_is_printed_on_a_cpu_as_well() -> None:
    done = gpu("--device", "cpu", "--quick")
    assert done.returncode == 0, done.stderr
    rows = [line.split("|")[1:-1] for line in done.stdout.splitlines() if line.startswith("| ")][2:]
    assert [row[0].strip() for row in rows] == ["gan-ring", "cgan-mnist", "textgan-names"]
    assert all(row[-1].strip() == "exact" for row in rows)  # a CPU resumes bit for bit
    assert "%" in rows[1][4]


@pytest.mark.slow
def test_ranks_of_the_gpu_table_play_under_torchrun() -> None:
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command = [sys.executable, *torchrun, str(GPU), "cgan-mnist", "--as-rank", "--device", "cpu", "--quick"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout.split()[-1]) > 0


@pytest.mark.slow
def test_the_gpu_table_has_data_of_every_kind() -> None:
    spec = importlib.util.spec_from_file_location("gpu", GPU)
    assert spec is not None
    assert spec.loader is not None
    sys.modules["gpu"] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert set(module.TWO_CARDS) | set(module.QUICK) <= set(RECIPES)
    for name in RECIPES:
        recipe = module.prepare(RECIPES[name], True)
        data = module.make_data(recipe, 20)
        state = initial_state(recipe, PLAN)
        next(train(state, data, replace(recipe.train, batch=4)))
        assert state.step == 1
