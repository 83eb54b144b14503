"""The effect of the balance: games that are made uneven, trained without and with it.

    python bench/balance.py [seeds] [experiment[:mode] ...]

Experiments, on the ring and on MNIST: fast (learning rate of D times ten), small (D a fifth as wide), few (500 images) and
healthy; each with 2,000,000 points or 48,000 images. Prints a JSON row for each run, then mean and standard deviation.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from runs_and_rows import print_rows, train_and_measure

from ganvas.config import DataConfig
from ganvas.data.open import open_source

EXPERIMENTS: dict[str, tuple[str, dict[str, str]]] = {
    "ring-fast": ("gan-ring", {"train.rates.D": "10"}),
    "ring-small": ("gan-ring", {"config.critic_width": "25"}),
    "ring-healthy": ("gan-ring", {}),
    "mnist-fast": ("cgan-mnist", {"train.rates.D": "10"}),
    "mnist-small": ("cgan-mnist", {"config.critic_width": "6", "config.head": "51"}),
    "mnist-few": ("cgan-mnist", {}),
    "mnist-healthy": ("cgan-mnist", {}),
}


def save_few_digits(folder: Path, count: int = 500) -> str:
    """Save the first `count` digits of a shuffled MNIST as an .npz archive; returns its path."""
    fields = open_source(DataConfig(source="mnist")).fields
    rows = np.random.default_rng(0).permutation(60_000)[:count]
    images = fields["real"].numpy()[rows, 0]
    np.savez(folder / "few.npz", images=images, labels=fields["label"].numpy()[rows])
    return str(folder / "few.npz")


def measure_seeds(
    recipe: str, settings: Mapping[str, str], mode: str, seeds: int, data: str | None
) -> Iterator[dict[str, Any]]:
    """The measures of each seed, against the test split of the full data."""
    ring = recipe == "gan-ring"
    options: dict[str, Any] = {"balance": mode, "data": data, "images": 2_000_000 if ring else 48_000}
    metrics, measure = (["modes"] if ring else ["fd", "requested"]), {"against": "ring" if ring else "mnist"}
    for seed in range(seeds):
        report, _, log = train_and_measure(recipe, settings, metrics, seed=seed, measure=measure, **options)
        memory = [row["memory"] for row in log if "memory" in row][-1]
        values = {name: measure.value for name, measure in report.measures.items()}
        yield {"seed": seed, **values, "interventions": sum("event" in row for row in log), "memory": round(memory, 3)}


def main() -> None:
    """Run the experiments named on the command line, or all."""
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory() as folder:
        for word in sys.argv[2:] or EXPERIMENTS:
            name, _, only = word.partition(":")
            recipe, settings = EXPERIMENTS[name]
            data = save_few_digits(Path(folder)) if name.endswith("few") else None
            for mode in (only,) if only else ("fixed", "auto"):
                print_rows(measure_seeds(recipe, settings, mode, seeds, data), experiment=name, balance=mode)


if __name__ == "__main__":
    main()
