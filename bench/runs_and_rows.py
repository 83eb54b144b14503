"""Train a recipe and measure it; print rows with their mean and deviation. Shared by quality.py and balance.py."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from ganvas.evaluation.evaluate import Report, evaluate
from ganvas.games.recipes import resolve_recipe
from ganvas.training.api import train


def train_and_measure(
    recipe: str,
    settings: Mapping[str, str],
    metrics: Sequence[str],
    *,
    seed: int,
    measure: Mapping[str, Any],
    minutes: float | None = None,
    **options: Any,
) -> tuple[Report, dict[str, Any], list[dict[str, Any]]]:
    """One run from start to end: its report of `evaluate` (with the options `measure`), its result.json, and its log.

    `minutes` replaces the number of images.
    """
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        train(resolve_recipe(recipe, settings, seed=seed, **options), out=run, minutes=minutes)
        report = evaluate(run, metrics=metrics, **measure)
        rows = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
        return report, json.loads((run / "result.json").read_text()), rows


def print_rows(rows: Iterable[dict[str, Any]], **group: Any) -> None:
    """Print each row as JSON when it comes; at the end mean and standard deviation of each number."""
    found: dict[str, list[float]] = {}
    for row in rows:
        print(json.dumps(group | row), flush=True)
        for key, value in row.items():
            if isinstance(value, (int, float)) and key != "seed":
                found.setdefault(key, []).append(value)
    for key, values in found.items():
        spread = stdev(values) if len(values) > 1 else 0.0
        print(
            f"# {' '.join(map(str, group.values()))}: {key} {fmean(values):.4g} +- {spread:.2g} (n={len(values)})", flush=True
        )
