"""Resumes with another number of ranks: 1, 2 or 4 processes continue what 1, 2 or 4 began; all images are used, once.

The number is changed in env.json, because `ganvas resume` keeps that of the start: the last bits depend on it.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ganvas.engine import checkpoint
from ganvas.inference import model_file
from ganvas.runtime.distributed import Ranks
from ganvas.runtime.processes import local_ranks
from ganvas.training import worker
from ganvas.training.log import read_log
from ganvas.training.run_folder import open_run
from ganvas.training.trainer import fit
from trials.common import PLAN, Tally, begin, chance, fork, miniatures, recipes, wait, workplace

COUNTS = (1, 2, 4)


class Child:
    """A forked rank, with the two methods of a process that `ganvas.runtime.processes` uses."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def wait(self) -> int:
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)


def run(seeds: range, until: float) -> Tally:
    """One run for each seed: begun with one number of ranks, stopped, continued with another."""
    tally, start = Tally("ranks"), time.monotonic()
    with workplace() as place, miniatures() as module:
        known = [recipes(module)[name] for name in ("ring", "classes", "cycle")]
        known = [replace(recipe, train=replace(recipe.train, images=96)) for recipe in known]
        for seed in seeds:
            if time.monotonic() > until:
                break
            random, folder, report = chance("ranks", seed), place / f"run-{seed}", place / "report"
            recipe = known[seed % len(known)]
            first, second = random.sample(COUNTS, 2)
            stop = random.randrange(24, recipe.train.images - 24)
            what = f"{recipe.name}: {first} ranks to about {stop} images, then {second}"
            begin(recipe, folder, replace(PLAN, ranks=first))
            report.unlink(missing_ok=True)
            code = wait(fork(partial(_train, folder, stop), report), 300)
            env = json.loads((folder / "env.json").read_text())
            env["plan"]["ranks"] = second
            (folder / "env.json").write_text(json.dumps(env))
            code = code or wait(fork(partial(_train, folder, 10**9), report), 300)
            wrong = f"ended with {code}: {report.read_text() if report.exists() else ''}" if code else _check(folder)
            if wrong:
                tally.fail(seed, f"{what}: {wrong}")
            tally.done += 1
            shutil.rmtree(folder, ignore_errors=True)
    tally.seconds = time.monotonic() - start
    return tally


def _check(folder: Path) -> str:
    """What is wrong with a finished run; "" if nothing is."""
    images = json.loads((folder / "recipe.json").read_text())["train"]["images"]
    found = checkpoint.load(folder / "checkpoints")
    if found is None or found.items != images or not (folder / "result.json").exists():
        return f"it is not at its end of {images} images"
    if not checkpoint.is_finite(found.tensors):
        return "its weights are not finite"
    model_file.load(folder, discriminator=True)
    steps = [row["step"] for row in read_log(folder / "log.jsonl") if "dropped" in row]
    return "" if steps == sorted(set(steps)) and steps else f"its log has the steps {steps}"


def _train(folder: Path, images: int) -> None:
    """Train with all ranks of the run until about `images` were used."""
    patch = pytest.MonkeyPatch()
    patch.setattr("ganvas.runtime.processes.launch", _launch)
    opened, reached = open_run(folder), [False]
    with local_ranks(folder, opened.plan, Ranks()) as peers:
        for progress in fit(opened, peers, stop=lambda: reached[0]):
            reached[0] = progress.items >= images


def _launch(folder: Path, size: int, timed: bool = False) -> list[Any]:
    """Ranks 1 .. size-1 as forked children: nothing has to be imported again."""
    del timed
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = {"WORLD_SIZE": str(size), "LOCAL_WORLD_SIZE": str(size), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    os.environ.update({**shared, "GLOO_SOCKET_IFNAME": "lo", "OMP_NUM_THREADS": "1"})

    def work(rank: int) -> None:
        os.environ.update({"RANK": str(rank), "LOCAL_RANK": str(rank)})
        sys.argv = ["worker", str(folder)]
        worker.main()

    children = [Child(fork(partial(work, rank))) for rank in range(1, size)]
    os.environ.update({"RANK": "0", "LOCAL_RANK": "0"})
    return children
