"""Any file, however hostile, ends in data or in one line of a `GanvasError`; bombs stay within a limit of memory."""

from __future__ import annotations

import gzip
import io
import os
import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from ganvas.config import DataConfig
from ganvas.data.open import open_source
from ganvas.data.readers import npz_file
from ganvas.data.report import inspect
from ganvas.errors import DataError, GanvasError
from ganvas.training.log import read_log
from ganvas.training.run_folder import open_run
from ganvas.utils.files import read_regular

NAMES = ("x.npy", "x.npz", "x.zip", "x.csv", "x.tsv", "x.txt", "x-images-idx3-ubyte", "x-images-idx3-ubyte.gz", "x.png")
MEMORY = 600 << 20  # bytes


def png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def seeds() -> dict[str, bytes]:
    """A small valid file for each name."""
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (6, 8, 8), dtype=np.uint8)
    npy, npz, packed = io.BytesIO(), io.BytesIO(), io.BytesIO()
    np.save(npy, pixels)
    np.savez_compressed(npz, images=pixels, labels=np.arange(6), classes=np.array(list("abcdef")))
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        for i, name in enumerate(("cat/1.png", "cat/2.png", "dog/1.png")):
            file.writestr(name, png(pixels[i]))
        file.writestr("dataset.json", '{"labels": [["cat/1.png", 0], ["dog/1.png", 1]]}')
    idx = bytes((0, 0, 8, 3)) + struct.pack(">3I", 6, 8, 8) + pixels.tobytes()
    rows = "x,y\n1.5,2\n-3,4e2\n0,0\n"
    contents = (npy, npz, packed, rows, rows.replace(",", "\t"), "Anna\nÜmit\n\nx\n", idx, gzip.compress(idx), png(pixels[0]))
    found = (content.getvalue() if isinstance(content, io.BytesIO) else content for content in contents)
    return {name: content.encode() if isinstance(content, str) else content for name, content in zip(NAMES, found, strict=True)}


SEEDS = seeds()


def end(path: Path) -> None:
    """Open and inspect a source. Every way to end is allowed but an error that is no single line of ours."""
    ends: list[GanvasError] = []
    for use in (lambda: open_source(DataConfig(source=str(path))), lambda: inspect(str(path))):
        try:
            use()
        except GanvasError as error:
            ends.append(error)
    assert all(error.exit_code in (2, 3) and "\n" not in str(error) and len(str(error)) < 2_000 for error in ends)


@given(name=st.sampled_from(NAMES), data=st.data())
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damaged_files_end_in_data_or_one_line(tmp_path: Path, name: str, data: st.DataObject) -> None:
    content = bytearray(SEEDS[name])
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=6)):
        content[place] = data.draw(st.sampled_from([0, 1, 127, 128, 255, 10, 44]))
    cut = data.draw(st.sampled_from([len(content), len(content) // 2, len(content) - 3]))
    folder = tmp_path / str(len(list(tmp_path.iterdir())))
    folder.mkdir()
    (folder / name).write_bytes(content[:cut] + data.draw(st.binary(max_size=6)))
    end(folder if name.endswith(".png") else folder / name)


@given(name=st.sampled_from(NAMES), content=st.binary(max_size=200))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_junk_ends_in_data_or_one_line(tmp_path: Path, name: str, content: bytes) -> None:
    folder = tmp_path / str(len(list(tmp_path.iterdir())))
    folder.mkdir()
    (folder / name).write_bytes(content)
    end(folder if name.endswith(".png") else folder / name)


@given(
    text=st.text(st.sampled_from("0123456789+-.,;\t \n\"'#exyn"), max_size=60),
    name=st.sampled_from(["x.csv", "x.tsv", "x.txt"]),
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_ends_in_data_or_one_line(tmp_path: Path, text: str, name: str) -> None:
    (tmp_path / name).write_text(text)
    end(tmp_path / name)


def header(text: str) -> bytes:
    """The start of a .npy file with any header."""
    packed = text.encode("latin1")
    return b"\x93NUMPY\x01\0" + struct.pack("<H", len(packed)) + packed


@pytest.mark.parametrize("shape", ["(0, 10**30)", "(0, 1" + "0" * 30 + ")", "(-1, 2)", "(1.5,)", "'ab'", "None", "(2,) * 99"])
@pytest.mark.parametrize("descr", ["'|u1'", "'<f8'", "'|S0'", "[('a', '<i4')]", "'|O'", "'<M8[s]'"])
def test_odd_headers_of_numpy_files(tmp_path: Path, shape: str, descr: str) -> None:
    content = header(f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}}}")
    (tmp_path / "x.npy").write_bytes(content + bytes(8))
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as file:
        file.writestr("images.npy", content + bytes(8))
    for name in ("x.npy", "x.npz"):
        with pytest.raises(DataError, match=rf"x\.{name[-3:]}"):
            open_source(DataConfig(source=str(tmp_path / name)))


def test_small_odd_arrays(tmp_path: Path) -> None:
    images = np.zeros((3, 8, 8), np.uint8)
    np.savez(tmp_path / "classes.npz", images=images + 9, labels=[0, 1, 0], classes=np.array("ab"))
    assert open_source(DataConfig(source=str(tmp_path / "classes.npz"))).classes
    np.save(tmp_path / "scalar.npy", np.float64(3))
    with pytest.raises(DataError, match="found a single value"):
        open_source(DataConfig(source=str(tmp_path / "scalar.npy")))
    with zipfile.ZipFile(tmp_path / "lzma.npz", "w", zipfile.ZIP_LZMA) as file:
        file.writestr("images.npy", SEEDS["x.npy"])
    with pytest.raises(DataError, match="packed by a method other than"):
        open_source(DataConfig(source=str(tmp_path / "lzma.npz")))


def test_unused_arrays_are_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.savez_compressed(tmp_path / "x.npz", images=np.ones((3, 8, 8)), other=np.zeros(1_000), labels=np.arange(3))
    shapes: list[tuple[int, ...]] = []
    unpack = npz_file.unpack_array
    monkeypatch.setattr(npz_file, "unpack_array", lambda *given: shapes.append(given[2]) or unpack(*given))
    open_source(DataConfig(source=str(tmp_path / "x.npz")))
    assert shapes
    assert (1_000,) not in shapes


@pytest.mark.parametrize("name", [*NAMES[:-1], "pictures.zip"])
def test_pipes_and_devices_are_refused(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    with pytest.raises(DataError, match="pipe"):
        open_source(DataConfig(source=str(tmp_path / name)))
    (tmp_path / name).unlink()
    (tmp_path / name).symlink_to("/dev/zero")
    with pytest.raises(DataError, match="device"):
        open_source(DataConfig(source=str(tmp_path / name)))


@pytest.mark.parametrize("name", ["recipe.json", "env.json"])
def test_pipes_in_a_run_folder_are_refused(tmp_path: Path, name: str) -> None:
    for file in ("recipe.json", "env.json"):
        (tmp_path / file).write_text("{}")
    (tmp_path / "recipe.json").write_text('{"game": "gan"}')
    (tmp_path / name).unlink()
    os.mkfifo(tmp_path / name)
    with pytest.raises(DataError, match="not a run folder"):
        open_run(tmp_path)
    os.mkfifo(tmp_path / "log.jsonl")
    told: list[str] = []
    assert read_log(tmp_path / "log.jsonl", told.append) == []
    assert "is a pipe, not a regular file" in told[0]


def test_small_files_have_a_limit(tmp_path: Path) -> None:
    (tmp_path / "recipe.json").write_bytes(bytes(101))
    assert len(read_regular(tmp_path / "recipe.json", 101)) == 101
    with pytest.raises(DataError, match="larger than 100 bytes"):
        read_regular(tmp_path / "recipe.json", 100)


def large_png(width: int, height: int) -> bytes:
    """A valid grey PNG of zeros, packed as small as it can be."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    squeeze = zlib.compressobj(1)
    body = b"".join(squeeze.compress(bytes(width + 1)) for _ in range(height)) + squeeze.flush()
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def bomb(folder: Path, kind: str) -> Path:
    """A file of at most a few MB that would fill gigabytes."""
    if kind == "zip":
        path = folder / "x.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
            file.writestr("a.bmp", bytes(400 << 20))
        content = bytearray(path.read_bytes())
        struct.pack_into("<I", content, content.index(b"PK\1\2") + 24, 1_000)
        path.write_bytes(content)
    elif kind == "npz":
        path = folder / "x.npz"
        np.savez_compressed(path, images=np.zeros((400, 1_000, 1_000), np.uint8))
    elif kind == "idx":
        path = folder / "x-images-idx3-ubyte.gz"
        with gzip.open(path, "wb", 1) as packed:
            packed.write(bytes((0, 0, 8, 3)) + struct.pack(">3I", 400, 1_000, 1_000))
            for _ in range(400):
                packed.write(bytes(1_000_000))
    elif kind == "pictures":
        path = folder / "pictures"
        path.mkdir()
        content_of_all = large_png(8_000, 8_000)
        for i in range(3):
            (path / f"{i}.png").write_bytes(content_of_all)
    elif kind == "lines":
        path = folder / "x.txt"
        path.write_bytes(b"a\n" * 10_000_000)
    else:
        path = folder / "x.csv"
        path.write_bytes(b"1," * 5_000_000)
    return path


MEASURE = """
import sys, resource
from ganvas.data.report import inspect
from ganvas.errors import GanvasError
for path in sys.argv[1:]:
    try:
        inspect(path)
        print("data")
    except GanvasError as error:
        print(error.exit_code)
for line in open("/proc/self/status"):
    if line.startswith("VmHWM"):
        print(int(line.split()[1]) * 1024)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc to measure memory with")
def test_bombs_stay_within_a_limit_of_memory(tmp_path: Path) -> None:
    paths = [str(bomb(tmp_path, kind)) for kind in ("zip", "npz", "idx", "pictures", "lines", "cells")]
    done = subprocess.run([sys.executable, "-c", MEASURE, *paths], capture_output=True, text=True, timeout=300, check=True)
    *ends, memory = done.stdout.split()
    assert len(ends) == len(paths)
    assert set(ends) <= {"data", "3"}
    assert int(memory) < MEMORY


def test_combining_marks_take_no_time(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("a" + "\u0301\u0323" * 400_000 + "\nab\n")  # NFC of it: more than a minute
    source = open_source(DataConfig(source=str(tmp_path / "x.txt")))
    assert (len(source), len(source.skipped)) == (1, 1)


def test_all_threads_together_decode_within_a_limit() -> None:
    from ganvas.data.images import Allowance

    allowance = Allowance(10)
    with allowance.take(6), allowance.take(4):
        assert allowance.taken == 10
    with allowance.take(100):  # more than there is: alone
        assert allowance.taken == 100
    assert allowance.taken == 0
