"""Exit codes of the commands, and the one-line error message."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from cyclopts import CycloptsError

from ganvas.errors import GanvasError, ResourceError, UsageError
from ganvas.utils.files import ADVICE
from ganvas.utils.parsing import printable


def run_and_exit(command: Callable[[], Any]) -> None:
    """Run `command` and end the process; an error becomes one line on standard error and the exit code of its kind."""
    try:
        code: Any = command()
    except CycloptsError as wrong:
        _fail(str(wrong) or type(wrong).__name__, UsageError.exit_code)
    except GanvasError as failure:
        _fail(str(failure), failure.exit_code)
    except MemoryError:
        _fail("out of memory; try a smaller --batch", ResourceError.exit_code)
    except BrokenPipeError:  # `ganvas ... | head`: nobody reads any more; 141 as of other programs (128 + SIGPIPE)
        discard_output()
        sys.exit(141)
    except KeyboardInterrupt:
        _fail("interrupted; nothing was saved", 130)
    except OSError as failure:
        _fail(
            f"{printable(failure.filename or 'the system')}: {failure.strerror or failure}; "
            + ADVICE.get(failure.errno or 0, "free some space or choose another place"),
            ResourceError.exit_code,
        )
    except Exception as bug:
        _report_bug(bug)
    sys.exit(code if isinstance(code, int) else 0)


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
    if "OutOfMemory" in type(bug).__name__ or "can't allocate memory" in str(bug):
        _fail("out of memory; try a smaller --batch", ResourceError.exit_code)
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
