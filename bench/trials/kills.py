"""SIGKILL at random moments: the run, continued, ends with the same files as one that nobody disturbed.

Half of the children are killed by the clock, from outside and so also within a system call. The other half kill themselves at
their n-th call or return of a function, which a seed repeats exactly.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

from trials.common import Tally, begin, chance, differences, everything, finish, fork, miniatures, recipes, wait, workplace

MOST = 8  # kills of one run


def run(seeds: range, until: float, only: frozenset[str] = frozenset(), kills: int = 1_000) -> Tally:
    """One run for each seed, killed one to eight times, until `kills` were made or the time is over."""
    tally, start = Tally("kills"), time.monotonic()
    with workplace() as place, miniatures() as module:
        known = {name: recipe for name, recipe in recipes(module).items() if not only or name in only}
        prepared: dict[str, tuple[Path, dict[str, str], int, float]] = {}
        for seed in seeds:
            if tally.done >= kills or time.monotonic() > until:
                break
            name = sorted(known)[seed % len(known)]
            if name not in prepared:
                prepared[name] = _prepare(name, known[name], place)
            _trial(seed, name, *prepared[name], place, tally)
    tally.seconds = time.monotonic() - start
    return tally


def _prepare(name: str, recipe: Any, place: Path) -> tuple[Path, dict[str, str], int, float]:
    """A folder to copy, what an unbroken run leaves, and how many function calls and seconds it takes."""
    fresh, whole = place / f"{name}-start", place / f"{name}-whole"
    begin(recipe, fresh, augment=0.4 if name == "ada" else 0.0)
    shutil.copytree(fresh, whole)
    start = time.monotonic()
    if code := wait(fork(partial(finish, whole), place / "report"), 600):
        raise RuntimeError(f"{name} does not train undisturbed (code {code}): {(place / 'report').read_text()}")
    seconds = time.monotonic() - start
    counted = place / "counted"
    shutil.copytree(fresh, place / "count")
    wait(fork(partial(_count_calls, place / "count", counted), place / "report"), 600)
    shutil.rmtree(place / "count")
    return fresh, everything(whole), int(counted.read_text()), seconds


def _trial(
    seed: int, name: str, fresh: Path, expected: dict[str, str], calls: int, seconds: float, place: Path, tally: Tally
) -> None:
    random, folder, report = chance("kills", seed), place / f"run-{seed}", place / "report"
    shutil.copytree(fresh, folder)
    for _ in range(random.randint(1, MOST)):
        by_call = random.random() < 0.5
        if by_call:
            code = wait(fork(partial(_die_at_call, folder, random.randint(1, calls)), report))
        else:
            delay = random.random() * seconds
            child = fork(partial(finish, folder), report)
            end = time.monotonic() + delay
            while time.monotonic() < end and _lives(child):
                time.sleep(0.001)
            if _lives(child):
                os.kill(child, signal.SIGKILL)
            code = wait(child)
        if code == -signal.SIGKILL:
            tally.done += 1
            tally.note("by a counted call" if by_call else "by the clock")
            if any(folder.rglob(".ganvas-*")):
                tally.note("within a write")
        elif code:
            tally.fail(seed, f"{name}: ended with {code} instead of training: {report.read_text() if report.exists() else ''}")
            break
    code = wait(fork(partial(finish, folder), report))
    if code:
        tally.fail(seed, f"{name}: cannot be continued ({code}): {report.read_text() if report.exists() else ''}")
    elif wrong := differences(everything(folder), expected):
        tally.fail(seed, f"{name}: differs from an unbroken run in {', '.join(wrong)}")
    tally.note("runs")
    shutil.rmtree(folder, ignore_errors=True)


def _lives(child: int) -> bool:
    """Whether the child still runs. It stays waitable."""
    return os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None


def _die_at_call(folder: Path, last: int) -> None:
    count = 0

    def watch(*_: object) -> None:
        nonlocal count
        count += 1
        if count >= last:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(watch)
    finish(folder)


def _count_calls(folder: Path, out: Path) -> None:
    count = 0

    def watch(*_: object) -> None:
        nonlocal count
        count += 1

    sys.setprofile(watch)
    finish(folder)
    sys.setprofile(None)
    out.write_text(str(count))
