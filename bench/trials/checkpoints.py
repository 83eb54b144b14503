"""Damaged checkpoints: the newest one is skipped, by name, for the one before; wrong weights are never read."""

from __future__ import annotations

import shutil
import time
from functools import partial

import torch

from ganvas.engine import checkpoint
from trials.common import Tally, chance, workplace
from trials.damage import FLIPS_AND_CUTS, damage


def run(seeds: range, until: float) -> Tally:
    """One damaged file, or a file that is missing or another one's, for each seed."""
    tally, start = Tally("checkpoints"), time.monotonic()
    with workplace() as place:
        folder = place / "checkpoints"
        for items in (1, 2):
            tensors = {
                "game": {"w": torch.full((40, 5), float(items)), "n": torch.tensor(items)},
                "average": {"w": torch.full((40, 5), items / 2)},
                "optimizer.D": {"0.step": torch.tensor(float(items)), "0.exp_avg": torch.ones(40, 5) * items},
            }
            checkpoint.save(folder, items, tensors, {"items": items, "state": {"step": items}, "seconds": 1.5})
        newest = folder / "000000002"
        files = sorted(path for path in newest.iterdir())
        for seed in seeds:
            if time.monotonic() > until:
                break
            random = chance("checkpoints", seed)
            path, good = (chosen := random.choice(files)), chosen.read_bytes()
            way = random.random()
            if way < 0.9:
                kind, bad = damage(good, random)
                path.write_bytes(bad)
            elif way < 0.95:
                kind = "missing"
                path.unlink()
            else:
                kind, other = "another file", random.choice([each for each in files if each != path])
                shutil.copyfile(other, path)
            skipped: list[str] = []
            try:
                found = checkpoint.load(folder, partial(_note, skipped))
                if found is None or found.items != 1 or not bool((found.tensors["game"]["w"] == 1).all()):
                    tally.fail(seed, f"{kind} of {path.name}: read {found and found.items} instead of the checkpoint before")
                elif len(skipped) != 1 or not skipped[0].startswith("000000002: ") or not skipped[0].isprintable():
                    tally.fail(seed, f"{kind} of {path.name}: told {skipped}")
                elif kind in FLIPS_AND_CUTS:
                    tally.note("flips and cuts noticed")
            except Exception as bug:
                tally.fail(seed, f"{kind} of {path.name}: {bug!r}")
            path.write_bytes(good)
            tally.done += 1
    tally.seconds = time.monotonic() - start
    return tally


def _note(skipped: list[str], name: str, reason: str) -> None:
    skipped.append(f"{name}: {reason}")
