"""What all trials share: their result, miniature runs, children that are forked after torch is imported, and comparison."""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import torch

from ganvas.config import Recipe
from ganvas.engine import checkpoint
from ganvas.engine.autotune import initial_state
from ganvas.engine.state import dump
from ganvas.games.recipes import adapt_recipe, open_data, parse_recipe, resolve_recipe
from ganvas.runtime.plan import Plan
from ganvas.training.run_folder import Run, open_run
from ganvas.training.trainer import fit
from ganvas.utils.settings import to_dict

TESTS = str(Path(__file__).parents[2] / "tests")
SHM = Path("/dev/shm")  # memory instead of a disk: a kill does not wait for it
PLAN = Plan(threads=1)


@dataclass
class Tally:
    """What a kind of trial has counted."""

    kind: str
    done: int = 0
    seconds: float = 0.0
    failures: list[str] = field(default_factory=list)  # each with the command that repeats it
    notes: dict[str, int] = field(default_factory=dict)  # further counts

    def note(self, name: str, count: int = 1) -> None:
        """Add to a further count."""
        self.notes[name] = self.notes.get(name, 0) + count

    def fail(self, seed: int, what: object) -> None:
        """Add a failure."""
        text = " ".join(str(what).split())
        self.failures.append(f"{text[:400]}   (again: python bench/campaign.py {self.kind} --seed {seed} --trials 1)")


@contextmanager
def workplace() -> Iterator[Path]:
    """A folder in memory, if the system has such a place, deleted at the end; the cache of pictures is in it."""
    before = os.environ.get("XDG_CACHE_HOME")
    folder = Path(tempfile.mkdtemp(prefix="ganvas-campaign-", dir=SHM if SHM.is_dir() else None))
    os.environ["XDG_CACHE_HOME"] = str(folder / "cache")
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if before is None:
            del os.environ["XDG_CACHE_HOME"]
        else:
            os.environ["XDG_CACHE_HOME"] = before


@contextmanager
def miniatures() -> Iterator[Any]:
    """The small games and faults of the tests, found by name for the time of the block."""
    sys.path.insert(0, TESTS)
    patch = pytest.MonkeyPatch()
    try:
        module = importlib.import_module("miniatures")
        before = importlib.import_module("ganvas.games.recipes").open_source
        module.install(patch)
        small = importlib.import_module("ganvas.games.recipes").open_source

        def open_either(config: Any, **more: Any) -> Any:
            return small(config, **more) if config.source in module.GAMES else before(config, **more)

        patch.setattr("ganvas.games.recipes.open_source", open_either)
        yield module
    finally:
        patch.undo()
        sys.path.remove(TESTS)


TINY = {"train.snapshots": "5", "train.precision": "float32", "train.checkpoint_every": "48", "train.batch": "8"}
IMAGES = {**TINY, "config.width": "4", "config.max_width": "8"}


def recipes(module: Any) -> dict[str, Recipe]:
    """Six small recipes: points, classes, a net that fades a new layer in, ADA at work, two discriminators and pools, text."""
    ring = resolve_recipe("gan-ring", {**TINY, "config.width": "8", "config.depth": "1"}, images=240, eval_every=80)
    classes = resolve_recipe("cgan-mnist", {**IMAGES, "config.head": "8", "config.critic_width": "4"}, images=160)
    grows = resolve_recipe("progan-mnist", {**IMAGES}, images=160)
    ada = resolve_recipe("dcgan-mnist", {**IMAGES}, images=160)
    words = resolve_recipe("textgan-names", {**TINY, "config.width": "8", "config.embedding": "4"}, images=160)
    cycle = module.RECIPES["miniature-cycle"]
    cycle = replace(cycle, train=replace(cycle.train, images=160, checkpoint_every=48, snapshots=5))
    return {"ring": ring, "classes": classes, "grows": grows, "ada": ada, "cycle": cycle, "words": words}


def begin(recipe: Recipe, folder: Path, plan: Plan = PLAN, augment: float = 0.0) -> Run:
    """A new run in `folder`, as `start_run` writes it, without timing a plan.

    `augment`: its discriminator has overfitted already, and this is the probability of each augmentation.
    """
    data = open_data(recipe)
    run = Run(folder, parse_recipe(to_dict(adapt_recipe(recipe, data))), plan)
    run.write()
    run.attach_data(data)
    if augment:
        state = initial_state(run.recipe, plan)
        state.balances[""].augment = augment
        tensors, counters = dump(state)
        checkpoint.save(folder / "checkpoints", 0, tensors, {"state": counters, "seconds": 0.0, "journal": {}})
    return run


def finish(folder: Path) -> None:
    """Continue the run in `folder` to its end."""
    for _ in fit(open_run(folder)):
        pass


def everything(folder: Path) -> dict[str, str]:
    """A hash of each file of a run that does not depend on the clock."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        bundle = "/" not in name and path.suffix == ".safetensors"  # and the discriminator of it
        fixed = name.startswith("samples/") or name in ("log.jsonl", "best.json") or bundle
        left = path.name.startswith(".ganvas-")  # a temporary file: nothing may leave one
        if path.is_file() and (fixed or left or name in ("sheet.png", "learning.gif")):
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    if (folder / "result.json").exists():
        result = json.loads((folder / "result.json").read_text())
        found["result.json"] = str({name: value for name, value in result.items() if "second" not in name})
    return found


def differences(one: dict[str, str], other: dict[str, str]) -> list[str]:
    """The names of the files that differ."""
    return [name for name in sorted(one | other) if one.get(name) != other.get(name)]


def fork(work: Callable[[], object], report: Path | None = None) -> int:
    """Run `work` in a forked child; its process id. An exception is written to `report`; the code is then 1."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        os.environ.pop("PYTEST_CURRENT_TEST", None)
        torch.set_num_threads(1)
        work()
        code = 0
    except BaseException:
        if report is not None:
            report.write_text(traceback.format_exc()[-3000:])
    finally:
        os._exit(code)


def wait(pid: int, seconds: float = 120.0) -> int:
    """The end of a child: its exit code, or minus the number of the signal; one that takes too long is killed (-99)."""
    end = time.monotonic() + seconds
    while True:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > end:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            return -99
        time.sleep(0.002)


def chance(kind: str, seed: int) -> random.Random:
    """The random numbers of one trial: a function of the kind and the seed."""
    return random.Random(f"{kind}/{seed}")
