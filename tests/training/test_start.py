"""Starts: two commands for one folder, starts that were cut off, and data that changes under a run."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from support import PLAN

from ganvas.config import Recipe
from ganvas.errors import DataError, ResourceError, UsageError
from ganvas.games.recipes import resolve_recipe
from ganvas.runtime.distributed import Ranks
from ganvas.training import run_folder
from ganvas.training.run_folder import Run, open_run
from ganvas.training.start import start_run
from ganvas.utils.files import MACHINE

SMALL = {"config.width": "4", "config.max_width": "8", "config.head": "8", "train.batch": "8", "config.critic_width": "4"}


@pytest.fixture(autouse=True)
def quick_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_folder, "choose_plan", lambda *_: PLAN)


def ring(**named: Any) -> Recipe:
    return resolve_recipe("gan-ring", {"config.width": "8"}, images=512, **named)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "lock"}


def test_the_second_command_leaves_the_first_ones_run_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both see a folder without a run; while the second chooses its plan, the first has written and is training."""
    first: list[Run] = []

    def choose(*_: Any) -> Any:
        monkeypatch.setattr(run_folder, "choose_plan", lambda *_: PLAN)
        first.append(start_run(ring(seed=1), out=tmp_path / "run"))
        first[0].lock(Ranks())
        return PLAN

    monkeypatch.setattr(run_folder, "choose_plan", choose)
    with pytest.raises(ResourceError, match="is being trained by another process"):
        start_run(ring(seed=2), out=tmp_path / "run")
    assert json.loads((tmp_path / "run" / "recipe.json").read_text())["train"]["seed"] == 1
    first[0].unlock()


@pytest.mark.parametrize("seed", [1, 2])
def test_a_run_that_another_command_started_meanwhile_is_continued_or_refused(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def choose(*_: Any) -> Any:
        monkeypatch.setattr(run_folder, "choose_plan", lambda *_: PLAN)
        start_run(ring(seed=1), out=tmp_path / "run")
        return PLAN

    monkeypatch.setattr(run_folder, "choose_plan", choose)
    if seed == 1:
        assert start_run(ring(seed=1), out=tmp_path / "run").recipe.train.seed == 1
    else:
        with pytest.raises(UsageError, match="holds another run"):
            start_run(ring(seed=2), out=tmp_path / "run")
    assert json.loads((tmp_path / "run" / "recipe.json").read_text())["train"]["seed"] == 1


def test_a_change_of_device_waits_for_the_lock(tmp_path: Path) -> None:
    run = start_run(ring(), out=tmp_path / "run")
    env = json.loads((run.folder / "env.json").read_text())
    env["plan"]["device"] = "cuda"
    (run.folder / "env.json").write_text(json.dumps(env))
    run.lock(Ranks())
    before = contents(run.folder)
    with pytest.raises(ResourceError, match="another process"):
        open_run(run.folder).move("cpu", Ranks())
    assert contents(run.folder) == before
    run.unlock()


def test_a_start_that_was_cut_off_can_be_repeated(tmp_path: Path) -> None:
    whole = contents(start_run(ring(), out=tmp_path / "whole").folder)
    for left in ([], ["lock"], ["env.json"], ["lock", "env.json"], [f".ganvas-{MACHINE}-1-00000000-00000000"]):
        folder = tmp_path / "-".join(["cut", *left])
        folder.mkdir()
        for name in left:
            (folder / name).write_bytes(whole.get(name, b""))
        with pytest.raises(DataError, match="a start was cut off in it, or it is empty; repeat the command"):
            open_run(folder)
        run = start_run(ring(seed=4), out=folder)
        assert open_run(folder).recipe.train.seed == run.recipe.train.seed == 4


@pytest.mark.parametrize("name", ["notes.txt", "recipe.txt", "env.json"])
def test_a_folder_of_something_else_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / name).write_text('{"name": "another program"}')
    with pytest.raises(UsageError, match="exists and is no run folder"):
        start_run(ring(), out=tmp_path / "run")


def test_minutes_are_converted_again_if_the_write_was_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the run would have the length of the recipe, and nobody would be told."""
    run = start_run(ring(), out=tmp_path / "run", minutes=1)
    written: list[str] = []

    def cut(path: Path, data: bytes) -> None:
        if written:
            raise KeyboardInterrupt
        written.append(path.name)

    monkeypatch.setattr(run_folder, "write_durably", cut)
    run.minutes = None
    with pytest.raises(KeyboardInterrupt):
        run.write()
    assert written == ["recipe.json"]
    assert open_run(run.folder).minutes == 1


def pictures(folder: Path, *names: str, count: int = 30) -> Path:
    for number, name in enumerate(names):
        (folder / name).mkdir(parents=True)
        for i in range(count):
            Image.new("L", (28, 28), 20 + 60 * number + i).save(folder / name / f"{i}.png")
    return folder


def pets(tmp_path: Path) -> Run:
    """A run that was started on two classes of pictures."""
    folder = pictures(tmp_path / "pets", "cats", "dogs")
    return start_run(resolve_recipe("cgan-mnist", SMALL, data=str(folder), images=64), out=tmp_path / "run")


def add_a_picture(folder: Path) -> None:
    Image.new("L", (28, 28), 255).save(folder / "cats" / "new.png")


def add_a_class(folder: Path) -> None:
    pictures(folder, "birds")


def rename_a_class(folder: Path) -> None:
    (folder / "cats").rename(folder / "tigers")


def change_a_picture(folder: Path) -> None:
    Image.new("L", (28, 28), 255).save(folder / "cats" / "0.png")


@pytest.mark.parametrize(
    ("change", "says", "fits"),
    [
        (add_a_picture, "61 images, it had 60", True),
        (change_a_picture, "other contents of the 60 images", True),
        (rename_a_class, "new classes: tigers; gone classes: cats", True),
        (add_a_class, "new classes: birds; 90 images, it had 60", False),
    ],
)
def test_changed_data_is_refused_and_can_be_accepted(change: Any, says: str, fits: bool, tmp_path: Path) -> None:
    run = pets(tmp_path)
    open_run(run.folder).prepare(None, Ranks())  # nothing has changed yet
    change(tmp_path / "pets")
    before = contents(run.folder)
    for again in (
        lambda: open_run(run.folder).prepare(None, Ranks()),
        lambda: start_run(resolve_recipe("cgan-mnist", SMALL, data=str(tmp_path / "pets"), images=64), out=run.folder),
    ):
        with pytest.raises(DataError, match=f"is not that of the start: {says}; put it back, or .*run --accept-data$"):
            again()
    shutil.copytree(tmp_path / "pets", tmp_path / "my pets")
    with pytest.raises(DataError, match=r"run --data '.*my pets' --accept-data$"):  # without --data: the data of before
        open_run(run.folder, str(tmp_path / "my pets")).prepare(None, Ranks())
    assert contents(run.folder) == before
    opened = open_run(run.folder)
    if not fits:
        with pytest.raises(DataError, match=r"its networks do not fit .*ganvas branch .*run --data PATH --out NEW"):
            opened.prepare(None, Ranks(), accept=True)
        return
    opened.prepare(None, Ranks(), accept=True)
    assert opened.notice == f"continued with changed data: {says}"
    open_run(run.folder).prepare(None, Ranks())  # it is remembered


def test_moved_data_is_found_where_the_user_says(tmp_path: Path) -> None:
    run = pets(tmp_path)
    (tmp_path / "pets").rename(tmp_path / "animals")
    with pytest.raises(DataError, match=r"no such file.*if it was moved, say where it is: ganvas resume .*run --data PATH$"):
        open_run(run.folder)
    opened = open_run(run.folder, str(tmp_path / "animals"))
    opened.prepare(None, Ranks())
    assert opened.notice == ""
    assert open_run(run.folder).recipe.data.source == str(tmp_path / "animals")


@pytest.mark.parametrize("source", ["mnist", "others"])
def test_other_data_is_not_taken_for_moved_data(source: str, tmp_path: Path) -> None:
    run = pets(tmp_path)
    shutil.move(pictures(tmp_path / "others", "cats", "dogs", count=20), tmp_path / "elsewhere")
    other = open_run(run.folder, source if source == "mnist" else str(tmp_path / "elsewhere"))
    with pytest.raises(DataError, match=r"other data than before|40 images, it had 60"):
        other.prepare(None, Ranks())


def test_a_finished_run_notes_moved_data_and_takes_no_other(tmp_path: Path) -> None:
    run = pets(tmp_path)
    (run.folder / "result.json").write_text("{}")
    (tmp_path / "pets").rename(tmp_path / "animals")
    open_run(run.folder, str(tmp_path / "animals")).prepare(None, Ranks())
    assert open_run(run.folder).recipe.data.source == str(tmp_path / "animals")
    pictures(tmp_path / "others", "cats", "birds")
    with pytest.raises(DataError, match="new classes: birds"):
        open_run(run.folder, str(tmp_path / "others")).prepare(None, Ranks())


def test_a_run_of_an_older_version_remembers_from_now_on(tmp_path: Path) -> None:
    run = pets(tmp_path)
    path = run.folder / "env.json"
    env = json.loads(path.read_text())
    known = env.pop("data")
    path.write_text(json.dumps(env))
    open_run(run.folder).prepare(None, Ranks())
    assert json.loads(path.read_text())["data"] == known


def test_the_folder_that_the_command_is_in_is_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start_run(ring(), out=tmp_path / "run")
    monkeypatch.chdir(tmp_path / "run")
    again = start_run(ring(), out=Path())
    assert again.recipe.train.images == 512
    with pytest.raises(UsageError, match="holds another run"):
        start_run(ring(seed=5), out=Path())


def test_a_name_with_a_path_stays_in_the_folder_of_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert start_run(replace(ring(), name="../../a\nb")).folder == Path("runs/00000-..-..-a-b-seed0")


def test_a_count_of_restarts_that_is_none_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TORCHELASTIC_RESTART_COUNT", "x")
    with pytest.raises(UsageError, match="TORCHELASTIC_RESTART_COUNT: expected a number, found 'x'"):
        start_run(ring())
