"""One more rank of a run: `python -m ganvas.training.worker RUN [--timed]`. Rank 0 starts it, decides, shows and writes.

With --timed it makes steps of the run's recipe, which rank 0 times, until rank 0 stops.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from ganvas.engine.autotune import train_endlessly
from ganvas.errors import GanvasError
from ganvas.runtime.distributed import connect, disconnect
from ganvas.runtime.exits import STOPS, allow_any_text
from ganvas.runtime.processes import die_with_parent
from ganvas.training.run_folder import open_run
from ganvas.training.trainer import fit


def main() -> None:
    """Train as one rank until the run ends."""
    die_with_parent()
    # Rank 0 handles Ctrl-C and SIGTERM for all ranks. Here they were blocked at the start (`launch`).
    for number in STOPS:
        signal.signal(number, signal.SIG_IGN)
    run = open_run(Path(sys.argv[1]))
    ranks = connect().use_plan(run.plan)
    try:
        timed = "--timed" in sys.argv[2:]
        for _ in train_endlessly(run.recipe, run.data, run.plan, ranks) if timed else fit(run, ranks):
            pass
    finally:
        disconnect()


if __name__ == "__main__":
    allow_any_text()
    try:
        main()
    except GanvasError as failure:
        print(f"ganvas: rank {os.environ.get('RANK', '?')}: {failure}", file=sys.stderr)
        sys.exit(failure.exit_code)
