"""Trackers: rows, sheets and events of a run reach another tool, once each, and never stop the training."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from PIL import Image

from ganvas.errors import GanvasError, UsageError
from ganvas.media.image_files import save_png
from ganvas.training import trackers
from ganvas.training.api import resume, train
from ganvas.training.log import TrainingLog, read_log
from ganvas.training.trackers import LogFollower, follow_log

TINY = {"ranks": 1, "precision": "float32", "batch": 32, "config.width": 8, "train.snapshots": 3}


class Kept:
    """A tracker that keeps what it gets."""

    def __init__(self, run: Path) -> None:
        self.scalars: list[tuple[int, dict[str, float]]] = []
        self.sheets: list[int] = []
        self.texts: list[tuple[int, str, str]] = []
        self.closed = False

    def add_scalars(self, items: int, values: Mapping[str, float]) -> None:
        self.scalars.append((items, dict(values)))

    def add_sheet(self, items: int, picture: Path) -> None:
        assert picture.read_bytes().startswith(b"\x89PNG")
        self.sheets.append(items)

    def add_text(self, items: int, title: str, words: str) -> None:
        self.texts.append((items, title, words))

    def close(self) -> None:
        assert not self.closed
        self.closed = True


def test_a_training_reaches_the_tracker_as_its_log_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Kept] = []

    def make(run: Path) -> Kept:
        made.append(Kept(run))
        return made[-1]

    monkeypatch.setitem(trackers.TRACKERS, "tensorboard", make)  # type: ignore[arg-type]
    train("gan-ring", images=1600, out=tmp_path / "run", log="tensorboard", **TINY)
    (kept,) = made
    rows = [row for row in read_log(tmp_path / "run" / "log.jsonl") if "event" not in row]
    assert [items for items, _ in kept.scalars] == [row["items"] for row in rows]
    assert all(values.keys() == row.keys() - {"step", "items"} for (_, values), row in zip(kept.scalars, rows, strict=True))
    sheets = sorted((tmp_path / "run" / "samples").glob("*.png"))
    assert len(kept.sheets) == len(sheets)
    assert kept.sheets[-1] == 1600
    assert kept.closed
    assert kept.texts[0][1] == "recipe"
    assert '"gan-ring"' in kept.texts[0][2]
    resume(tmp_path / "run", log="tensorboard")  # finished: nothing is trained, and nothing is passed on


def test_a_run_that_goes_back_is_passed_on_anew(tmp_path: Path) -> None:
    made: list[Kept] = []
    (tmp_path / "recipe.json").write_text("{}")
    log = TrainingLog(tmp_path / "log.jsonl", every=1)
    follower = LogFollower(tmp_path, lambda run: made.append(Kept(run)) or made[-1], pytest.fail)  # type: ignore[func-returns-value]
    follower.update()  # there is no log yet
    for step in range(4):
        log.add(step, 10 * (step + 1), {"D": 1.0})
    log.event({"items": 40, "event": "went wrong"})
    follower.update()
    follower.update()
    assert [items for items, _ in made[0].scalars] == [10, 20, 30, 40]
    assert made[0].texts[1:] == [(40, "events", "went wrong")]
    log.rewind(20, {})
    follower.update()
    assert len(made) == 2
    assert made[0].closed
    assert [items for items, _ in made[1].scalars] == [10, 20]


def test_the_end_passes_on_a_sheet_that_came_after_the_last_row(tmp_path: Path) -> None:
    (tmp_path / "recipe.json").write_text("{}")
    TrainingLog(tmp_path / "log.jsonl", every=1).add(0, 10, {"D": 1.0})
    follower = LogFollower(tmp_path, Kept, pytest.fail)
    follower.update()
    (tmp_path / "samples").mkdir()
    save_png(tmp_path / "samples" / "000000.010k.png", Image.new("RGB", (2, 2)), {})
    follower.update()
    follower.close()
    assert isinstance(follower.tracker, Kept)
    assert (follower.tracker.sheets, follower.tracker.closed) == ([10], True)


def test_a_tracker_that_fails_does_not_stop_the_training(tmp_path: Path) -> None:
    class Full(Kept):
        def add_scalars(self, items: int, values: Mapping[str, float]) -> None:
            raise OSError(28, "No space left on device")

    told: list[str] = []
    (tmp_path / "recipe.json").write_text("{}")
    follower = LogFollower(tmp_path, Full, told.append)
    log = TrainingLog(tmp_path / "log.jsonl", every=1)
    for step in range(3):
        log.add(step, step, {"D": 1.0})
        follower.update()
    assert len(told) == 1
    assert "training goes on" in told[0]
    assert "No space left" in told[0]


def test_unknown_and_missing_trackers_are_refused_before_the_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="unknown tracker 'tensorbord'"), follow_log(tmp_path, "tensorbord", print):
        pass
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(UsageError, match=r"pip install 'ganvas\[tensorboard\]'"), follow_log(tmp_path, "tensorboard", print):
        pass
    with pytest.raises(GanvasError, match="tensorboard"):
        train("gan-ring", images=320, out=tmp_path / "run", log="tensorboard", **TINY)
    assert not (tmp_path / "run").exists()


def test_tensorboard_reads_what_is_written(tmp_path: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    train("gan-ring", images=1600, out=tmp_path / "run", log="tensorboard", **TINY)
    found = accumulator.EventAccumulator(str(tmp_path / "run" / "tensorboard")).Reload()
    rows = [row for row in read_log(tmp_path / "run" / "log.jsonl") if "G" in row]
    assert [(event.step, event.value) for event in found.Scalars("G")] == [
        (row["items"], pytest.approx(row["G"], rel=1e-6)) for row in rows
    ]
    assert [event.step for event in found.Images("samples")][-1] == 1600
    assert "recipe/text_summary" in found.Tags()["tensors"]
