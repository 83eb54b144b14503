"""torchrun itself: two ranks of the real command, one of them killed and restarted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support import SETTINGS, digest, ganvas


@pytest.mark.slow
def test_a_killed_rank_restarted_by_torchrun_resumes(tmp_path: Path) -> None:
    """The restarted run ends with the same bits as `--ranks 2` undisturbed."""
    words = ["train", "gan-ring", "--images", "300000", "--quiet", *SETTINGS]
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "--max-restarts", "2"]
    log = (tmp_path / "torchrun.log").open("w")
    process = subprocess.Popen(
        [*torchrun, "-m", "ganvas", *words, "--out", "killed"],
        cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=log,
        stderr=log,
    )
    rows, end = tmp_path / "killed" / "log.jsonl", time.monotonic() + 120
    while time.monotonic() < end and not (rows.exists() and rows.stat().st_size > 2000):
        time.sleep(0.05)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    os.kill(int(children[-1]), signal.SIGKILL)
    assert process.wait(timeout=200) == 0, (tmp_path / "torchrun.log").read_text()
    log.close()
    done = ganvas(*words, "--ranks", "2", "--out", "unbroken", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert digest(tmp_path / "killed") == digest(tmp_path / "unbroken")
