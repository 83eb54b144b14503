"""Folders and files that an ordinary user may not read or write: one line, and nothing is changed.

Root may do everything, so the work is done in a child process as the user `nobody` if the tests run as root.
"""

from __future__ import annotations

import os
import pwd
import re
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from support import PLAN

from ganvas.errors import GanvasError
from ganvas.games.recipes import adapt_recipe, open_data, parse_recipe, resolve_recipe
from ganvas.inference import model_file
from ganvas.runtime.distributed import Ranks
from ganvas.training.run_folder import Run, open_run
from ganvas.training.run_place import require_place
from ganvas.training.trainer import fit
from ganvas.utils.settings import to_dict

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no users")


def as_ordinary_user(work: Callable[[], object], told: Path) -> str:
    """What `work` raises when an ordinary user does it; "" if it raises nothing."""
    told.write_text("")
    pid = os.fork()
    if pid == 0:
        try:
            torch.set_num_threads(1)
            if os.getuid() == 0:
                told.chmod(0o666)
                os.setgroups([])
                os.setgid(pwd.getpwnam("nobody").pw_gid)
                os.setuid(pwd.getpwnam("nobody").pw_uid)
            work()
        except GanvasError as failure:
            told.write_text(f"{type(failure).__name__}: {failure}")
        except BaseException:
            told.write_text(traceback.format_exc())
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    return told.read_text()


def begun(folder: Path) -> Run:
    settings = {"config.width": "8", "config.depth": "1", "train.batch": "32", "train.checkpoint_every": "64"}
    recipe = resolve_recipe("gan-ring", settings, images=256)
    data = open_data(recipe)
    run = Run(folder, parse_recipe(to_dict(adapt_recipe(recipe, data))), PLAN)
    run.write()
    run.attach_data(data)
    return run


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """A run that was stopped; everybody may do everything with it."""
    made, reached = begun(tmp_path / "run"), [False]
    for progress in fit(made, stop=lambda: reached[0]):
        reached[0] = progress.items >= 96
    for path in (tmp_path, *made.folder.rglob("*"), made.folder):
        path.chmod(0o777 if path.is_dir() else 0o666)
    for path in tmp_path.parents:  # pytest's own folders, of which there is one more with several workers
        if not path.stat().st_mode & 0o001:
            path.chmod(path.stat().st_mode | 0o055)
    yield made
    for path in made.folder.rglob("*"):
        path.chmod(0o777 if path.is_dir() else 0o666)


def train(folder: Path) -> None:
    opened = open_run(folder)
    opened.lock(Ranks())
    for _ in fit(opened):
        pass


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_an_ordinary_user_may_continue_a_run_of_his_own(run: Run, tmp_path: Path) -> None:
    assert as_ordinary_user(lambda: train(run.folder), tmp_path / "told") == ""
    assert run.finished


@pytest.mark.parametrize(
    ("name", "mode", "says"),
    [
        ("recipe.json", 0o000, "DataError: .*run is not a run folder that can be read: recipe.json: Permission denied"),
        (".", 0o555, r"ResourceError: cannot write .*Permission denied; choose another place, or change its permissions"),
        ("checkpoints", 0o000, "ResourceError: cannot list .*checkpoints: Permission denied"),
    ],
)
def test_what_may_not_be_used_is_one_line_and_stays(name: str, mode: int, says: str, run: Run, tmp_path: Path) -> None:
    (run.folder / "lock").unlink(missing_ok=True)
    before = contents(run.folder)
    (run.folder / name).chmod(mode)
    told = as_ordinary_user(lambda: train(run.folder), tmp_path / "told")
    (run.folder / name).chmod(0o777)
    assert re.match(says, told), told
    assert {n: b for n, b in contents(run.folder).items() if n != "lock"} == before


def test_a_checkpoint_that_may_not_be_read_is_skipped(run: Run, tmp_path: Path) -> None:
    newest = sorted((run.folder / "checkpoints").iterdir())[-1]
    (newest / "game.safetensors").chmod(0o000)
    assert as_ordinary_user(lambda: train(run.folder), tmp_path / "told") == ""
    assert run.finished


@pytest.mark.parametrize("mode", [0o000, 0o444])
def test_a_log_that_may_not_be_used_stops_nothing(mode: int, run: Run, tmp_path: Path) -> None:
    before = b'{"step": 0, "items": 32}\n'
    (run.folder / "log.jsonl").write_bytes(before)
    (run.folder / "log.jsonl").chmod(mode)
    assert as_ordinary_user(lambda: train(run.folder), tmp_path / "told") == ""
    assert run.finished
    assert (run.folder / "log.jsonl").read_bytes() == before


def test_a_place_that_may_not_be_written(run: Run, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o555)
    closed.chmod(0o555)
    told = as_ordinary_user(lambda: require_place(closed / "run"), tmp_path / "told")
    assert told.startswith("ResourceError: cannot make the run folder")
    assert "Permission denied" in told


def test_a_bundle_that_may_not_be_read(run: Run, tmp_path: Path) -> None:
    run.model.chmod(0o000)
    told = as_ordinary_user(lambda: model_file.load(run.folder), tmp_path / "told")
    assert told.startswith("DataError: ")
    assert "Permission denied" in told
