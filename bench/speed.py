"""The speed of the engine beside a plain loop: `cgan-mnist`, and a DCGAN of the size of a tutorial (32x32, 128-64 channels).

python bench/speed.py [seconds each]
"""

from __future__ import annotations

import sys
from dataclasses import replace

from ganvas.games import RECIPES, dcgan
from ganvas.training.benchmark import bench


def main() -> None:
    """Print both reports."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 30.0
    tutorial = RECIPES["dcgan-mnist"]
    networks = dcgan.Config(resolution=32, width=64, max_width=128)
    train = replace(tutorial.train, batch=64)
    for recipe in (RECIPES["cgan-mnist"], replace(tutorial, name="tutorial-dcgan", config=networks, train=train)):
        print(bench(recipe, seconds=seconds).text(), flush=True)


if __name__ == "__main__":
    main()
