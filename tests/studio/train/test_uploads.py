"""Uploads: how many are kept, and which make room for another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ganvas.errors import UsageError
from ganvas.studio.storage import Storage
from ganvas.studio.train import uploads
from ganvas.studio.train.uploads import Uploads


async def nothing() -> AsyncIterator[bytes]:
    for part in ():
        yield part


def test_what_was_refused_makes_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MAX_UPLOADS", 2)
    kept = Uploads(Storage(tmp_path))
    ready, refused = (kept.storage.make_folder("uploads", name * 16) for name in "ab")
    (ready / "report.json").write_text("{}")
    (refused / "refused.txt").write_text("no picture in it")
    with pytest.raises(UsageError, match="upload is empty"):  # there was room for it
        asyncio.run(kept.receive(nothing(), "more.zip"))
    assert ready.is_dir()
    assert not refused.exists()
    kept.storage.make_folder("uploads", "c" * 16)
    with pytest.raises(UsageError, match="2 uploads are kept already"):
        asyncio.run(kept.receive(nothing(), "more.zip"))
