"""The log: rows whole or not at all, and no seam where a run went on."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from ganvas.errors import ResourceError
from ganvas.training.log import TrainingLog, read_log


def test_a_full_disk_costs_rows_not_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    journal = TrainingLog(tmp_path / "log.jsonl", every=1, tell=told.append)
    for step, full in enumerate((False, True, True, False)):
        if full:
            monkeypatch.setattr("ganvas.training.log._append", refuse)
        journal.add(step, step, {"D": 1.0})
        monkeypatch.undo()
    assert [row["step"] for row in read_log(journal.path)] == [0, 3]
    assert told == ["rows left out of log.jsonl, training goes on: No space left on device"]


def refuse(path: Path, line: bytes) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("torn", [b"", b'{"items": 3', b"\xff\n", b"7\n"])
def test_rewinding_forgets_later_rows_and_survives_a_refusal(
    torn: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = TrainingLog(tmp_path / "log.jsonl")
    for items in (1, 2, 3):
        journal.event({"items": items})
    journal.path.write_bytes(journal.path.read_bytes() + torn)
    before = journal.path.read_bytes()

    def full(path: Path, data: bytes) -> None:
        raise ResourceError("full")

    monkeypatch.setattr("ganvas.training.log.write_durably", full)
    with pytest.raises(ResourceError):
        journal.rewind(2, {})
    assert journal.path.read_bytes() == before
    monkeypatch.undo()
    journal.rewind(2, {"D": [1, 2]})
    assert (read_log(journal.path), journal.sums) == ([{"items": 1}, {"items": 2}], {"D": (1.0, 2)})


def test_the_last_row_holds_what_is_left(tmp_path: Path) -> None:
    journal = TrainingLog(tmp_path / "log.jsonl", every=4)
    for step in range(6):
        journal.add(step, step, {"D": float(step)}, step == 5)
    assert [(row["step"], row["D"]) for row in read_log(journal.path)] == [(3, 1.5), (5, 4.5)]
