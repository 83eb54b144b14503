"""The peak memory of `ganvas eval` on colour pictures, as the command is used.

    python bench/memory.py [--samples 10000] [--side 64] [--metrics fd,kd]

It writes twice as many random colour pictures, trains `dcgan-images` on them for one step, and runs `ganvas eval` as a process
of its own. Features are those of the extra `photos`, if it is installed: they take most of the time.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

GANVAS = (sys.executable, "-m", "ganvas")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=10_000)
    parser.add_argument("--side", type=int, default=64)
    parser.add_argument("--metrics", help="the measures, separated by commas; default: all that fit")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        pictures, run = Path(folder, "pictures.npz"), Path(folder, "run")
        shape = (2 * options.samples, options.side, options.side, 3)
        np.savez(pictures, images=np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8))
        os.environ["GANVAS_CACHE"] = str(Path(folder, "cache"))
        train = ["train", "dcgan-images", "--data", str(pictures), "--images", "64", "--ranks", "1", "--out", str(run)]
        subprocess.run([*GANVAS, *train, "--set", f"config.resolution={options.side}"], check=True, stdout=subprocess.DEVNULL)
        chosen = ["--metrics", options.metrics] if options.metrics else []
        start = time.perf_counter()
        measuring = subprocess.Popen([*GANVAS, "eval", str(run), "--samples", str(options.samples), *chosen])
        _, status, usage = os.wait4(measuring.pid, 0)  # the peak of this process, not the largest of all
        seconds = time.perf_counter() - start
    if status:
        sys.exit("the evaluation failed: see above")
    print(f"peak {usage.ru_maxrss * 1024 / 1e9:.2f} GB, {seconds:.0f} s")


if __name__ == "__main__":
    main()
