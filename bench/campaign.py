"""The campaign: thousands of kills, failing disks, power cuts, damaged files, hostile inputs: docs/reliability.md.

    python bench/campaign.py                        # all kinds, as many trials as the page says, about 40 minutes on two cores
    python bench/campaign.py all --scale 0.1        # a tenth
    python bench/campaign.py kills --seed 17 --trials 1   # one trial again: a function of its seed

It prints one line for each kind, every failure with the command that repeats it, and the table of the page. The exit code is
1 if anything was lost or wrong.
"""

from __future__ import annotations

import argparse
import importlib
import json
import multiprocessing
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]  # this working tree, and where `trials` is

KINDS: dict[str, tuple[int, str, float]] = {  # -> trials of the whole campaign, what is counted, share of the time
    "kills": (1_000, "kills (SIGKILL) at random moments of six recipes", 0.3),
    "failures": (0, "failing file operations: every one of start, save, resume and end, each with two errors", 0.1),
    "power": (10_000, "states of the disk after a power cut, with writes lost and in another order", 0.1),
    "checkpoints": (3_000, "damaged checkpoints", 0.03),
    "bundles": (3_000, "damaged bundles", 0.03),
    "runs": (1_000, "damaged run folders", 0.07),
    "inputs": (10_000, "mutated pictures and archives", 0.15),
    "requests": (10_000, "hostile requests to the studio", 0.1),
    "frames": (2_000, "hostile frames on a socket of the studio", 0.05),
    "ranks": (50, "resumes with another number of ranks", 0.07),
}


def run_kind(kind: str, seed: int, trials: int, seconds: float) -> Any:
    """One kind of trial in this process."""
    module = importlib.import_module(f"trials.{kind}")
    return module.run(
        range(seed, seed + (trials or 10**9)), time.monotonic() + seconds, **({"kills": trials} if kind == "kills" else {})
    )


def main(words: list[str] | None = None) -> int:
    """Run what the command line asks for; 1 if anything failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("kind", nargs="?", default="all", choices=("all", *KINDS))
    parser.add_argument("--seed", type=int, default=0, help="of the first trial; trial i has seed SEED + i")
    parser.add_argument("--trials", type=int, help="how many; the default is the number of the page times --scale")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the whole campaign")
    parser.add_argument("--minutes", type=float, default=40.0, help="no trial begins later; with `all` each kind has a share")
    parser.add_argument("--workers", type=int, default=2, help="processes, for `all`")
    parser.add_argument("--json", type=Path, help="also write the counts to this file")
    options = parser.parse_args(words)
    kinds = list(KINDS) if options.kind == "all" else [options.kind]
    start, jobs = time.monotonic(), {}
    shares = {kind: KINDS[kind][2] if len(kinds) > 1 else 1 / options.workers for kind in kinds}
    # Spawned, not forked: a trial forks its own children, and wants no threads of a pool in them.
    with ProcessPoolExecutor(options.workers, multiprocessing.get_context("spawn"), max_tasks_per_child=1) as pool:
        for kind in sorted(kinds, key=lambda kind: -shares[kind]):
            trials = options.trials if options.trials is not None else -int(-KINDS[kind][0] * options.scale // 1)
            seconds = 60 * options.minutes * options.workers * shares[kind]
            jobs[kind] = pool.submit(run_kind, kind, options.seed, trials, seconds)
        tallies = {kind: job.result() for kind, job in jobs.items()}
    for kind in kinds:
        tally = tallies[kind]
        notes = "".join(f", {count:,} {name}" for name, count in tally.notes.items())
        print(f"{kind}: {tally.done:,} in {tally.seconds:.0f} s{notes}; {len(tally.failures)} lost or wrong", flush=True)
        for text in tally.failures[:20]:
            print(f"  {text}")
    print(f"\n{time.monotonic() - start:.0f} seconds in all\n\n| kind | count | lost or wrong |\n|---|---|---|")
    for kind in kinds:
        print(f"| {KINDS[kind][1]} | {tallies[kind].done:,} | {len(tallies[kind].failures)} |")
    if options.json:
        counts = {kind: {"done": tally.done, "failed": len(tally.failures), **tally.notes} for kind, tally in tallies.items()}
        options.json.write_text(json.dumps(counts, indent=1))
    return int(any(tally.failures for tally in tallies.values()))


if __name__ == "__main__":
    sys.exit(main())
