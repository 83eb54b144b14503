"""How often a game of points with the settings of /play ends with all modes: `python bench/watched.py ring 21`."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace

import torch

from ganvas.studio.play.charts import Charts
from ganvas.studio.play.play_presets import choose_settings
from ganvas.studio.play.simulation import Simulation


def main() -> None:
    """Print a JSON row for each seed, then how many seeds reached all modes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", help="such as ring, grid, gaussians")
    parser.add_argument("seeds", type=int, help="how many, from 0")
    arguments = parser.parse_args()
    torch.set_num_threads(1)  # as a session of /play
    torch.set_flush_denormal(True)
    reached = 0
    for seed in range(arguments.seeds):
        simulation, charts = Simulation(replace(choose_settings(arguments.data), seed=seed)), Charts()
        simulation.play("b", simulation.setup.length)
        charts.measure(simulation)
        found = charts.latest
        reached += found["captured"] == found["modes"]
        print(json.dumps({"seed": seed, **{name: round(value, 4) for name, value in found.items()}}), flush=True)
    print(f"# {arguments.data}: all modes on {reached} of {arguments.seeds} seeds")


if __name__ == "__main__":
    main()
