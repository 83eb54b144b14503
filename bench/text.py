"""Quality and variety of text: an LSTM trained by likelihood and one as a GAN, each at several temperatures.

    python bench/text.py [names|words|oracle] [seeds] [RUN ...]

Trains textlm-... and textgan-... with each seed, or measures the runs on the command line. Prints a JSON row for each model and
temperature. Names and words: n-gram divergence from test lines, distinct and novel lines. Oracle: -log likelihood of the lines
under the oracle (`oracle`, lower is better). `nats`: -log likelihood of test lines under the model, high if it lacks variety.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from ganvas.evaluation.text import measure
from ganvas.games.recipes import resolve_recipe
from ganvas.inference.model import load
from ganvas.training.api import train

TEMPERATURES = (1.2, 1.0, 0.9, 0.8, 0.7, 0.6, 0.5)
METRICS = {
    "oracle": ("oracle", "distinct", "nats"),
    "names": ("trigrams", "fourgrams", "distinct", "novel", "nats"),
    "words": ("trigrams", "fourgrams", "distinct", "novel", "nats"),
}
SAMPLES = {"oracle": 2_000, "names": 10_000, "words": 10_000}  # of each sample set, at most


def print_temperatures(run: Path, source: str, seed: int | None) -> None:
    """A row for each temperature."""
    model = load(run)
    for temperature in TEMPERATURES:
        found, reference = measure(
            model, source, chosen=METRICS[source], samples=SAMPLES[source], temperature=temperature, split="test"
        )
        row = {
            "model": str(model.card["recipe"]["name"]),
            "items": model.card["items"],
            "seed": seed,
            "temperature": temperature,
        }
        values = {name: round(value, 4) for name, (value, _, _, _) in found.items()}
        floors = {f"floor:{name}": round(floor, 4) for name, (_, _, floor, _) in found.items() if floor is not None}
        print(json.dumps({**row, **values, **floors, "reference": reference}), flush=True)


def main() -> None:
    """Train and measure, or only measure."""
    source = sys.argv[1] if len(sys.argv) > 1 else "names"
    if source not in METRICS:
        sys.exit(f"expected one of {', '.join(METRICS)}; see the head of {__file__}")
    if len(sys.argv) > 3:
        for run in sys.argv[3:]:
            print_temperatures(Path(run), source, None)
        return
    recipes = [f"textlm-{source}", f"textgan-{source}"]
    for seed in range(int(sys.argv[2]) if len(sys.argv) > 2 else 3):
        for name in recipes:
            with tempfile.TemporaryDirectory() as folder:
                train(resolve_recipe(name, seed=seed), out=Path(folder) / "run")
                print_temperatures(Path(folder) / "run", source, seed)


if __name__ == "__main__":
    main()
