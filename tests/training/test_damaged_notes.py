"""Damaged notes in a run folder do not stop a good run: rows are dropped, checkpoints skipped, values checked; all is said."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support import PLAN, miniature

from ganvas.cli.terminal import show_training
from ganvas.engine import checkpoint
from ganvas.errors import DataError
from ganvas.evaluation import validation
from ganvas.runtime.distributed import Ranks
from ganvas.training.log import read_log
from ganvas.training.roll_backs import read_roll_backs
from ganvas.training.run_folder import Run, read_run
from ganvas.training.trainer import Trainer, fit


def begun(folder: Path, name: str = "gan-ring", **train: Any) -> Run:
    """A miniature run, not yet trained."""
    recipe, data = miniature(name)
    run = Run(folder, replace(recipe, train=replace(recipe.train, **train)), PLAN)
    run.write()
    run.data = data
    return run


def train_to(run: Run, items: int) -> list[str]:
    """Train until `items` images and stop; the messages."""
    reached = [False]
    told = []
    for progress in fit(run, stop=lambda: reached[0]):
        told += [event for event in progress.events if not event.startswith("no distance to the data")]  # so few samples
        reached[0] = progress.items >= items - run.recipe.train.batch
    return told


def again(run: Run) -> Run:
    found = Run(run.folder, run.recipe, run.plan)
    found.data = run.data
    return found


@pytest.mark.parametrize(
    "row",
    ["{}}", "[1]", "7", '{"items": "many"}', '{"items": -3}', '{"D": [1]}', '{"D": true}', "[" * 100_000, '{"a": 1, "a": 2}'],
)
def test_an_odd_row_is_dropped_and_said(row: str, tmp_path: Path) -> None:
    whole, run = begun(tmp_path / "whole"), begun(tmp_path / "run")
    train_to(whole, 400)
    train_to(run, 200)
    path = run.folder / "log.jsonl"
    first, *rest = path.read_text().splitlines(keepends=True)
    path.write_text("".join([first, row + "\n", *rest]))
    assert train_to(again(run), 400) == ["1 damaged row of log.jsonl left out"]
    assert path.read_text() == (whole.folder / "log.jsonl").read_text()


def test_a_pipe_instead_of_a_log_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "log.jsonl")
    told: list[str] = []
    assert read_log(tmp_path / "log.jsonl", told.append) == []
    assert len(told) == 1
    assert "not a regular file" in told[0]
    assert told[0].endswith("; it is not read")


def test_a_log_that_cannot_be_read_stays_as_it_is_and_stops_nothing(tmp_path: Path) -> None:
    run = begun(tmp_path / "run")
    train_to(run, 160)
    (run.folder / "log.jsonl").unlink()
    os.mkfifo(run.folder / "log.jsonl")
    told = train_to(again(run), 240)
    assert told[0].endswith("; it stays as it is")
    assert (run.folder / "log.jsonl").is_fifo()


@pytest.mark.parametrize("text", ["[" * 100_000, "{", "[1, 2, 3, 4, 5, 6]", '["a"]', '{"a": 1}', "[-1]", "[true]", "\xff", "1"])
def test_roll_backs_that_are_damaged_are_counted_in_the_log(text: str, tmp_path: Path) -> None:
    (tmp_path / "rollbacks.json").write_text(text)
    event = "10 steps in a row were not finite: back from 12,480 images with 0.5 of the learning rate"
    (tmp_path / "log.jsonl").write_text(
        "".join(json.dumps({"items": 160, "event": words}) + "\n" for words in (event, "balance"))
    )
    told: list[str] = []
    assert read_roll_backs(tmp_path, told.append) == [12_480]
    assert len(told) == 1
    assert "rollbacks.json is damaged" in told[0]
    assert "the log knows of 1 roll-backs" in told[0]


def poison(run: Run) -> None:
    """A whole checkpoint of the same run with other networks."""
    wide = begun(run.folder.with_name("wide"))
    wide.recipe = replace(wide.recipe, config=replace(wide.recipe.config, width=16))
    train_to(wide, 240)
    put(run, wide)


def other_game(run: Run) -> None:
    other = begun(run.folder.with_name("other"), "vae-mnist")
    train_to(other, 240)
    put(run, other)


def put(run: Run, other: Run) -> None:
    newest = sorted((other.folder / "checkpoints").iterdir())[-1]
    target = run.folder / "checkpoints" / newest.name
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(newest, target)


def forge(**changes: Any) -> Callable[[Run], None]:
    """A whole newer checkpoint whose counters are odd."""

    def make(run: Run) -> None:
        found = checkpoint.load(run.folder / "checkpoints")
        assert found
        meta = json.loads(json.dumps(found.meta))
        for name, value in changes.items():
            (meta if name in meta else meta["state"])[name] = value
        checkpoint.save(run.folder / "checkpoints", 240, found.tensors, meta)

    return make


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (poison, "of networks of another size"),
        (other_game, "of another game"),
        (forge(items=7), "its number of images is not that of its name"),
        (forge(items="240"), "its counter 'items' is no whole number: 240"),
        (forge(items=240, step=-1), "its counter 'step'"),
        (forge(items=240, moves=[1]), "its numbers of moves"),
        (forge(items=240, balance={"rate": 2}), "no numbers of the balance"),
        (forge(items=240, balance={"lead": "high"}), "no numbers of the balance"),
        (forge(items=240, seconds="long"), "its seconds"),
        (forge(items=240, journal={"D": 1}), "its unfinished row"),
        (forge(items=240, state=[]), "it has no counters"),
    ],
)
def test_a_whole_checkpoint_of_something_else_is_skipped_for_an_older_one(
    change: Callable[[Run], None], says: str, tmp_path: Path
) -> None:
    run = begun(tmp_path / "run", checkpoint_every=10_000)
    train_to(run, 160)
    change(run)
    (told,) = train_to(again(run), 180)
    assert told.startswith("skipped checkpoint 000000240: ")
    assert says in told


def test_a_run_without_a_usable_checkpoint_says_that_it_starts_again(tmp_path: Path) -> None:
    run = begun(tmp_path / "run")
    train_to(run, 80)
    for path in (run.folder / "checkpoints").iterdir():
        (path / "game.safetensors").write_bytes(b"")
    assert "no checkpoint of this run can be used, so it starts again from 0 images" in train_to(again(run), 40)


@pytest.mark.parametrize(
    ("name", "value"),
    [("threads", 100_000), ("threads", 0), ("threads", "1"), ("ranks", 0), ("ranks", 10**9), ("precision", "float99")],
)
def test_a_plan_with_odd_values_is_refused(name: str, value: object, tmp_path: Path) -> None:
    run = begun(tmp_path / "run")
    env = json.loads((run.folder / "env.json").read_text())
    env["plan"][name] = value
    (run.folder / "env.json").write_text(json.dumps(env))
    with pytest.raises(DataError, match=rf"is not a run folder that can be read: .*plan\.{name}"):
        read_run(run.folder)


@pytest.mark.parametrize("minutes", [-1, 0, "NaN", "1e999", '"1"'])
def test_minutes_that_are_none_are_refused(minutes: object, tmp_path: Path) -> None:
    run = begun(tmp_path / "run")
    text = (run.folder / "env.json").read_text()
    (run.folder / "env.json").write_text(text.replace('"minutes": null', f'"minutes": {minutes}'))
    with pytest.raises(DataError, match="minutes"):
        read_run(run.folder)


@pytest.mark.parametrize("name", ["recipe.json", "env.json"])
def test_a_pipe_instead_of_a_settings_file_does_not_hang(name: str, tmp_path: Path) -> None:
    run = begun(tmp_path / "run")
    (run.folder / name).unlink()
    os.mkfifo(run.folder / name)
    with pytest.raises(DataError, match="is a pipe, not a regular file"):
        read_run(run.folder)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"items": "a", "value": 1}', "[" * 100_000, '{"items": 1, "value": "low"}'])
def test_a_damaged_note_of_the_best_model_is_written_again(text: str, tmp_path: Path) -> None:
    run = begun(tmp_path / "run")
    trainer = Trainer(run, ranks=Ranks(), events=[])
    (run.folder / "best.json").write_text(text)
    assert validation.keep_best(run.folder, trainer.state.average, trainer.card(), "fd", 2.0)
    assert json.loads((run.folder / "best.json").read_text()) == {"items": 0, "metric": "fd", "value": 2.0}


def test_a_pipe_instead_of_the_roll_backs_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "rollbacks.json")
    told: list[str] = []
    assert read_roll_backs(tmp_path, told.append) == []
    assert "not a regular file" in told[0]


@pytest.mark.parametrize(
    "data",
    ["x", [], {}, {"count": "9", "classes": [], "fingerprint": ""}, {"count": 9, "classes": "ab", "fingerprint": ""}],
)
def test_a_damaged_description_of_the_data_is_named(data: Any, tmp_path: Path) -> None:
    run = begun(tmp_path / "run")
    env = json.loads((run.folder / "env.json").read_text())
    (run.folder / "env.json").write_text(json.dumps({**env, "data": data}))
    with pytest.raises(DataError, match=r"env\.json: data: expected count, classes, fingerprint, found"):
        read_run(run.folder)


@pytest.mark.parametrize("odd", [{"items": True}, {"seconds": "9"}, {"test_accuracy": "x"}, {"test_loss": None}])
def test_a_result_that_cannot_be_shown_is_named(odd: dict[str, Any], tmp_path: Path) -> None:
    run = begun(tmp_path / "run")
    whole = {"items": 9, "seconds": 1.0, "dropped": 0, "images_per_second": 9.0, "test_loss": 1.0}
    (run.folder / "result.json").write_text(json.dumps(whole))
    assert run.result == whole
    (run.folder / "result.json").write_text(json.dumps(whole | odd))
    with pytest.raises(DataError, match="lacks figures of a finished run; delete it and repeat the end: ganvas resume"):
        _ = run.result


@pytest.mark.parametrize("text", ["", "[]", "{}", "\0" * 20])
def test_a_damaged_result_is_not_taken_for_the_end(text: str, tmp_path: Path) -> None:
    run = begun(tmp_path / "run")
    train_to(run, 160)
    (run.folder / "result.json").write_text(text)
    with pytest.raises(DataError, match=r"result\.json.*; delete it and repeat the end: ganvas resume"):
        show_training(again(run), Ranks(), quiet=True, as_json=False)
    (run.folder / "result.json").unlink()
    assert show_training(again(run), Ranks(), quiet=True, as_json=False) == 0
    assert run.finished
