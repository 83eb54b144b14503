"""Files that survive a crash, and a look at a foreign one before it is believed. Standard library only.

Durable means: written under a temporary name in the same folder, fsynced, renamed, and the folder fsynced. Every
operation that changes the disk is a call on `os` in this file, so that a test can fail or crash at the k-th.
"""
# ruff: noqa: PTH103, PTH105, PTH106, PTH108

from __future__ import annotations

import errno
import hashlib
import json
import math
import os
import platform
import re
import secrets
import shutil
import stat
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from ganvas.errors import DataError, ResourceError

HEADER_CAP = 2 << 20  # bytes: room for 20,000 tensors, and for 100 MB of Python objects at worst
DTYPES: Mapping[str, tuple[str, int]] = {  # the safetensors spelling -> torch's, bytes
    "BOOL": ("bool", 1),
    "U8": ("uint8", 1),
    "I8": ("int8", 1),
    "I16": ("int16", 2),
    "F16": ("float16", 2),
    "BF16": ("bfloat16", 2),
    "I32": ("int32", 4),
    "F32": ("float32", 4),
    "I64": ("int64", 8),
    "F64": ("float64", 8),
    "C64": ("complex64", 8),
}
ADVICE = {errno.ENOSPC: "free some space", errno.EDQUOT: "free some space", errno.EMFILE: "close some files"}

# Who writes, in the temporary name: this machine, this process, this start of it (containers reuse process ids).
MACHINE, START = hashlib.sha256(platform.node().encode()).hexdigest()[:8], secrets.token_hex(4)
TEMPORARY = re.compile(r"\.ganvas-([0-9a-f]{8})-([0-9]{1,10})-([0-9a-f]{8})-[0-9a-f]{8}")
A_DAY = 86_400


@contextmanager
def disk_errors(doing: str) -> Iterator[None]:
    """Raises: ResourceError: the disk refused; says while doing what, and what to do."""
    try:
        yield
    except OSError as error:
        advice = ADVICE.get(error.errno or 0, "check that the folder exists and is writable")
        raise ResourceError(f"{doing}: {error.strerror or error}; {advice}") from error


def write_durably(path: Path, data: bytes) -> None:
    """Replace the file at `path` by `data`: after a crash it is the old one or the new one, whole.

    Raises:
        ResourceError: the disk refused; the old file is untouched and the temporary one removed.
    """
    with disk_errors(f"cannot write {printable(path)}"):
        sweep(path.parent)
        temporary = temporary_in(path.parent)
        try:
            write_new(temporary, data)
            publish(temporary, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary)
            raise


def write_new(path: Path, data: bytes) -> None:
    """Create the file at `path` and fsync it. Raises: OSError."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(file, rest) :]
        os.fsync(file)
    finally:
        os.close(file)


def publish(temporary: Path, path: Path) -> None:
    """Give a finished file or folder its name, durably. Raises: OSError."""
    os.replace(temporary, path)
    fsync_dir(path.parent)


def fsync_dir(path: Path) -> None:
    """Make the names in a folder durable. Raises: OSError."""
    if os.name != "posix":
        return  # Windows cannot open a folder, and journals its renames
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some network file systems have no such call
            raise
    finally:
        os.close(folder)


def make_folder(path: Path) -> None:
    """Create `path` and its parents, durably. Raises: OSError."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    os.makedirs(path, exist_ok=True)
    for folder in missing:
        fsync_dir(folder.parent)


def remove_tree(path: Path) -> None:
    """Delete a folder with all it holds; links are deleted, not followed. Raises: OSError."""
    for entry in sorted(path.iterdir()):
        if entry.is_dir() and not entry.is_symlink():
            remove_tree(entry)
        else:
            os.unlink(entry)
    os.rmdir(path)


def temporary_in(folder: Path) -> Path:
    """A fresh name in `folder` that `sweep` knows to be ours while this process lives."""
    return folder / f".ganvas-{MACHINE}-{os.getpid()}-{START}-{secrets.token_hex(4)}"


def sweep(folder: Path) -> None:
    """Delete what crashed writers left in `folder`. What cannot be deleted waits for the next sweep."""
    for path in folder.iterdir():
        owner = TEMPORARY.fullmatch(path.name)
        with suppress(OSError):
            if owner and not _writing(owner[1], int(owner[2]), owner[3], path.lstat().st_mtime):
                remove_tree(path) if path.is_dir() else os.unlink(path)


def _writing(machine: str, process: int, start: str, changed: float) -> bool:
    """Whether the writer of a temporary name may still be at it."""
    if (machine, process, start) == (MACHINE, os.getpid(), START):
        return True
    if machine == MACHINE and (process == os.getpid() or not _alive(process)):
        return False
    return time.time() - changed < A_DAY  # another machine's, or a stranger who got the process id since


def _alive(process: int) -> bool:
    if os.name != "posix":
        return True  # signal 0 would end it
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    return True


def try_lock(file: int) -> bool:
    """Lock an open file for this process until it is closed; False where another process holds the lock."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def require_space(folder: Path, size: int) -> None:
    """Raises: ResourceError: less than `size` bytes are free in `folder`."""
    free = shutil.disk_usage(folder).free
    if free < size:
        raise ResourceError(f"{printable(folder)}: {size:,} bytes to write, {free:,} free; free some space")


def sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal. Raises: OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def printable(text: object, limit: int = 300) -> str:
    """`text` on one line that is safe to show: control characters escaped, the middle of a long one left out."""
    shown = str(text)
    if len(shown) > limit:
        shown = f"{shown[: limit // 2]}...{shown[-limit // 2 :]}"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in shown)


def parse_json(data: bytes | str, what: str) -> dict[str, Any]:
    """A JSON object from a file that may be hostile. Raises: DataError: it is none, or nests or repeats keys absurdly."""
    try:
        values = json.loads(data if isinstance(data, str) else data.decode(), object_pairs_hook=_distinct)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{what} is not readable JSON: {printable(error, 100)}") from None
    if not isinstance(values, dict):
        raise DataError(f"{what} is not a JSON object")
    return values


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError("a key appears twice")
    return values


def open_regular(path: Path) -> BinaryIO:
    """Open a file to read; a pipe or a device would block or never end. Raises: OSError, DataError."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise DataError(f"{printable(path)} is not a regular file")
    return path.open("rb")


Layout = dict[str, tuple[str, tuple[int, ...]]]  # tensor name -> torch dtype, shape


def tensor_header(file: BinaryIO, size: int) -> tuple[Layout, dict[str, str]]:
    """What a safetensors file of `size` bytes claims to hold, checked against its size: layout and metadata.

    Raises:
        DataError: not such a file, or the claims do not add up. Nothing is allocated on their behalf.
    """
    length = int.from_bytes(file.read(8), "little")
    if size < 8 or length > size - 8:
        raise DataError("no safetensors file, or cut short")
    if length > HEADER_CAP:
        raise DataError(f"a header of {length:,} bytes, at most {HEADER_CAP:,} are read")
    entries = parse_json(file.read(length), "the header")
    metadata = entries.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(text, str) for text in metadata.values()):
        raise DataError("its metadata is not text")
    layout: Layout = {}
    spans = []
    for name, entry in entries.items():
        dtype, shape, span = _claim(entry, f"tensor {printable(name, 100)}")
        layout[name] = dtype, shape
        spans.append(span)
    end = 0
    for start, stop in sorted(spans):
        if start != end:
            raise DataError("its tensors overlap or leave gaps")
        end = stop
    if end != size - 8 - length:
        raise DataError(f"its tensors span {end:,} bytes, the file holds {size - 8 - length:,}")
    return layout, metadata


def _claim(entry: Any, what: str) -> tuple[str, tuple[int, ...], tuple[int, int]]:
    """One tensor's dtype, shape and byte span. Raises: DataError: they contradict each other."""
    known = isinstance(entry, dict) and set(entry) == {"dtype", "shape", "data_offsets"} and entry["dtype"] in list(DTYPES)
    if not known:
        raise DataError(f"{what} is not described by a known dtype, a shape and offsets")
    shape, offsets = entry["shape"], entry["data_offsets"]
    for numbers in (shape, offsets):
        if not isinstance(numbers, list) or len(numbers) > 64 or any(type(n) is not int or not 0 <= n < 2**63 for n in numbers):
            raise DataError(f"{what} has a shape or offsets that are no small lists of counts")
    dtype, width = DTYPES[entry["dtype"]]
    if math.prod(n or 1 for n in shape) >= 2**60:  # beyond what a zero among them can excuse
        raise DataError(f"{what} has an impossible shape")
    if len(offsets) != 2 or offsets[1] - offsets[0] != math.prod(shape) * width:
        raise DataError(f"{what} has a shape that contradicts its size")
    return dtype, tuple(shape), (offsets[0], offsets[1])
