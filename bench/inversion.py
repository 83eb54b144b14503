"""Inversion: how many of a model's own samples come back.

    python bench/inversion.py RUN [--seeds 20] [--in w+]

Inverts samples that no search starts from. A sample has come back if less than 1 % of its pixels differ by more than 8 of 255
levels. Prints a JSON row for each seed, and the sum.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import torch

from ganvas.editing.inversion import invert
from ganvas.inference.model import load

FIRST = 2**31  # seed: far from those that a search starts from, and below 2**32, from where on PyTorch repeats them
LEVELS, SHARE = 8, 0.01


def main() -> None:
    """Invert the samples of the model that is named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--in", dest="where", choices=("z", "w", "w+"))
    asked = parser.parse_args()
    model, back = load(asked.run), 0
    samples = torch.cat([part for part, _ in model.stream(asked.seeds, FIRST)]).clamp(-1, 1)  # as they are stored
    for i, sample in enumerate(samples):
        started = time.perf_counter()
        found = invert(model, sample[None], where=asked.where)
        apart = float(((found.pictures[0] - sample).abs() * 127.5 > LEVELS).float().mean())
        back += apart < SHARE
        row = {"seed": FIRST + i, "error": round(float(found.errors), 3), "pixels": round(apart, 4)}
        print(json.dumps(row | {"seconds": round(time.perf_counter() - started, 2)}), flush=True)
    print(json.dumps({"model": model.name, "back": back, "of": asked.seeds}))


if __name__ == "__main__":
    main()
