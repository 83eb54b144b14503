"""A disk that refuses: the k-th file operation of a start, a save, a resume and an end fails, for every k.

Afterwards nothing is lost: the older checkpoint is there, no temporary file is left, and the run ends as if nothing had been.
"""

from __future__ import annotations

import errno
import importlib
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ganvas.engine import checkpoint
from ganvas.errors import GanvasError
from ganvas.runtime.distributed import Ranks
from ganvas.training.run_folder import Run, open_run
from ganvas.training.start import start_run
from ganvas.training.trainer import fit
from trials.common import PLAN, TESTS, Tally, begin, differences, everything, finish, miniatures, recipes, workplace

CODES = (errno.ENOSPC, errno.EIO)


def run(seeds: Sequence[int], until: float) -> Tally:
    """Every operation with each error; trial i is operation i // 2 of all moments together, with error i % 2."""
    tally, start = Tally("failures"), time.monotonic()
    sys.path.insert(0, TESTS)
    faulty = importlib.import_module("file_faults").FaultyOs
    files = importlib.import_module("ganvas.utils.files")
    with workplace() as place, miniatures() as module:
        recipe = recipes(module)["ring"]
        begin(recipe, place / "whole")
        finish(place / "whole")
        expected = everything(place / "whole")
        moments = _moments(recipe, place)
        operations = [(name, k) for name, (_, count) in moments.items() for k in range(1, count + 1)]
        for number in seeds:
            if number >= len(CODES) * len(operations) or time.monotonic() > until:
                break
            name, k = operations[number // len(CODES)]
            code, folder = CODES[number % len(CODES)], place / f"run-{number}"
            patch, what = pytest.MonkeyPatch(), f"{name}, operation {k}, {errno.errorcode[code]}"
            prepare_and_do = moments[name][0]
            do = prepare_and_do(folder)
            before = checkpoint.load(folder / "checkpoints")
            patch.setattr(files, "os", faulty(k, code))
            try:
                do()
            except GanvasError:
                tally.note("told in one line")
            except Exception as bug:
                tally.fail(number, f"{what}: {bug!r}")
            finally:
                patch.undo()
            after = checkpoint.load(folder / "checkpoints")
            if before is not None and (after is None or after.items < before.items):
                tally.fail(number, f"{what}: a checkpoint is lost")
            try:
                if not (folder / "recipe.json").exists():
                    begin_again(recipe, folder)
                finish(folder)
                if wrong := differences(_without_pictures(everything(folder)), _without_pictures(expected)):
                    tally.fail(number, f"{what}: continued, it differs in {', '.join(wrong)}")
            except Exception as bug:
                tally.fail(number, f"{what}: cannot be continued: {bug!r}")
            tally.done += 1
            shutil.rmtree(folder, ignore_errors=True)
    tally.seconds = time.monotonic() - start
    return tally


def begin_again(recipe: Any, folder: Path) -> None:
    """The command that starts a run, once more in the same folder."""
    patch = pytest.MonkeyPatch()
    patch.setattr("ganvas.training.run_folder.choose_plan", lambda *_: PLAN)
    try:
        start_run(recipe, out=folder)
    finally:
        patch.undo()


Moment = Callable[[Path], Callable[[], object]]


def _moments(recipe: Any, place: Path) -> dict[str, tuple[Moment, int]]:
    """Name of a moment -> what prepares a folder and returns the work, and the number of file operations in that work."""

    def prepare_start(folder: Path) -> Callable[[], object]:
        return partial(begin_again, recipe, folder)

    def prepare_train(images: int, stop: int, folder: Path) -> Callable[[], object]:
        opened = begin(recipe, folder)
        _train(opened, images)
        return partial(_train, open_run(folder), stop)

    def prepare_resume(folder: Path) -> Callable[[], object]:
        _train(begin(recipe, folder), 104)

        def resume() -> None:
            opened = open_run(folder)
            opened.prepare(None, Ranks())
            opened.lock(Ranks())
            try:
                _train(opened, 112)
            finally:
                opened.unlock()

        return resume

    kinds: dict[str, Moment] = {
        "start": prepare_start,
        "save": partial(prepare_train, 64, 104),
        "resume": prepare_resume,
        "end": partial(prepare_train, 216, 10**9),
    }
    found = {}
    files, faulty = importlib.import_module("ganvas.utils.files"), importlib.import_module("file_faults").FaultyOs
    for name, kind in kinds.items():
        work, patch, counter = kind(place / f"count-{name}"), pytest.MonkeyPatch(), faulty(10**9, errno.EIO)
        patch.setattr(files, "os", counter)
        try:
            work()
        finally:
            patch.undo()
        found[name] = (kind, counter.done)
    return found


def _train(run: Run, images: int) -> None:
    """Train until about `images` were used, and stop as after Ctrl-C."""
    reached = [False]
    for progress in fit(run, stop=lambda: reached[0]):
        reached[0] = progress.items >= images - run.recipe.train.batch


def _without_pictures(found: dict[str, str]) -> dict[str, str]:
    """A snapshot or a row of the log that the disk refused is told, and left out: that is promised, so it is not compared."""
    return {name: value for name, value in found.items() if name == "result.json" or name.startswith("model.")}
