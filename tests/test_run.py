"""Run folders: where they can be made, what they remember, and what is said of a damaged one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ganvas.errors import ResourceError
from ganvas.games import recipe_named
from ganvas.run import start


@pytest.mark.parametrize("place", ["file/run", "/proc/ganvas/run"])
def test_a_place_that_cannot_hold_a_run_is_refused_before_any_work(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def settled(*_: Any) -> None:
        pytest.fail("timed steps first")

    monkeypatch.setattr("ganvas.run.settled", settled)
    (tmp_path / "file").write_text("")
    with pytest.raises(ResourceError, match="cannot make the run folder"):
        start(recipe_named("gan-ring"), out=tmp_path / place)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
