"""What the training does if its output fails."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ganvas.cli import terminal


@pytest.mark.parametrize("number", [errno.EPIPE, errno.EIO, errno.ENOSPC, errno.EFBIG])
def test_a_full_disk_does_not_stop_the_training(
    number: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stops = number in (errno.EPIPE, errno.EIO)

    def output() -> None:
        raise OSError(number, "refused")

    discarded, caught = [], list[int]()
    monkeypatch.setattr(terminal, "discard_output", lambda: discarded.append(1))
    terminal._show(output, caught)
    assert discarded
    assert bool(caught) is stops
    assert ("the output cannot be written, training goes on: refused" in capsys.readouterr().err) is not stops


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_an_output_that_cannot_be_written_is_one_line_at_the_end() -> None:
    """Python would flush it at its end, print a traceback and end with 120."""
    program = "from ganvas.runtime.exits import run_and_exit; run_and_exit(lambda: print(7))"
    with Path("/dev/full").open("w") as full:
        command, buffered = [sys.executable, "-c", program], {**os.environ, "PYTHONUNBUFFERED": ""}
        ended = subprocess.run(command, env=buffered, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert ended.returncode == 5
    assert ended.stderr == "ganvas: the output cannot be written: No space left on device; what was saved before stays\n"
