"""Damaged run folders: a note that is damaged is dropped and told, or the run is refused in one line; nothing else happens."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from ganvas.errors import GanvasError
from ganvas.runtime.distributed import Ranks
from ganvas.training.doctor import diagnose
from ganvas.training.run_folder import open_run
from ganvas.training.trainer import fit
from trials.common import Tally, begin, chance, miniatures, recipes, workplace
from trials.damage import damage

NOTES = (
    *("recipe.json", "env.json", "log.jsonl", "rollbacks.json", "best.json", "result.json"),
    *("model.safetensors", "model.discriminator.safetensors"),
)
STEPS = 3


def run(seeds: range, until: float) -> Tally:
    """One or two damaged files of an interrupted run for each seed; then it is continued for some steps."""
    tally, start = Tally("runs"), time.monotonic()
    with workplace() as place, miniatures() as module:
        fresh = place / "fresh"
        reached = [False]
        for progress in fit(begin(recipes(module)["ring"], fresh), stop=lambda: reached[0]):
            reached[0] = progress.items >= 120
        (fresh / "rollbacks.json").write_text("[96]")
        for seed in seeds:
            if time.monotonic() > until:
                break
            random, folder = chance("runs", seed), place / f"run-{seed}"
            shutil.copytree(fresh, folder)
            damaged = []
            for _ in range(random.choice((1, 1, 2))):
                path = folder / random.choice(NOTES)
                kind, bad = damage(path.read_bytes() if path.exists() else b"{}", random)
                path.write_bytes(bad)
                damaged.append(f"{kind} of {path.name}")
            what = " and ".join(damaged)
            for name, do in (("resume", _continue), ("doctor", _diagnose)):
                try:
                    do(folder)
                    tally.note(f"{name} went on")
                except GanvasError as refusal:
                    tally.note(f"{name} refused in one line")
                    if not " ".join(str(refusal).split()).isprintable():
                        tally.fail(seed, f"{what}: told {str(refusal)[:200]!r}")
                except Exception as bug:
                    tally.fail(seed, f"{what}: {name}: {bug!r}")
            tally.done += 1
            shutil.rmtree(folder, ignore_errors=True)
    tally.seconds = time.monotonic() - start
    return tally


def _continue(folder: Path) -> None:
    opened = open_run(folder)
    opened.prepare(None, Ranks())
    if opened.finished:
        _ = opened.result
        return
    if opened.recipe.train.images > 10**6 or opened.recipe.train.batch > 4096 or opened.plan.ranks > 1:
        return  # valid, but not for a trial
    for number, _ in enumerate(fit(opened)):
        if number >= STEPS:
            break


def _diagnose(folder: Path) -> None:
    diagnose(folder, "cpu")
