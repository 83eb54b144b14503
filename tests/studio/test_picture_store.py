"""One picture that a page sends: an id, a plain PNG; whatever else is sent is one line, and nothing is left."""

from __future__ import annotations

import asyncio
import io
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ganvas.errors import DataError, UsageError
from ganvas.studio import picture_store
from ganvas.studio.page import Studio
from ganvas.studio.picture_store import PictureStore
from ganvas.studio.storage import UnknownIdError


def encode(pixels: Any, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.asarray(pixels, np.uint8)).save(file, kind, **options)
    return file.getvalue()


def send(store: PictureStore, *parts: bytes) -> dict[str, Any]:
    async def stream() -> AsyncIterator[bytes]:
        for part in parts:
            yield part

    return asyncio.run(store.receive(stream()))


@pytest.fixture
def store(tmp_path: Path) -> PictureStore:
    return PictureStore(Studio(tmp_path / "runs"))


def test_a_picture_gets_an_id_and_is_kept_as_its_pixels(store: PictureStore) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3))
    body = encode(pixels)
    facts = send(store, body[:100], body[100:])
    assert (facts["width"], facts["height"], facts["channels"]) == (30, 20, 3)
    with Image.open(store.find(facts["id"])) as image:
        assert np.array_equal(np.asarray(image), pixels)
        assert image.info == {}
    store.remove(facts["id"])
    with pytest.raises(UnknownIdError, match="send it again"):
        store.find(facts["id"])


def test_a_photograph_is_turned_as_its_camera_says_and_loses_its_notes(store: PictureStore) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    exif[0x010E] = "secret"
    facts = send(store, encode(np.zeros((8, 16, 3)), "JPEG", exif=exif))
    assert (facts["width"], facts["height"]) == (8, 16)
    assert b"secret" not in store.find(facts["id"]).read_bytes()


def test_a_large_picture_is_reduced(store: PictureStore) -> None:
    facts = send(store, encode(np.zeros((10, 4096))))
    assert (facts["width"], facts["height"], facts["channels"]) == (2048, 5, 1)


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        (b"", UsageError, "the picture is empty"),
        (b"PK\3\4", DataError, "this picture: not an image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", DataError, "not an image"),
        (encode(np.random.default_rng(0).integers(0, 256, (40, 40)))[:900], DataError, "this picture: damaged"),
    ],
)
def test_what_is_no_picture_is_one_line(store: PictureStore, body: bytes, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words) as refused:
        send(store, body)
    assert str(store.storage.runs) not in str(refused.value)
    assert list((store.storage.private / "pictures").iterdir()) == []


def test_ids_are_never_paths(store: PictureStore) -> None:
    store.storage.make_folder("pictures")
    (store.storage.private / "secret.png").write_bytes(b"x")
    for name in ("../secret", "", "x" * 16, "0" * 15, "a" * 16):
        with pytest.raises(UnknownIdError):
            store.find(name)


def test_the_oldest_pictures_make_room(store: PictureStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture_store, "MAX_PICTURES", 2)
    ids = [send(store, encode(np.full((4, 4), shade)))["id"] for shade in range(3)]
    with pytest.raises(UnknownIdError):
        store.find(ids[0])
    assert store.find(ids[1]).is_file()
    assert store.find(ids[2]).is_file()


def test_the_process_that_decodes_does_not_wait_for_torch() -> None:
    code = "import ganvas.studio.picture_ingest, sys; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_a_picture_that_is_made_has_an_id_before_it_is_there(store: PictureStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture_store, "MAX_PICTURES", 2)
    old = [send(store, encode(np.zeros((4, 4, 3))))["id"] for _ in range(2)]
    for age, name in enumerate(old):
        os.utime(store.find(name), (age, age))
    name, path = store.reserve()
    with pytest.raises(UnknownIdError, match="send it again"):
        store.find(name)
    path.write_bytes(encode(np.zeros((4, 4, 3))))
    assert store.find(name) == path
    with pytest.raises(UnknownIdError):
        store.find(old[0])  # the oldest one made room
    assert store.find(old[1])
