"""The effect of shared layers: CoGAN's pixel agreement with 0, 1, 2, ... layers that the generators or discriminators share.

    python bench/couples.py [edges|negatives] [images] [seeds]

Prints a JSON row for each run: shared layers, seed, pixel agreement of 10,000 pairs and of 10,000 random pairs.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from ganvas.evaluation.evaluate import evaluate
from ganvas.games.recipes import resolve_recipe
from ganvas.training.api import train

GENERATORS = ((0, 3), (1, 3), (2, 3), (3, 3))  # (shared_g, shared_d)
DISCRIMINATORS = ((3, 0), (3, 1), (3, 2))


def main() -> None:
    """Train and measure every combination."""
    task = sys.argv[1] if len(sys.argv) > 1 else "edges"
    images = int(sys.argv[2]) if len(sys.argv) > 2 else None
    for seed in range(int(sys.argv[3]) if len(sys.argv) > 3 else 1):
        for shared_g, shared_d in (*GENERATORS, *DISCRIMINATORS):
            settings = {"config.shared_g": shared_g, "config.shared_d": shared_d}
            with tempfile.TemporaryDirectory() as folder:
                run = Path(folder) / "run"
                train(resolve_recipe(f"cogan-{task}", settings, images=images, seed=seed), out=run)
                report = evaluate(run, metrics=["agreement"], split="train")
            found = {name.removesuffix("10k"): round(measure.value, 4) for name, measure in report.measures.items()}
            print(json.dumps({"task": task, "shared_g": shared_g, "shared_d": shared_d, "seed": seed, **found}), flush=True)


if __name__ == "__main__":
    main()
