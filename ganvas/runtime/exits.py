"""Exit codes of the commands, and the one-line error message."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

from cyclopts import CycloptsError

from ganvas.errors import GanvasError, ResourceError, UsageError
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
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except KeyboardInterrupt:
        _fail("interrupted; nothing was saved", 130)
    except OSError as failure:
        _fail(
            f"{failure.filename or 'the system'}: {failure.strerror or failure}; free some space or choose another place",
            ResourceError.exit_code,
        )
    except Exception as bug:
        _report_bug(bug)
    sys.exit(code if isinstance(code, int) else 0)


def _report_bug(bug: Exception) -> None:
    """One line for an unexpected exception; the traceback if GANVAS_DEBUG is set."""
    if "OutOfMemory" in type(bug).__name__ or "can't allocate memory" in str(bug):
        _fail("out of memory; try a smaller --batch", ResourceError.exit_code)
    if os.environ.get("GANVAS_DEBUG"):
        raise bug
    text = f"{type(bug).__name__}: {bug}"
    _fail(f"this is a bug, please report it (GANVAS_DEBUG=1 shows where): {text[:300]}", 1)


def _fail(message: str, code: int) -> None:
    print("ganvas: " + printable(" ".join(message.split()), 4000), file=sys.stderr)
    sys.stdout.flush()
    sys.stderr.flush()
    sys.exit(code)
