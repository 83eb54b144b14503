"""A part of every kind of trial of the campaign (`bench/campaign.py`), of kills less, and that each kind can fail."""

from __future__ import annotations

import time
from pathlib import Path
from random import Random
from typing import Any

import campaign
import pytest
from trials import bundles, checkpoints, failures, frames, inputs, kills, power, ranks, requests, runs
from trials.common import differences
from trials.damage import damage

from ganvas.engine import checkpoint
from ganvas.inference import file_hash

LONG = 10_000.0  # seconds that no trial of this file needs


def until() -> float:
    return time.monotonic() + LONG


TRIALS = {  # how many of each kind are tried, and how many when there is time
    checkpoints: (150, 300),
    bundles: (150, 300),
    power: (150, 500),
    runs: (50, 100),
    inputs: (250, 500),
    requests: (200, 500),
    frames: (100, 200),
    ranks: (1, 5),
}
SLOW = pytest.mark.slow


@pytest.mark.parametrize("length", [0, pytest.param(1, marks=SLOW)], ids=["few", "many"])
@pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: trial.__name__)
def test_trials(trial: Any, length: int) -> None:
    count = TRIALS[trial][length]
    tally = trial.run(range(1_000, 1_000 + count), until())
    assert (tally.failures, tally.done) == ([], count)


@pytest.mark.parametrize("each", [40, pytest.param(20, marks=SLOW)])
def test_some_file_operations_fail(each: int) -> None:
    chosen = range(0, 476, each)
    tally = failures.run(chosen, until())
    assert (tally.failures, tally.done) == ([], len(chosen))


@pytest.mark.parametrize("count", [4, pytest.param(100, marks=SLOW)])
def test_kills(count: int) -> None:
    tally = kills.run(range(1_000), until(), frozenset({"ring"}), kills=count)
    assert tally.failures == []
    assert tally.done >= count


def test_damage_is_a_function_of_the_seed_and_never_nothing() -> None:
    data = bytes(range(256)) * 20
    made = [damage(data, Random(seed)) for seed in range(300)]
    assert made == [damage(data, Random(seed)) for seed in range(300)]
    assert all(bad != data for _, bad in made)
    assert {kind for kind, _ in made} == {"flip", "cut", "zeros", "more", "swap", "noise", "repeat", "word"}


def test_a_bundle_that_is_not_checked_would_be_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_hash, "check", lambda *_: True)
    assert bundles.run(range(40), until()).failures


def test_a_checkpoint_that_is_not_checked_would_be_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        checkpoint, "verify", lambda path, _: [each.name for each in path.iterdir() if each.name != "manifest.json"]
    )
    assert checkpoints.run(range(60), until()).failures


def test_a_write_without_fsync_would_be_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(power.Recorder, "fsync", lambda *_: None)
    assert power.run(range(1, 40), until()).failures


def test_differences_name_the_files() -> None:
    assert differences({"a": "1", "b": "2"}, {"a": "1", "b": "3", "c": "4"}) == ["b", "c"]


def test_the_command_prints_the_table_and_repeats_one_trial(capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> None:
    class Here:
        """A pool without processes."""

        def __init__(self, *_: object, **__: object) -> None: ...

        def __enter__(self) -> Here:
            return self

        def __exit__(self, *_: object) -> None: ...

        def submit(self, work: Any, *given: Any) -> Any:
            found = work(*given)
            return type("Done", (), {"result": lambda _: found})()

    monkeypatch.setattr(campaign, "ProcessPoolExecutor", Here)
    assert campaign.main(["checkpoints", "--seed", "17", "--trials", "1"]) == 0
    assert "| damaged checkpoints | 1 | 0 |" in capsys.readouterr().out
    monkeypatch.setattr(checkpoint, "load", lambda *_: None)
    assert campaign.main(["checkpoints", "--seed", "17", "--trials", "1"]) == 1
    assert "again: python bench/campaign.py checkpoints --seed 17 --trials 1" in capsys.readouterr().out


def test_the_page_has_a_row_for_every_kind() -> None:
    page = (Path(__file__).parents[1] / "docs" / "reliability.md").read_text(encoding="utf-8")
    for number, what, _ in campaign.KINDS.values():
        assert f"| {what} |" in page
        assert not number or f"{number:,}" in page
