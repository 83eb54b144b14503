"""Fixtures of the tests of runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_runs import Script


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Script:
    return Script(tmp_path, monkeypatch)
