"""Commands of the command line as answers: each in its own process, with a time limit; a row of JSON or one line of error."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
from contextlib import suppress
from typing import Any

from ganvas.errors import DataError, GanvasError, ResourceError, UsageError
from ganvas.utils.parsing import printable

NICENESS = 5  # a training goes first
ERRORS = {kind.exit_code: kind for kind in (UsageError, DataError, ResourceError)}


def quote_code(text: str) -> str:
    """A line of the command line for a page: what stands between backticks gets the quotes of a text."""
    return re.sub("`([^`]*)`", "“\\1”", text)


async def run_command(*words: str, module: str = "ganvas", seconds: float = 600.0) -> Any:
    """Run `python -m module words...` and return the last row of JSON that it prints.

    Raises:
        GanvasError: its one line on standard error, of the kind of its exit code; or it took too long.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        *words,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, process.pid, NICENESS)
    try:
        out, err = await asyncio.wait_for(process.communicate(), seconds)
    except TimeoutError:
        raise ResourceError(f"this took longer than {seconds:.0f} seconds and was ended; try it with less") from None
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    if process.returncode:
        lines = [line for line in err.decode("utf-8", "replace").splitlines() if line.startswith("ganvas: ")]
        message = lines[-1].removeprefix("ganvas: ") if lines else f"it ended with code {process.returncode} and no message"
        raise ERRORS.get(process.returncode, GanvasError)(printable(message, 600))
    for line in reversed(out.decode("utf-8", "replace").splitlines()):
        with suppress(ValueError):
            return json.loads(line)
    return None
