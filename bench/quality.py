"""The quality of the recipes: measures with seeds, seconds and floors. The test split is used once for each row.

    python bench/quality.py EXPERIMENT [seeds] [first seed] [--minutes M | --images N]

Either replaces the length of the experiment; with `--minutes` nothing else may run on the machine. Prints a JSON row for each
seed, then mean and standard deviation. Floors are called `floor:NAME`.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from runs_and_rows import print_rows, train_and_measure


@dataclass(frozen=True)
class Experiment:
    """A recipe, how long it is trained, and what is measured."""

    recipe: str
    metrics: tuple[str, ...]
    seeds: int = 3
    images: int | None = None  # of training: the minutes in the name, on two Zen 4 cores; None: those of the recipe
    samples: int = 10_000
    settings: dict[str, str] = field(default_factory=dict)


CLASSES = ("fd", "kd", "recall", "requested")
EXPERIMENTS = {
    "ring": Experiment("gan-ring", ("modes",), seeds=10, samples=2_500),
    "grid": Experiment("gan-grid", ("modes",), seeds=10, samples=2_500),
    "stacked": Experiment("dcgan-stacked", ("modes", "fd"), samples=26_000),
    "mnist-1": Experiment("cgan-mnist", CLASSES, images=100_000),
    "mnist-5": Experiment("cgan-mnist", (*CLASSES, "cas"), images=480_000, settings={"config.rules.mismatch": "0.03"}),
    "fashion-5": Experiment("cgan-fashion", CLASSES, images=480_000),
    "fashion-20": Experiment("cgan-fashion", (*CLASSES, "cas"), images=1_900_000),
    "groups": Experiment("cgan-mnist-groups", ("fd", "kd", "recall", "rarest", "commonest", "memorisation")),
    "unconditional": Experiment("dcgan-mnist-paired", ("fd", "kd", "recall", "rarest", "commonest", "memorisation")),
}


def measure_seeds(experiment: Experiment, seeds: range, minutes: float | None, images: int | None) -> Iterator[dict[str, Any]]:
    """The measures of each seed."""
    for seed in seeds:
        report, result, log = train_and_measure(
            experiment.recipe,
            experiment.settings,
            experiment.metrics,
            seed=seed,
            images=None if minutes else images or experiment.images,
            minutes=minutes,
            measure={"samples": experiment.samples},
        )
        values = {name: round(measure.value, 5) for name, measure in report.measures.items()}
        floors = {f"floor:{name}": m.floor for name, m in report.measures.items() if m.floor is not None}
        copies = {"copies": report.memorisation.copies} if report.memorisation else {}
        events = sum("event" in row for row in log)
        yield {
            "seed": seed,
            "images": report.items,
            "seconds": round(result["seconds"], 1),
            **values,
            **floors,
            **copies,
            "events": events,
        }


def main() -> None:
    """Run the experiment named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiment", choices=EXPERIMENTS)
    parser.add_argument("seeds", type=int, nargs="?")
    parser.add_argument("first", type=int, nargs="?", default=0)
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--minutes", type=float)
    length.add_argument("--images", type=int)
    asked = parser.parse_args()
    experiment = EXPERIMENTS[asked.experiment]
    seeds = range(asked.first, asked.first + (asked.seeds or experiment.seeds))
    print_rows(
        measure_seeds(experiment, seeds, asked.minutes, asked.images), experiment=asked.experiment, recipe=experiment.recipe
    )


if __name__ == "__main__":
    main()
