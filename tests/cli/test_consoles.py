"""Outputs that nobody reads any more, and consoles that lack letters: what was trained is saved and said all the same."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image
from support import ganvas, hear_hangups

from ganvas.cli import terminal
from ganvas.engine import checkpoint

TRAIN = (sys.executable, "-m", "ganvas", "train", "gan-ring", "--ranks", "1", "--out", "run")
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}


def images_saved(run: Path) -> int:
    found = checkpoint.load(run / "checkpoints")
    assert found
    return found.items


@pytest.mark.slow
def test_a_reader_that_leaves_stops_the_training_which_is_saved(tmp_path: Path) -> None:
    """`ganvas train ... --json | head -1`: the display notices at its next row, after five seconds."""
    reader, writer = os.pipe()
    process = subprocess.Popen(
        [*TRAIN, "--json"], cwd=tmp_path, env=ENVIRONMENT, stdout=writer, stderr=subprocess.PIPE, text=True
    )
    os.close(writer)
    assert os.read(reader, 1) == b"{"
    os.close(reader)
    _, told = process.communicate(timeout=120)
    assert process.returncode == 0, told
    assert told.endswith("stopped and saved; continue with: ganvas resume run\n")  # the balance may have spoken before
    assert images_saved(tmp_path / "run") > 0


def test_a_terminal_that_is_closed_stops_the_training_which_is_saved(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        TRAIN,
        cwd=tmp_path,
        env=ENVIRONMENT,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=hear_hangups,
    )
    os.close(theirs)
    end = time.monotonic() + 60
    while time.monotonic() < end and not (tmp_path / "run" / "log.jsonl").exists():
        time.sleep(0.05)
    os.close(ours)
    process.send_signal(signal.SIGHUP)  # as the system does; this test is not the leader of the terminal's session
    assert process.wait(timeout=60) == 129
    assert images_saved(tmp_path / "run") > 0


def test_an_ignored_hangup_stays_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with terminal._catch_signals([]):
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_a_console_without_the_letters_shows_question_marks(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "фото").mkdir()
    for i in range(3):
        Image.new("L", (32, 32), 80 * i).save(tmp_path / "фото" / f"{i}.png")
    done = ganvas("data", "фото", "--out", "ж.png", cwd=tmp_path, PYTHONIOENCODING=encoding)
    assert done.returncode == 0, done.stderr
    assert "????" in done.stdout
    assert (tmp_path / "ж.png").exists()


def test_a_command_whose_reader_leaves_says_so_by_its_code(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "ganvas", "recipes", "--json"], stdout=writer, stderr=subprocess.PIPE, check=False, timeout=60
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")
