"""Uploads: how many are kept, and which make room for another."""

from __future__ import annotations

import asyncio
import os
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ganvas.errors import DataError, UsageError
from ganvas.studio.storage import Storage
from ganvas.studio.train import uploads
from ganvas.studio.train.uploads import Uploads


async def nothing() -> AsyncIterator[bytes]:
    for part in ():
        yield part


def test_uploads_are_listed_in_the_order_in_which_they_were_sent(tmp_path: Path) -> None:
    kept = Uploads(Storage(tmp_path))
    for name, sent in (("a", 900), ("b", 100)):
        folder = kept.storage.make_folder("uploads", name * 16)
        (folder / "name.txt").write_text("pets.zip")
        (folder / "report.json").write_text('{"count": 3}')
        os.utime(folder / "name.txt", (sent, sent))
    assert [(each["id"][0], each["sent"]) for each in kept.list_ready()] == [("b", 100), ("a", 900)]
    (folder / "report.json").unlink()
    assert kept.describe("b" * 16)["words"].startswith("pets.zip: the studio ended")


async def send(kept: Uploads, content: bytes) -> str:
    """Why the content is refused once it was read."""

    async def parts() -> AsyncIterator[bytes]:
        yield content

    name = await kept.receive(parts(), "words.zip")
    await kept.reading[name]
    return str(kept.describe(name)["words"])


def test_a_refusal_names_the_file_that_was_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*_: str, **__: object) -> None:
        raise DataError("no readable picture: expected PNG")

    monkeypatch.setattr(uploads, "run_command", refuse)
    with zipfile.ZipFile(tmp_path / "sent.zip", "w") as file:
        file.writestr("1.png", b"no picture")
    told = asyncio.run(send(Uploads(Storage(tmp_path)), (tmp_path / "sent.zip").read_bytes()))
    assert told == "words.zip: no readable picture: expected PNG"


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
