"""A foreign zip comes out as a fresh one: pixels and classes, and nothing else."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, PngImagePlugin
from zips import packed

from ganvas.config import DataConfig
from ganvas.data import picture_copies, sanitize_zip
from ganvas.data.open import open_source
from ganvas.errors import DataError
from ganvas.studio.train.ingest import ingest


def png(seed: int = 0, side: int = 8) -> bytes:
    file, text = io.BytesIO(), PngImagePlugin.PngInfo()
    text.add_text("secret", "where I live")
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (side, side), dtype=np.uint8)).save(file, "PNG", pnginfo=text)
    return file.getvalue()


HOSTILE = ('<img src=x onerror="alert(1)">', "ab:c", "con", "日本", "  . ", "-rf")


def test_classes_stay_and_everything_else_goes(tmp_path: Path) -> None:
    members = {f"{name}/p{i}.png": png(i) for i, name in enumerate(HOSTILE)} | {
        "readme.txt": b"x",
        "con/bad.png": b"no picture",
    }
    skipped, warnings = sanitize_zip.repack(packed(tmp_path / "in.zip", members), tmp_path / "out.zip")
    assert sorted(entry.name for entry in skipped) == ["*.txt", "con/bad.png"]
    assert warnings == ()
    with zipfile.ZipFile(tmp_path / "out.zip") as made:
        for name in made.namelist():
            assert b"where I live" not in made.read(name)
            assert name.split("/")[-1].rstrip(".png").isdigit()
    data = open_source(DataConfig(source=str(tmp_path / "out.zip")))
    assert len(data) == len(data.classes) == len(HOSTILE)
    assert HOSTILE[0].replace("/", "_") in data.classes
    given = {bytes(np.asarray(Image.open(io.BytesIO(png(i)))).tobytes()) for i in range(len(HOSTILE))}
    assert {bytes(image.numpy().tobytes()) for image in data.fields["real"]} == given


def test_what_is_doubtful_in_an_upload_is_in_its_report(tmp_path: Path) -> None:
    members = {f"{name}/{i}.png": png(i) for name in "cd" for i in range(2)} | {"cover.png": png(9)}
    facts = ingest(packed(tmp_path / "in.zip", members), tmp_path, "mine")
    assert facts["classes"] == {"c": 2, "d": 2}
    left_out = "pictures beside the folders of the classes are left out (1 of 5): cover.png"
    assert facts["warnings"] == [left_out, "there are 4 samples; training needs hundreds"]
    assert facts["skipped"] == [{"name": "cover.png", "reason": "beside the folders of the classes"}]


def test_a_split_stays_a_split(tmp_path: Path) -> None:
    members = {
        f"{split}/{name}/1.png": png(i) for i, (split, name) in enumerate((s, c) for s in ("train", "test") for c in "ab")
    }
    sanitize_zip.repack(packed(tmp_path / "in.zip", members), tmp_path / "out.zip")
    for split in ("train", "test"):
        data = open_source(DataConfig(source=str(tmp_path / "out.zip"), split=split))  # type: ignore[arg-type]
        assert (len(data), data.classes) == (2, ("a", "b"))


def test_large_pictures_become_smaller(tmp_path: Path) -> None:
    file = io.BytesIO()
    Image.new("RGB", (1500, 1100), "red").save(file, "JPEG")
    sanitize_zip.repack(packed(tmp_path / "in.zip", {"a.jpg": file.getvalue()}), tmp_path / "out.zip")
    with zipfile.ZipFile(tmp_path / "out.zip") as made, made.open("000000.png") as member:
        assert min(Image.open(member).size) == picture_copies.SIDE


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 broken", b"<html>"])
def test_what_is_no_zip_is_said(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "in.zip").write_bytes(content)
    with pytest.raises(DataError, match="not a readable zip file"):
        sanitize_zip.repack(tmp_path / "in.zip", tmp_path / "out.zip")


def test_bombs_are_refused_before_they_unpack(tmp_path: Path) -> None:
    bomb = packed(tmp_path / "in.zip", {f"{i}.png": bytes(15 << 20) for i in range(16)})  # each below the limit of one
    assert bomb.stat().st_size < 1 << 20
    with pytest.raises(DataError, match="like a zip bomb"):
        sanitize_zip.repack(bomb, tmp_path / "out.zip")
    assert not (tmp_path / "out.zip").exists()


def test_a_directory_is_enough_to_be_refused(tmp_path: Path) -> None:
    sanitize_zip.check_zip(packed(tmp_path / "a.zip", {"a.png": b"x"}))  # it does not look further
    path = packed(tmp_path / "b.zip", {"a.png": b"x"})
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\1\2") + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match="encrypted"):
        sanitize_zip.check_zip(path)


def test_no_picture_at_all(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no pictures"):
        sanitize_zip.repack(packed(tmp_path / "a.zip", {"a.txt": b"x"}), tmp_path / "out.zip")
    with pytest.raises(DataError, match="no readable picture"):
        sanitize_zip.repack(packed(tmp_path / "b.zip", {"a.png": b"x"}), tmp_path / "out.zip")


def test_names_that_collide_are_told_apart() -> None:
    assert sanitize_zip.safe_names(["a/b", "a\\b", "..", "", ".x", "__MACOSX"]) == [
        "a_b",
        "a_b (2)",
        "class",
        "class (2)",
        "x",
        "___MACOSX",
    ]
