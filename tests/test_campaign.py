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


@pytest.mark.parametrize(
    ("trial", "count"),
    [
        (checkpoints, 300),
        (bundles, 300),
        (power, 500),
        (runs, 100),
        (inputs, 500),
        (requests, 500),
        (frames, 200),
        (ranks, 5),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_trials(trial: Any, count: int) -> None:
    tally = trial.run(range(1_000, 1_000 + count), until())
    assert (tally.failures, tally.done) == ([], count)


def test_every_twentieth_file_operation_fails() -> None:
    tally = failures.run(range(0, 476, 20), until())
    assert (tally.failures, tally.done) == ([], 24)


@pytest.mark.parametrize("count", [20, pytest.param(100, marks=pytest.mark.slow)])
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
