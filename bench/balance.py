"""What the balance is worth: games made uneven, played as they are and steered.

    python bench/balance.py [seeds] [experiment ...]

Experiments: fast (the critic's learning rate times ten), small (a critic a fifth as wide), few (500 pictures), healthy. Prints
one JSON row per experiment, data, mode and seed, with the run's measures, and then mean and deviation of each group.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean, stdev

import numpy as np

from ganvas.config import DataConfig
from ganvas.data import open_source
from ganvas.evaluate import evaluate
from ganvas.model import resolve, train

RING: dict[str, dict[str, str]] = {"fast": {"train.rates.D": "10"}, "small": {"config.critic_width": "25"}, "healthy": {}}
MNIST: dict[str, dict[str, str]] = {
    "fast": {"train.rates.D": "10"},
    "small": {"config.critic_width": "5", "config.head": "26"},
    "few": {},
    "healthy": {},
}


def few(folder: Path, count: int = 500) -> str:
    """The first 500 digits of a shuffled MNIST, as an archive."""
    fields = open_source(DataConfig(source="mnist")).fields
    rows = np.random.default_rng(0).permutation(60_000)[:count]
    images = fields["real"].numpy()[rows, 0]
    np.savez(folder / "few.npz", images=images, labels=fields["label"].numpy()[rows])
    return str(folder / "few.npz")


def measured(recipe: str, settings: Mapping[str, str], seed: int, mode: str, data: str | None) -> dict[str, float]:
    """Train, and measure against the full data's test split."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        train(resolve(recipe, settings, seed=seed, balance=mode, data=data), out=run)
        ring = recipe == "gan-ring"
        metrics = ["modes"] if ring else ["fd", "requested"]
        report = evaluate(run, against="ring" if ring else "mnist", metrics=metrics)
        rows = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
        values = {name: measure.value for name, measure in report.measures.items()}
        last = [row for row in rows if "memory" in row][-1]
        return values | {"interventions": sum("event" in row for row in rows), "memory": round(last["memory"], 3)}


def main() -> None:
    """Run the experiments named on the command line, or all."""
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    chosen = sys.argv[2:] or ["fast", "small", "few", "healthy"]
    for recipe, experiments in (("gan-ring", RING), ("cgan-mnist", MNIST)):
        for name in (name for name in chosen if name in experiments):
            for mode in ("fixed", "auto"):
                found: list[dict[str, float]] = []
                for seed in range(seeds):
                    with tempfile.TemporaryDirectory() as folder:
                        data = few(Path(folder)) if name == "few" else None
                        found.append(measured(recipe, experiments[name], seed, mode, data))
                    print(
                        json.dumps({"recipe": recipe, "experiment": name, "balance": mode, "seed": seed, **found[-1]}),
                        flush=True,
                    )
                for key in found[0]:
                    values = [row[key] for row in found]
                    spread = stdev(values) if len(values) > 1 else 0.0
                    print(f"# {recipe} {name} {mode}: {key} {fmean(values):.4g} +- {spread:.2g} (n={len(values)})", flush=True)


if __name__ == "__main__":
    main()
