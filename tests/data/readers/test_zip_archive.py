"""Zip files: the layouts, and every hostile structure refused with its reason."""

from __future__ import annotations

import io
import json
import stat
import struct
import warnings
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganvas.config import DataConfig
from ganvas.data.open import open_source
from ganvas.data.readers import zip_archive
from ganvas.data.report import inspect
from ganvas.data.table import TableDataset
from ganvas.errors import DataError


def png(seed: int = 0) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (8, 8), dtype=np.uint8)).save(file, "PNG")
    return file.getvalue()


def packed(path: Path, members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as file:
        for name, content in members.items():
            file.writestr(zipfile.ZipInfo(name), content, compression)
    return path


def opened(path: Path) -> TableDataset:
    return open_source(DataConfig(source=str(path)))


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_flat_classes_and_stylegan(tmp_path: Path, compression: int) -> None:
    flat = opened(packed(tmp_path / "flat.zip", {"b.png": png(1), "a.png": png(2)}, compression))
    assert (len(flat), flat.classes) == (2, ())
    assert np.array_equal(flat.fields["real"][0, 0].numpy(), np.asarray(Image.open(io.BytesIO(png(2)))))
    classes = opened(packed(tmp_path / "classes.zip", {"x/cat/1.png": png(), "x/dog/1.png": png(), "x/dog/": b""}, compression))
    assert (classes.classes, classes.fields["label"].tolist()) == (("cat", "dog"), [0, 1])
    table = json.dumps({"labels": [["00000/1.png", 1], ["00000/2.png", 0]]}).encode()
    members = {"dataset.json": table, "00000/1.png": png(), "00000/2.png": png(1)}
    style = opened(packed(tmp_path / "style.zip", members, compression))
    assert (style.classes, style.fields["label"].tolist()) == (("0", "1"), [1, 0])


@pytest.mark.parametrize("name", ["../a.png", "x/../../a.png", "/a.png", "C:/a.png", "..\\a.png", ".."])
def test_names_that_lead_out_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match="leads out of the archive"):
        opened(packed(tmp_path / "slip.zip", {"ok.png": png(), name: png()}))


def test_links_are_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("a.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "link.zip", "w") as file:
        file.writestr(link, "/etc/passwd")
    with pytest.raises(DataError, match="symbolic link"):
        opened(tmp_path / "link.zip")


def test_duplicates_are_refused(tmp_path: Path) -> None:
    with warnings.catch_warnings(), zipfile.ZipFile(tmp_path / "twice.zip", "w") as file:
        warnings.simplefilter("ignore")
        file.writestr("a.png", png(1))
        file.writestr("a.png", png(2))
    with pytest.raises(DataError, match="appears twice"):
        opened(tmp_path / "twice.zip")


def patched(path: Path, offset: int, form: str, value: int) -> Path:
    """Change a field of the first entry of the central directory."""
    content = bytearray(path.read_bytes())
    struct.pack_into(form, content, content.index(b"PK\1\2") + offset, value)
    path.write_bytes(content)
    return path


def test_encryption_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="encrypted"):
        opened(patched(packed(tmp_path / "locked.zip", {"a.png": png()}), 8, "<H", 1))


def test_bombs_are_refused(tmp_path: Path) -> None:
    bomb = packed(tmp_path / "bomb.zip", {"a.bmp": b"\0" * (17 << 20)}, zipfile.ZIP_DEFLATED)
    with pytest.raises(DataError, match="200 times its packed size"):
        opened(bomb)
    with pytest.raises(DataError, match="expected at most 268,435,456"):
        opened(patched(packed(tmp_path / "huge.zip", {"a.png": png()}), 24, "<I", 0xFFFFFFF0))


def test_caps_on_count_and_total(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = packed(tmp_path / "many.zip", {f"{i}.png": png(i) for i in range(3)})
    monkeypatch.setattr(zip_archive, "MAX_TOTAL", 100)
    with pytest.raises(DataError, match="unpacks to"):
        opened(path)
    monkeypatch.setattr(zip_archive, "MAX_MEMBERS", 2)
    with pytest.raises(DataError, match="3 members; expected at most 2"):
        opened(path)


def test_overlapping_members_are_refused(tmp_path: Path) -> None:
    path = packed(tmp_path / "overlap.zip", {"a.png": png(1), "b.png": png(2)})
    content = bytearray(path.read_bytes())
    second = content.index(b"PK\1\2", content.index(b"PK\1\2") + 1)
    struct.pack_into("<I", content, second + 42, 10)  # the second starts inside the first
    path.write_bytes(content)
    with pytest.raises(DataError, match="overlaps"):
        opened(path)


def test_lying_sizes_and_damage_skip_the_member(tmp_path: Path) -> None:
    path = packed(tmp_path / "lies.zip", {"a.png": png(1) * 3, "b.png": png(2)})
    source = opened(patched(path, 24, "<I", 40))
    assert len(source) == 1
    assert source.skipped[0].name == "a.png"
    path = packed(tmp_path / "flipped.zip", {"a.png": png(1), "b.png": png(2)})
    content = bytearray(path.read_bytes())
    content[60] ^= 255
    path.write_bytes(content)
    assert "damaged in the archive" in opened(path).skipped[0].reason


def test_other_packing_methods_skip_the_member(tmp_path: Path) -> None:
    path = packed(tmp_path / "lzma.zip", {"b.png": png(2)})
    with zipfile.ZipFile(path, "a", zipfile.ZIP_LZMA) as file:
        file.writestr("a.png", png(1))
    assert opened(path).skipped == (("a.png", "packed by a method other than store or deflate; pack the archive again"),)


def test_truncated_and_foreign_files_are_named(tmp_path: Path) -> None:
    path = packed(tmp_path / "short.zip", {"a.png": png()})
    path.write_bytes(path.read_bytes()[:-30])
    for content in (path.read_bytes(), b"", b"junk" * 100):
        path.write_bytes(content)
        with pytest.raises(DataError, match="not a readable zip file"):
            opened(path)


def test_a_directory_is_little_only_where_its_end_is_plain(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.zip", {"a.png": png()})
    content = bytearray(path.read_bytes())
    end = len(content) - zip_archive.END.size
    huge, cut, long = bytearray(content), bytearray(content), bytearray(content)
    struct.pack_into("<L", huge, end + 12, 2 << 30)
    struct.pack_into("<4s", cut, end + 16, b"PK\5\6")  # an end within the end
    long[end:end] = b"PK\6\7" + bytes(16)  # the locator of a zip64
    for told, told_as in ((content, True), (b"junk", True), (b"", True), (huge, False), (cut, False), (long, False)):
        path.write_bytes(told)
        assert zip_archive.has_small_directory(path) is told_as


def test_nested_archives_are_not_opened(tmp_path: Path) -> None:
    inner = packed(tmp_path / "inner.zip", {"a.png": png()})
    with pytest.raises(DataError, match=r"found 1 \*\.zip"):
        opened(packed(tmp_path / "outer.zip", {"inner.zip": inner.read_bytes()}))


def renamed(path: Path, old: bytes, new: bytes, flags: int) -> Path:
    """Change the bytes of a name, of equal length, and the flags of all members."""
    content = path.read_bytes().replace(old, new)
    for mark, at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        start = 0
        while (start := content.find(mark, start)) >= 0:
            content = content[: start + at] + struct.pack("<H", flags) + content[start + at + 2 :]
            start += 4
    path.write_bytes(content)
    return path


def test_backslashes_of_windows_are_folders(tmp_path: Path) -> None:
    members = {"pets\\cat\\1.png": png(1), "pets\\cat\\2.png": png(2), "pets\\dog\\1.png": png(3), "pets\\dog\\": b""}
    source = opened(packed(tmp_path / "windows.zip", members))
    assert (source.classes, source.fields["label"].tolist()) == (("cat", "dog"), [0, 0, 1])
    assert np.array_equal(source.table[2, 0].numpy(), np.asarray(Image.open(io.BytesIO(png(3)))))


def test_one_name_in_two_spellings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="appears twice"):
        opened(packed(tmp_path / "two.zip", {"x/a.png": png(1), "x\\a.png": png(2)}))


@pytest.mark.parametrize("name", ["\\a.png", "..\\a.png", "C:\\a.png", "x\\..\\..\\a.png"])
def test_backslashes_lead_nowhere_else(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match="leads out of the archive"):
        opened(packed(tmp_path / "slip.zip", {name: png()}))


@pytest.mark.parametrize(
    ("written", "flags", "name", "sure"),
    [
        ("Ärger".encode(), 0x800, "Ärger", True),
        ("Ärger".encode(), 0, "Ärger", True),  # as macOS writes it
        ("Ärger".encode("cp437"), 0, "Ärger", True),
        ("\u72d7\u72d7".encode("gbk"), 0, None, False),
        ("Ärger".encode("cp1252"), 0, None, False),
    ],
)
def test_names_in_other_encodings(tmp_path: Path, written: bytes, flags: int, name: str | None, sure: bool) -> None:
    mark = b"N" * len(written)
    path = packed(tmp_path / "names.zip", {f"{mark.decode()}/1.png": png(1), "other/1.png": png(2)})
    source = opened(renamed(path, mark, written, flags))
    assert len(source) == 2
    assert len(source.classes) == 2
    if name:
        assert name in source.classes
    assert all(found.isprintable() for found in source.classes)
    unknown = [text for text in source.warnings if "unknown encoding" in text]
    assert bool(unknown) is (not sure or written == "Ärger".encode("cp437"))


def test_the_unicode_path_of_info_zip_counts(tmp_path: Path) -> None:
    written = "Ä/1.png".encode("cp1252")
    field = b"\1" + struct.pack("<L", zlib.crc32(written)) + "Ä/1.png".encode()
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as file:
        info = zipfile.ZipInfo("N/1.png")
        info.extra = struct.pack("<HH", 0x7075, len(field)) + field
        file.writestr(info, png(1))
        file.writestr("B/1.png", png(2))
    assert opened(renamed(tmp_path / "x.zip", b"N/1.png", written, 0)).classes == ("B", "Ä")


@pytest.mark.parametrize("name", ["a" * 5_000 + ".png"])
def test_endless_names_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match="its name has 5,004 symbols; expected 1 to 4,096"):
        opened(packed(tmp_path / "long.zip", {name: png()}))


def test_no_more_than_the_declared_size_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = packed(tmp_path / "lies.zip", {"a.bmp": bytes(64 << 20), "b.png": png(2)}, zipfile.ZIP_DEFLATED)
    content = bytearray(path.read_bytes())
    struct.pack_into("<I", content, content.index(b"PK\1\2") + 24, 1_000)
    path.write_bytes(content)
    most = 0
    inflate = zipfile.ZipExtFile._read1  # type: ignore[attr-defined]

    def counted(self: zipfile.ZipExtFile, size: int) -> bytes:
        nonlocal most
        most = max(most, size)
        return bytes(inflate(self, size))

    monkeypatch.setattr(zipfile.ZipExtFile, "_read1", counted)
    assert opened(path).skipped[0].name == "a.bmp"
    assert most <= 1 << 20


@pytest.mark.parametrize("name", ["./a/1.png", "a//1.png", "a/./1.png", ".\\a\\1.png"])
def test_names_are_read_as_folders_have_them(tmp_path: Path, name: str) -> None:
    source = opened(packed(tmp_path / "x.zip", {name: png(1), "b/1.png": png(2)}))
    assert (source.classes, source.skipped) == (("a", "b"), ())
    with pytest.raises(DataError, match="its name appears twice"):
        opened(packed(tmp_path / "y.zip", {name: png(1), "a/1.png": png(2)}))


def test_folders_have_entries_of_their_own_as_often_as_they_like(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as file:
        for name in ("./", "a/", "./a/", "a/./"):
            file.writestr(name, b"")
        for i, name in enumerate(("./a/1.png", "b/1.png")):
            file.writestr(name, png(i))
    assert opened(tmp_path / "x.zip").classes == ("a", "b")


def test_an_error_names_the_archive(tmp_path: Path) -> None:
    for name, data in (("x.txt", b""), ("a.png", b"junk")):
        with pytest.raises(DataError, match=r"bad\.zip: no "):
            opened(packed(tmp_path / "bad.zip", {name: data}))
        with pytest.raises(DataError, match=r"bad\.zip: no "):
            inspect(str(tmp_path / "bad.zip"))
