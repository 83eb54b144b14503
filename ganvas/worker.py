"""One further rank of a run that `ganvas train` started: `python -m ganvas.worker RUN`. Rank 0 shows, decides and writes."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from ganvas.bench import endless
from ganvas.errors import GanvasError
from ganvas.fit import fit
from ganvas.machine import settle
from ganvas.ranks import STOPS, connect, die_with_parent, disconnect
from ganvas.run import open_run


def main() -> None:
    """Play along until the run ends."""
    die_with_parent()
    for number in STOPS:  # blocked since the start, see `launch`; ignored, so that none stays pending
        signal.signal(number, signal.SIG_IGN)
    run = open_run(Path(sys.argv[1]))
    ranks = connect()
    if "GANVAS_BENCH" in os.environ:
        settle(run.plan, ranks.rank)
    for _ in endless(run.recipe, run.data, run.plan, ranks) if "GANVAS_BENCH" in os.environ else fit(run, ranks):
        pass
    disconnect()


if __name__ == "__main__":
    try:
        main()
    except GanvasError as failure:
        print(f"ganvas: rank {os.environ.get('RANK', '?')}: {failure}", file=sys.stderr)
        sys.exit(failure.exit_code)
