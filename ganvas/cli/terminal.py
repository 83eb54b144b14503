"""Train a run in a terminal: show the progress, and stop after a signal."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from ganvas.cli.arguments import report_doubts
from ganvas.cli.display import Display
from ganvas.runtime.distributed import Ranks, disconnect
from ganvas.runtime.processes import local_ranks
from ganvas.training.run_folder import Run
from ganvas.training.trainer import fit


def show_training(run: Run, peers: Ranks, quiet: bool, as_json: bool) -> int:
    """Train the run to its end or until a signal. Returns the exit code: 143 after SIGTERM, else 0."""
    quiet = quiet or not peers.first  # rank 0 speaks for all
    display = Display(run, quiet=quiet, as_json=as_json)
    if peers.first:
        report_doubts(run.data.warnings, run.data.skipped, most=20)
    if run.notice and not quiet:
        print(run.notice, file=sys.stderr)

    # Nothing to train: show the results again.
    if run.finished:
        if not quiet:
            print(f"{run.folder} is finished: {run.recipe.train.images:,} images; nothing left to train", file=sys.stderr)
        display.show_results()
        disconnect()
        return 0

    # Train. A signal ends it after the present step, on all ranks.
    run.lock(peers)
    caught: list[int] = []
    with _catch_signals(caught), local_ranks(run.folder, run.plan, peers) as peers, display.hold_terminal():
        for progress in fit(run, peers, stop=lambda: bool(caught)):
            display.update(progress)
    if run.finished:
        display.show_results()
        display.show_diagnosis()
        return 0
    if peers.first:
        display.show_diagnosis()
        print(f"stopped and saved; continue with: ganvas resume {run.folder}", file=sys.stderr)
    return 143 if signal.SIGTERM in caught else 0


@contextmanager
def _catch_signals(caught: list[int]) -> Iterator[None]:
    """Store the first Ctrl-C or SIGTERM in `caught`; a second one ends the process at once."""

    def store(number: int, _: object) -> None:
        if caught:
            os._exit(128 + number)
        caught.append(number)

    before = {number: signal.signal(number, store) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
