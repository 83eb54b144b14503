"""Durable writes under faults at every operation, and the header check against hostile files."""

from __future__ import annotations

import errno
import io
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ganvas.errors import DataError, ResourceError
from ganvas.utils import files, parsing, safetensors_header

CHANGING = ("open", "write", "fsync", "replace", "unlink", "rmdir", "makedirs")


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


class Crash(BaseException):
    """The process is gone: nothing after this touches the disk."""


class FaultyOs:
    """`os`, whose `at`-th changing operation fails, or is where the machine loses power."""

    def __init__(self, at: int, code: int | None = None, lasting: bool = False) -> None:
        self.at, self.code, self.lasting, self.done, self.log = at, code, lasting, 0, list[str]()
        self.unsynced: dict[int, int] = {}  # descriptor -> a duplicate of it

    def __getattr__(self, name: str) -> Any:
        real = getattr(os, name)
        return (lambda *a, **k: self.call(name, real, *a, **k)) if name in CHANGING else real

    def call(self, name: str, real: Any, *args: Any, **kwargs: Any) -> Any:
        self.done += 1
        self.log.append(name)
        if self.code is None and self.done > self.at:
            raise Crash
        if self.done == self.at or (self.lasting and self.done > self.at):
            if name == "write":
                real(args[0], args[1][: len(args[1]) // 2])
            if self.code is not None:
                raise OSError(self.code, os.strerror(self.code))
            for duplicate in self.unsynced.values():  # power loss: what was not fsynced need not be there
                os.ftruncate(duplicate, 0)
            raise Crash
        result = real(*args, **kwargs)
        if name == "open" and args[1] & os.O_WRONLY:
            self.unsynced[result] = os.dup(result)
        elif name == "fsync" and args[0] in self.unsynced:
            os.close(self.unsynced.pop(args[0]))
        return result


def test_write_durably_crashed_at_each_operation_leaves_old_or_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, at, seen = tmp_path / "file", 0, set()
    while True:
        at += 1
        path.write_bytes(b"old")
        faulty = FaultyOs(at)
        with monkeypatch.context() as patch:
            patch.setattr(files, "os", faulty)
            try:
                files.write_durably(path, b"the new one")
            except Crash:
                assert path.read_bytes() in (b"old", b"the new one")
                seen.add(path.read_bytes())
                continue
        break
    assert seen == {b"old", b"the new one"}
    assert at > 6
    assert faulty.log == ["open", "write", "fsync", "replace", "open", "fsync"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EROFS, errno.EDQUOT, errno.EMFILE])
def test_write_durably_tells_each_error_and_removes_its_temporary(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    path = tmp_path / "file"
    for at in range(1, 7):
        path.write_bytes(b"old")
        with monkeypatch.context() as patch:
            patch.setattr(files, "os", FaultyOs(at, code))
            with pytest.raises(ResourceError, match=r"cannot write .*file: "):
                files.write_durably(path, b"new")
        assert names_in(tmp_path) == ["file"]
        assert path.read_bytes() == (b"old" if at <= 4 else b"new")


def test_write_to_a_missing_folder_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(ResourceError, match=r"cannot write .*nowhere/file: No such file or directory; check"):
        files.write_durably(tmp_path / "nowhere" / "file", b"")


def test_sweep_takes_what_the_dead_left_and_spares_the_living(tmp_path: Path) -> None:
    dead = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True, text=True)
    me, parent = os.getpid(), os.getppid()
    stale = [
        f".ganvas-{files.MACHINE}-{dead.stdout.strip()}-00000000-00000000",
        f".ganvas-{files.MACHINE}-{me}-00000000-00000000",  # our process id, before we were started
        f".ganvas-ffffffff-{me}-00000000-00000001",  # another machine's, untouched for two days
    ]
    living = [
        f".ganvas-{files.MACHINE}-{parent}-00000000-00000000",
        f".ganvas-ffffffff-{me}-00000000-00000000",
        files.temporary_in(tmp_path).name,
        ".ganvas-notes",
        "000000001",
    ]
    for name in stale + living:
        (tmp_path / name).mkdir()
        (tmp_path / name / "part").write_bytes(b"x")
    os.utime(tmp_path / stale[2], (0, 0))
    files.sweep(tmp_path)
    assert names_in(tmp_path) == sorted(living)


def test_remove_tree_does_not_follow_links(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").write_bytes(b"x")
    (tmp_path / "gone").mkdir()
    (tmp_path / "gone" / "link").symlink_to(tmp_path / "kept")
    files.remove_tree(tmp_path / "gone")
    assert names_in(tmp_path) == ["kept"]
    assert names_in(tmp_path / "kept") == ["file"]


def test_special_files_are_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, Path("/dev/zero")):
        with pytest.raises(DataError, match="regular"):
            files.open_regular(path)


def test_space_is_required(tmp_path: Path) -> None:
    files.require_space(tmp_path, 1)
    with pytest.raises(ResourceError, match="free some space"):
        files.require_space(tmp_path, 1 << 60)


def test_printable_is_one_short_safe_line() -> None:
    assert parsing.printable("a\x1b[31m\nb\u202e") == "a\\x1b[31m\\nb\\u202e"
    assert len(parsing.printable("x" * 10_000)) < 310
    assert parsing.printable("Zoë.png") == "Zoë.png"
    assert socket.gethostname() not in files.temporary_in(Path()).name


def packed(header: object, body: bytes = b"") -> bytes:
    """A safetensors file with any header."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + body


def entry(shape: object = (2,), start: object = 0, stop: object = 8, dtype: object = "F32") -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, stop]}


HOSTILE = {
    "empty": b"",
    "short": b"\x01\x00",
    "pickle": b"\x80\x04\x95" + b"x" * 100,
    "zip": b"PK\x03\x04" + b"\x00" * 100,
    "header past the end": (1000).to_bytes(8, "little") + b"{}",
    "header of 2^63": (2**63).to_bytes(8, "little") + b"{}",
    "deep": packed(b'{"a":' + b"[" * 1_000_000),
    "not an object": packed([]),
    "not UTF-8": packed(b'{"\xff": 1}'),
    "huge number": packed(b'{"a": ' + b"9" * 10_000 + b"}"),
    "twice": packed(b'{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"a":1}', b"0000"),
    "overlap": packed({"a": entry(), "b": entry(start=4, stop=12)}, b"0" * 12),
    "same span": packed({"a": entry(), "b": entry()}, b"0" * 8),
    "gap": packed({"a": entry(), "b": entry(start=12, stop=20)}, b"0" * 20),
    "trailing": packed({"a": entry()}, b"0" * 9),
    "backwards": packed({"a": entry(start=8, stop=0)}, b"0" * 8),
    "shape bomb": packed({"a": entry(shape=[2**40, 2**40])}, b"0" * 8),
    "shape bomb with a zero": packed({"a": entry(shape=[2**62, 2**62, 0], stop=0)}),
    "many dims": packed({"a": entry(shape=[1] * 100, stop=4)}, b"0" * 4),
    "negative": packed({"a": entry(shape=[-1, -2])}, b"0" * 8),
    "bool shape": packed({"a": entry(shape=[True, 2])}, b"0" * 8),
    "float shape": packed({"a": entry(shape=[2.0])}, b"0" * 8),
    "text shape": packed({"a": entry(shape="2")}, b"0" * 8),
    "dtype": packed({"a": entry(dtype="F33")}, b"0" * 8),
    "dtype list": packed({"a": entry(dtype=["F32"])}, b"0" * 8),
    "extra key": packed({"a": {**entry(), "x": 1}}, b"0" * 8),
    "metadata": packed({"__metadata__": {"a": 1}}),
    "metadata list": packed({"__metadata__": []}),
    "wide": packed({str(i): entry(stop=0, shape=[0]) for i in range(50_000)}),
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=list(HOSTILE))
def test_hostile_headers_are_refused(data: bytes) -> None:
    with pytest.raises(DataError):
        safetensors_header.tensor_header(io.BytesIO(data), len(data))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_mutation_of_a_header_crashes_the_check(data: st.DataObject) -> None:
    good = bytearray(safetensors.torch.save({"a": torch.ones(3), "b": torch.zeros(2, 0)}, {"card": "{}"}))
    assert safetensors_header.tensor_header(io.BytesIO(good), len(good))[0] == {
        "a": ("float32", (3,)),
        "b": ("float32", (2, 0)),
    }
    for at in data.draw(st.lists(st.integers(0, len(good) - 13), min_size=1, max_size=4)):
        good[at] = data.draw(st.integers(0, 255))
    try:
        layout, _ = safetensors_header.tensor_header(io.BytesIO(good), len(good))
    except DataError:
        return
    assert len(layout) == 2
