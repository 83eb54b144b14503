"""One further rank of a run: `python -m ganvas.worker RUN [--timed]`. Rank 0 shows, decides and writes.

With --timed it only plays steps of the run's recipe that rank 0 takes the time of, until rank 0 stops.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from ganvas.engine.autotune import endless
from ganvas.errors import GanvasError
from ganvas.runtime.distributed import connect, disconnect
from ganvas.runtime.processes import STOPS, die_with_parent
from ganvas.training.run_folder import open_run
from ganvas.training.trainer import fit


def main() -> None:
    """Play along until the run ends."""
    die_with_parent()
    for number in STOPS:  # blocked since the start, see `launch`; ignored, so that none stays pending
        signal.signal(number, signal.SIG_IGN)
    run = open_run(Path(sys.argv[1]))
    ranks = connect().use_plan(run.plan)
    try:
        for _ in endless(run.recipe, run.data, run.plan, ranks) if "--timed" in sys.argv[2:] else fit(run, ranks):
            pass
    finally:
        disconnect()


if __name__ == "__main__":
    try:
        main()
    except GanvasError as failure:
        print(f"ganvas: rank {os.environ.get('RANK', '?')}: {failure}", file=sys.stderr)
        sys.exit(failure.exit_code)
