"""Exit codes of the commands, and the one-line error message."""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from cyclopts import CycloptsError

from ganvas.errors import GanvasError, ResourceError, UsageError
from ganvas.utils.files import ADVICE
from ganvas.utils.parsing import parse_index, printable

# What PyTorch says about a tensor that no memory holds.
TOO_LARGE = ("can't allocate memory", "calculation overflowed", "multiplication overflow", "Overflow when unpacking long")

# What ends a command. With several ranks only rank 0 receives them, so that all stop at the same step. SIGHUP: the terminal was
# closed; Windows has none.
STOPS = (signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else []))


def run_and_exit(command: Callable[[], Any]) -> None:
    """Run `command` and end the process; an error becomes one line on standard error and the exit code of its kind."""
    try:
        code: Any = command()
        flush_output()
    except CycloptsError as wrong:
        _fail(str(wrong) or type(wrong).__name__, UsageError.exit_code)
    except GanvasError as failure:
        _fail(str(failure), failure.exit_code)
    except MemoryError:
        _fail("out of memory; ask for less at once, such as a smaller --batch or -n", ResourceError.exit_code)
    except BrokenPipeError:  # `ganvas ... | head`: nobody reads any more; 141 as of other programs (128 + SIGPIPE)
        discard_output()
        sys.exit(141)
    except KeyboardInterrupt as stop:
        _fail(str(stop) or "interrupted; what was saved before stays", 130)
    except Ended as ended:
        _fail(f"ended by {signal.Signals(ended.number).name}; what was saved before stays", 128 + ended.number)
    except OSError as failure:
        _fail(
            f"{printable(failure.filename or 'the system')}: {failure.strerror or failure}; "
            + ADVICE.get(failure.errno or 0, "check the path, or choose another place"),
            ResourceError.exit_code,
        )
    except Exception as bug:
        _report_bug(bug)
    sys.exit(code if isinstance(code, int) else 0)


@contextmanager
def interrupted_before(what: str) -> Iterator[None]:
    """Let Ctrl-C inside the block end the command with the message that `what` had not begun: there is nothing to keep."""
    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"interrupted before {what} began; nothing is written") from None


def flush_output() -> None:
    """Write out what was printed, before Python does it at the end and fails with a code of its own.

    Raises:
        BrokenPipeError: nobody reads it.
        ResourceError: it cannot be written.
    """
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as failure:
        discard_output()
        raise ResourceError(f"the output cannot be written: {failure.strerror}; what was saved before stays") from None


class Ended(BaseException):  # like KeyboardInterrupt: no `except Exception` stops it
    """A signal ends the command; what it has opened is closed, and its temporary files are deleted."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def end_by_signals() -> None:
    """Let SIGTERM and SIGHUP end a command as Ctrl-C does. While it trains, it is saved first (`cli/terminal.py`)."""

    def end(number: int, _: object) -> None:
        raise Ended(number)

    for number in STOPS:
        if number != signal.SIGINT and signal.getsignal(number) is signal.SIG_DFL:  # ignored under nohup: it stays so
            signal.signal(number, end)


def open_closed_streams() -> None:
    """Send the outputs that the caller has closed (`>&-`) to nowhere: a file of a run would get their numbers."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            nowhere = os.open(os.devnull, os.O_RDWR)  # the lowest free number, which is this one
            setattr(sys, name, os.fdopen(nowhere, "r" if number == 0 else "w", encoding="utf-8", closefd=False))


def ignore_odd_width() -> None:
    """Forget a COLUMNS that is no width, or one into which no word fits: the help would wrap its words without end."""
    if not 20 <= (parse_index(os.environ.get("COLUMNS", "")) or 0) <= 10_000:
        os.environ.pop("COLUMNS", None)


def allow_any_text() -> None:
    """Let the console show "?" for a letter that it does not have: a name in another script must not end a command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def discard_output() -> None:
    """Send standard output to nowhere: its reader is gone, and Python would fail once more when it flushes at the end."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _report_bug(bug: Exception) -> None:
    """One line for an unexpected exception; the traceback if GANVAS_DEBUG is set."""
    if "OutOfMemory" in type(bug).__name__ or any(words in str(bug) for words in TOO_LARGE):
        _fail("out of memory; ask for less at once, such as a smaller --batch or -n", ResourceError.exit_code)
    if os.environ.get("GANVAS_DEBUG"):
        raise bug
    text = f"{type(bug).__name__}: {bug}"
    _fail(f"this is a bug, please report it (GANVAS_DEBUG=1 shows where): {text[:300]}", 1)


def _fail(message: str, code: int) -> None:
    with suppress(OSError):  # the terminal was closed
        print("ganvas: " + printable(" ".join(message.split()), 4000), file=sys.stderr)
        sys.stdout.flush()
        sys.stderr.flush()
    sys.exit(code)
