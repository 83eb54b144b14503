"""Durable file writes: atomic replacement with fsync, temporary files, locks. Standard library only.

Durable means: written under a temporary name in the same folder, fsynced, renamed, and the folder fsynced. Every
operation that changes the disk is a call on `os` in this file, so that a test can make the k-th one fail or crash.
"""

# ruff: noqa: PTH102, PTH105, PTH106, PTH108

from __future__ import annotations

import errno
import hashlib
import os
import platform
import re
import secrets
import shutil
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from ganvas.errors import DataError, ResourceError
from ganvas.utils.parsing import parse_json, printable

ADVICE = {errno.ENOSPC: "free some space", errno.EDQUOT: "free some space", errno.EMFILE: "close some files"}
ADVICE |= {errno.ENAMETOOLONG: "choose a shorter path", errno.EFBIG: "allow larger files (ulimit -f)"}
ADVICE |= dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), "choose another place, or change its permissions")
ADVICE |= {errno.EEXIST: "a file or a link has this name; choose another"}
ADVICE |= {errno.ENOTDIR: "a file is where a folder is needed; choose another place"}
ADVICE |= {errno.ELOOP: "a link leads to itself; delete it"}

# Parts of a temporary name: this machine and this start of the process (containers reuse process ids).
MACHINE, START = hashlib.sha256(platform.node().encode()).hexdigest()[:8], secrets.token_hex(4)
TEMPORARY = re.compile(r"\.ganvas-([0-9a-f]{8})-([0-9]{1,10})-([0-9a-f]{8})-[0-9a-f]{8}")
DAY = 86_400
SMALL = 16 << 20  # bytes: the limit of a file of settings or notes, such as recipe.json
SPECIAL_FILES = (
    (stat.S_ISDIR, "folder"),
    (stat.S_ISFIFO, "pipe"),
    (stat.S_ISSOCK, "socket"),
    (stat.S_ISCHR, "device"),
    (stat.S_ISBLK, "device"),
)


@contextmanager
def disk_errors(doing: str) -> Iterator[None]:
    """Turn an OSError into one line. Raises: ResourceError: the disk failed while `doing` something."""
    try:
        yield
    except OSError as error:
        advice = ADVICE.get(error.errno or 0, "check that the folder exists and is writable")
        raise ResourceError(f"{doing}: {error.strerror or error}; {advice}") from error


def write_durably(path: Path, data: bytes) -> None:
    """Replace the file at `path` by `data`: after a crash it is the complete old one or the complete new one.

    Raises:
        ResourceError: it cannot be written; the old file is unchanged and the temporary one removed.
    """
    with disk_errors(f"cannot write {printable(path)}"):
        sweep(path.parent)
        temporary = temporary_path(path.parent)
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
    for folder in reversed(missing):  # not os.makedirs: it calls itself for each parent, and Python's stack has an end
        with suppress(FileExistsError):
            os.mkdir(folder)
        fsync_dir(folder.parent)
    if not path.is_dir():  # a file, or a link that leads nowhere
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))


def append(path: Path, line: bytes) -> None:
    """Append a line, which is not durable before `sync_file`.

    Raises:
        OSError: nothing was appended. Half a line would damage the next one.
    """
    # Not blocking: a pipe without a reader would stop the training.
    how = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
    file = os.open(path, how, 0o666)
    try:
        end = os.fstat(file).st_size
        try:
            if os.write(file, line) < len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError:
            with suppress(OSError):
                os.ftruncate(file, end)
            raise
    finally:
        os.close(file)


def sync_file(path: Path) -> None:
    """Make what was written to a file durable, and its name. Raises: OSError."""
    file = os.open(path, os.O_RDWR)
    try:
        os.fsync(file)
    finally:
        os.close(file)
    fsync_dir(path.parent)


def sync_tree(path: Path) -> None:
    """Make a folder and everything in it durable. Raises: OSError."""
    for entry in sorted(path.iterdir()):
        if entry.is_dir():
            sync_tree(entry)
        else:
            sync_file(entry)
    fsync_dir(path)


def remove_tree(path: Path) -> None:
    """Delete a folder and everything in it; links are deleted, not followed. Raises: OSError."""
    for entry in sorted(path.iterdir()):
        if entry.is_dir() and not entry.is_symlink():
            remove_tree(entry)
        else:
            os.unlink(entry)
    os.rmdir(path)


def temporary_path(folder: Path) -> Path:
    """A new name in `folder`, which `sweep` does not delete while this process runs."""
    return folder / f".ganvas-{MACHINE}-{os.getpid()}-{START}-{secrets.token_hex(4)}"


def require_folder(path: Path) -> None:
    """Whether there is a folder for a file or a folder at `path`. Raises: ResourceError: there is none."""
    folder = path.parent
    if folder.is_dir():
        return
    there = next((each for each in (folder, *folder.parents) if each.exists()), folder)
    if there.is_file():
        raise ResourceError(f"cannot write {printable(path)}: {printable(there)} is a file, not a folder; choose another place")
    raise ResourceError(f"cannot write {printable(path)}: no folder {printable(folder)}; create it")


def require_writable(path: Path) -> None:
    """Try, before a long computation, whether a file or a folder can be made at `path`. Raises: ResourceError: it cannot."""
    doing = f"cannot write {printable(path)}"
    require_folder(path)
    with disk_errors(doing):
        temporary = temporary_path(path.parent)
        temporary.mkdir()
        temporary.rmdir()


def sweep(folder: Path) -> None:
    """Delete the temporary files of crashed processes in `folder`. What cannot be deleted stays for the next call."""
    for path in folder.iterdir():
        owner = TEMPORARY.fullmatch(path.name)
        with suppress(OSError):
            if owner and not _may_be_writing(owner[1], int(owner[2]), owner[3], path.lstat().st_mtime):
                remove_tree(path) if path.is_dir() else os.unlink(path)


def _may_be_writing(machine: str, process: int, start: str, changed: float) -> bool:
    """Whether the process behind a temporary name may still be writing."""
    if (machine, process, start) == (MACHINE, os.getpid(), START):
        return True
    if machine == MACHINE and (process == os.getpid() or not _is_alive(process)):
        return False
    return time.time() - changed < DAY  # of another machine, or another process has this id now


def _is_alive(process: int) -> bool:
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
    """Lock an open file for this process until it is closed; False if another process holds the lock."""
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
    """The SHA-256 of a file's bytes, in hexadecimal. Raises: OSError, DataError: it is no regular file."""
    require_regular(path)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def open_regular(path: Path) -> BinaryIO:
    """Open a file to read; a pipe or a device would block or never end. Raises: OSError, DataError."""
    require_regular(path)
    return path.open("rb")


def require_regular(path: Path) -> None:
    """Raises: DataError: it is a folder, a pipe or a device. OSError: it is missing."""
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode):
        kind = next((word for test, word in SPECIAL_FILES if test(mode)), "special file")
        raise DataError(f"{printable(path)} is a {kind}, not a regular file; give a file")


def read_regular(path: Path, most: int = SMALL) -> bytes:
    """The bytes of a file of at most `most` bytes. Raises: DataError: it is larger, or no regular file. OSError."""
    with open_regular(path) as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise DataError(f"{printable(path)} is larger than {most:,} bytes")
    return data


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a small file that may be hostile.

    Raises:
        DataError: it is no object, too deep, larger than `SMALL`, or no regular file. OSError: it cannot be read.
    """
    return parse_json(read_regular(path), printable(path))
