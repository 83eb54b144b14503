"""Durable writes under faults at every operation, and the header check against hostile files."""

from __future__ import annotations

import errno
import io
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import safetensors.torch
import torch
from file_faults import HOSTILE, Crash, FaultyOs, names_in
from hypothesis import given, settings
from hypothesis import strategies as st

from ganvas.errors import DataError, ResourceError
from ganvas.utils import files, parsing, safetensors_header


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
        files.temporary_path(tmp_path).name,
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
    assert socket.gethostname() not in files.temporary_path(Path()).name


@pytest.mark.parametrize("data", HOSTILE.values(), ids=list(HOSTILE))
def test_hostile_headers_are_refused(data: bytes) -> None:
    with pytest.raises(DataError):
        safetensors_header.read_header(io.BytesIO(data), len(data))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_mutation_of_a_header_crashes_the_check(data: st.DataObject) -> None:
    good = bytearray(safetensors.torch.save({"a": torch.ones(3), "b": torch.zeros(2, 0)}, {"card": "{}"}))
    assert safetensors_header.read_header(io.BytesIO(good), len(good))[0] == {
        "a": ("float32", (3,)),
        "b": ("float32", (2, 0)),
    }
    for at in data.draw(st.lists(st.integers(0, len(good) - 13), min_size=1, max_size=4)):
        good[at] = data.draw(st.integers(0, 255))
    try:
        layout, _ = safetensors_header.read_header(io.BytesIO(good), len(good))
    except DataError:
        return
    assert len(layout) == 2


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("file/x.png", "cannot write file/x.png: file is a file, not a folder; choose another place"),
        ("file/a/b.png", "cannot write file/a/b.png: file is a file, not a folder; choose another place"),
        ("none/a/x.png", "cannot write none/a/x.png: no folder none/a; create it"),
    ],
)
def test_a_place_whose_folder_is_missing_or_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    with pytest.raises(ResourceError) as error:
        files.require_writable(Path(name))
    assert str(error.value) == said
    files.require_writable(Path("x.png"))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
