"""SIGKILL at random moments: the run, continued, ends with the same bits as one that nobody disturbed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support import SETTINGS, digest, ganvas

KILLS = 20


def start(words: list[str], cwd: Path) -> subprocess.Popen[bytes]:
    """The real command in a process group of its own."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "ganvas", *words, "--quiet"]
    return subprocess.Popen(command, cwd=cwd, env=environment, start_new_session=True, stderr=subprocess.DEVNULL)


def survive(recipe: str, images: int, kills: int, cwd: Path, *more: str) -> None:
    """Kill `kills` times, each time after some progress, then compare the end with an unbroken run's."""
    chance = random.Random(7)
    words = ["train", recipe, "--images", str(images), "--out", "killed", *SETTINGS, *more]
    done = 0
    while done < kills:
        log = cwd / "killed" / "log.jsonl"
        before = log.stat().st_size if log.exists() else 0
        process = start(words, cwd)
        end = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < end and not (log.exists() and log.stat().st_size != before):
            time.sleep(0.01)
        time.sleep(chance.random() * 0.3)
        if process.poll() is not None:
            pytest.fail(f"the run ended (exit code {process.returncode}) after {done} of {kills} kills: make it longer")
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        done += 1
    assert ganvas(*words, "--quiet", cwd=cwd).returncode == 0
    (cwd / "unbroken").mkdir()
    for name in ("recipe.json", "env.json"):  # the same plan: what is fastest may come out otherwise when it is timed again
        (cwd / "unbroken" / name).write_bytes((cwd / "killed" / name).read_bytes())
    assert ganvas("resume", "unbroken", "--quiet", cwd=cwd).returncode == 0
    assert digest(cwd / "killed") == digest(cwd / "unbroken")
    rows = [(cwd / name / "log.jsonl").read_text(encoding="utf-8") for name in ("killed", "unbroken")]
    assert rows[0] == rows[1], "the log has a seam"


@pytest.mark.slow  # `make test` has the kills of tests/test_campaign.py
@pytest.mark.timeout(500)
def test_twenty_kills_leave_no_trace(tmp_path: Path) -> None:
    survive("gan-ring", 400_000, KILLS, tmp_path, "--ranks", "1")


@pytest.mark.slow
def test_two_ranks_survive_kills(tmp_path: Path) -> None:
    survive("cgan-mnist", 60_000, 8, tmp_path, "--ranks", "2", "--set", "train.checkpoint_every=640", "--set", "config.width=4")
