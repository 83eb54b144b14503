"""Trainings of the tests, each in a real process that ends with the test."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ganvas.studio.storage import Storage
from ganvas.studio.train.jobs import Jobs


@pytest.fixture
def end_all() -> Callable[[Jobs], None]:
    """Kill what runs."""

    def end(jobs: Jobs) -> None:
        for process in jobs.processes.values():
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    return end


@pytest.fixture
def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end_all: Callable[[Jobs], None]) -> Iterator[Jobs]:
    """Trainings in tmp_path/runs."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    made = Jobs(Storage(tmp_path / "runs"))
    yield made
    end_all(made)
