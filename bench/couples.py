"""What sharing layers is worth: CoGAN's pixel agreement with 0, 1, 2, ... shared layers of the artists and of the critics.

    python bench/couples.py [edges|negatives] [images] [seeds]

Prints one JSON row a run: shared layers, seed, pixel agreement of 10,000 couples and of 10,000 strangers.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from ganvas.evaluation.evaluate import evaluate
from ganvas.games.recipes import resolve_recipe
from ganvas.training.api import train

ARTISTS = ((0, 3), (1, 3), (2, 3), (3, 3))  # (shared_g, shared_d)
CRITICS = ((3, 0), (3, 1), (3, 2))


def main() -> None:
    """Train and measure every pair of numbers."""
    task = sys.argv[1] if len(sys.argv) > 1 else "edges"
    images = int(sys.argv[2]) if len(sys.argv) > 2 else None
    for seed in range(int(sys.argv[3]) if len(sys.argv) > 3 else 1):
        for artists, critics in (*ARTISTS, *CRITICS):
            settings = {"config.shared_g": artists, "config.shared_d": critics}
            with tempfile.TemporaryDirectory() as folder:
                run = Path(folder) / "run"
                train(resolve_recipe(f"cogan-{task}", settings, images=images, seed=seed), out=run)
                report = evaluate(run, metrics=["agreement"], split="train")
            found = {name.removesuffix("10k"): round(measure.value, 4) for name, measure in report.measures.items()}
            print(json.dumps({"task": task, "shared_g": artists, "shared_d": critics, "seed": seed, **found}), flush=True)


if __name__ == "__main__":
    main()
