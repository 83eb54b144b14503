"""How often a game of points, as /play sets it up, ends with all its modes: `python bench/watched.py ring 21`."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace

import torch

from ganvas.studio.play.charts import Charts
from ganvas.studio.play.play_presets import choose_settings
from ganvas.studio.play.simulation import Simulation


def main() -> None:
    """Print a row of JSON a seed, then the sum."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", help="such as ring, grid, gaussians")
    parser.add_argument("seeds", type=int, help="how many, from 0")
    asked = parser.parse_args()
    torch.set_num_threads(1)  # as a session of /play
    torch.set_flush_denormal(True)
    reached = 0
    for seed in range(asked.seeds):
        simulation, charts = Simulation(replace(choose_settings(asked.data), seed=seed)), Charts()
        simulation.play("b", simulation.setup.length)
        charts.measure(simulation)
        found = charts.latest
        reached += found["captured"] == found["modes"]
        print(json.dumps({"seed": seed, **{name: round(value, 4) for name, value in found.items()}}), flush=True)
    print(f"# {asked.data}: all modes on {reached} of {asked.seeds} seeds")


if __name__ == "__main__":
    main()
