"""Train a run in a terminal: show the progress, and stop after a signal."""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial

from ganvas.cli.arguments import report_doubts
from ganvas.cli.display import Display
from ganvas.runtime.distributed import Ranks, disconnect
from ganvas.runtime.exits import STOPS, discard_output
from ganvas.runtime.processes import local_ranks
from ganvas.training.run_folder import Run
from ganvas.training.trackers import follow_log
from ganvas.training.trainer import fit
from ganvas.utils.parsing import printable, quote

CODES: dict[int, int] = {
    number: 128 + number for number in STOPS if number != signal.SIGINT
}  # exit codes; 0 after Ctrl-C: it is saved
OUTPUT_GONE = 0  # among the signals: nobody reads the output any more


def show_training(run: Run, peers: Ranks, quiet: bool, as_json: bool, log: str | None = None) -> int:
    """Train the run to its end or until a signal; `log` as of `TrainOptions`.

    Returns the exit code: 143 after SIGTERM, 129 after SIGHUP, else 0.
    """
    quiet = quiet or not peers.first  # rank 0 speaks for all
    display = Display(run, quiet=quiet, as_json=as_json)
    if peers.first:
        report_doubts(run.doubts, run.data.skipped, most=20, quiet=quiet)
    if run.notice and not quiet:
        print(run.notice, file=sys.stderr)

    # Nothing to train: show the results again.
    if run.finished:
        _ = run.result  # a damaged one is an error, also with --quiet: the run may not be finished
        if not quiet:
            print(
                f"{printable(run.folder)} is finished: {run.recipe.train.images:,} images; nothing left to train",
                file=sys.stderr,
            )
            print(f"to train it longer: ganvas branch {quote(run.folder)} --set train.images=N --out NEW", file=sys.stderr)
        display.show_results()
        disconnect()
        return 0

    # Train. A signal ends it after the present step, on all ranks; so does an output that nobody reads any more.
    run.lock(peers)
    caught: list[int] = []
    with (
        follow_log(run.folder, log if peers.first else None, _tell) as pass_on,
        _catch_signals(caught),
        local_ranks(run.folder, run.plan, peers) as peers,
        display.hold_terminal(),
    ):
        for progress in fit(run, peers, stop=lambda: bool(caught)):
            _show(partial(display.update, progress), caught)
            pass_on()
    if run.finished:
        _show(display.show_results, caught)
        _show(display.show_diagnosis, caught)
        return 0
    if peers.first:
        _show(display.show_diagnosis, caught)
        with suppress(OSError):
            print(f"stopped and saved; continue with: ganvas resume {quote(run.folder)}", file=sys.stderr)
    return next((CODES[number] for number in caught if number in CODES), 0)


def _tell(message: str) -> None:
    with suppress(OSError):
        print(message, file=sys.stderr)


def _show(output: Callable[[], None], caught: list[int]) -> None:
    """Print something. If the reader or the terminal is gone, the training stops and is saved.

    If the output cannot be written otherwise, as on a full disk, the training goes on without it, which is said once.
    """
    try:
        output()
    except OSError as failure:
        discard_output()
        if failure.errno in (errno.EPIPE, errno.EIO):
            caught.append(OUTPUT_GONE)
        else:
            with suppress(OSError):
                print(f"the output cannot be written, training goes on: {failure.strerror}", file=sys.stderr)


@contextmanager
def _catch_signals(caught: list[int]) -> Iterator[None]:
    """Store the first signal of `STOPS` in `caught`; a second one ends the process at once.

    A SIGHUP that is ignored, as under nohup, stays ignored.
    """

    def store(number: int, _: object) -> None:
        if any(earlier != OUTPUT_GONE for earlier in caught):
            os._exit(128 + number)
        caught.append(number)

    hangup = getattr(signal, "SIGHUP", None)
    before = {
        number: signal.signal(number, store)
        for number in STOPS
        if number != hangup or signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
