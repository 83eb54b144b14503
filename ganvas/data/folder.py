"""Pictures in a folder and the folders below it."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

from ganvas.data.images import Bytes, Header, UnreadableError, decode, peek
from ganvas.data.layout import arrange
from ganvas.data.pictures import Found, Pictures
from ganvas.data.source import Skipped
from ganvas.errors import DataError
from ganvas.files import printable

MAX_TABLE = 256 << 20  # bytes of a dataset.json


def find(path: Path, split: str) -> Found:
    """The pictures below a folder.

    Raises:
        DataError: it holds no pictures, or not the split asked for.
    """
    files, skipped = walk(path)
    layout = arrange(list(files), split, lambda name: _read_table(path / name))
    # What is no picture counts too: it may be a dataset.json.
    identity = (str(path.resolve()), 0, 0), *((name, *facts) for name, facts in sorted(files.items()))

    def open_member(i: int) -> BinaryIO:
        try:
            return (path / layout.members[i]).open("rb")
        except OSError as error:
            raise UnreadableError(error.strerror or "cannot be opened") from None

    def peek_member(i: int) -> Header:
        with open_member(i) as file:
            return peek(file)

    def read_member(i: int, enough: int) -> Bytes:
        with open_member(i) as file:
            return decode(file, enough)

    names = tuple(map(printable, layout.members))
    left_out = (*layout.skipped, *skipped)
    pictures = Pictures(names, peek_member, read_member, layout.labels, layout.classes, left_out, layout.text)
    return Found("folder", identity, lambda: pictures)


def walk(root: Path) -> tuple[dict[str, tuple[int, int]], list[Skipped]]:
    """Every regular file below `root`: relative name with "/" -> (size, time of change in ns); and what was left out.

    Links are followed, each folder entered once, so a loop of links ends.
    """
    files: dict[str, tuple[int, int]] = {}
    skipped: list[Skipped] = []
    entered: set[tuple[int, int]] = set()
    waiting = [""]
    while waiting:
        prefix = waiting.pop()
        try:
            status = (root / prefix).stat()
            if (status.st_dev, status.st_ino) in entered:
                skipped.append(Skipped(printable(prefix), "a link to a folder already read"))
                continue
            entered.add((status.st_dev, status.st_ino))
            entries = sorted(os.scandir(root / prefix), key=lambda entry: entry.name)
        except OSError as error:
            skipped.append(Skipped(printable(prefix or root), error.strerror or "cannot be read"))
            continue
        for entry in entries:
            name = prefix + entry.name
            try:
                status = entry.stat()
            except OSError as error:
                skipped.append(Skipped(printable(name), error.strerror or "cannot be read"))
                continue
            if stat.S_ISDIR(status.st_mode):
                waiting.append(name + "/")
            elif stat.S_ISREG(status.st_mode):
                files[name] = (status.st_size, status.st_mtime_ns)
            else:  # opening a pipe would wait for ever
                skipped.append(Skipped(printable(name), "not a regular file"))
    return files, skipped


def _read_table(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            table = file.read(MAX_TABLE + 1)
    except OSError as error:
        raise DataError(f"{printable(path)}: {error.strerror}; make it readable or remove it") from None
    if len(table) > MAX_TABLE:
        raise DataError(f"{printable(path)}: expected at most {MAX_TABLE:,} bytes")
    return table
