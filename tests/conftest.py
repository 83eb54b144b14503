"""Every test has a decoded-image cache of its own session, times no plans, and leaves the number of threads as it was."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache as keep
from pathlib import Path

import pytest
import torch

from ganvas.engine import autotune
from ganvas.runtime.probe import bfloat16_is_fast


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One decoded-image cache for the whole session."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def _isolated(monkeypatch: pytest.MonkeyPatch, cache: Path) -> Iterator[None]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)
    torch.set_flush_denormal(False)  # settle() sets it for the whole process


@pytest.fixture(autouse=True)
def untimed_plans(monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process the first plan is chosen, as if it was the fastest: three seconds less for every run that a test starts.

    `tests/engine/test_autotune.py` replaces this and times plans; so do other processes.
    """
    monkeypatch.setattr(autotune, "_time_plans", lambda *words: {plan: 1e12 / (i + 1) for i, plan in enumerate(words[2])})
    monkeypatch.setattr(autotune, "bfloat16_is_fast", _is_bfloat16_fast)


@keep
def _is_bfloat16_fast(device: str) -> bool:
    """What the probe says: it is asked once."""
    return bfloat16_is_fast(device)
