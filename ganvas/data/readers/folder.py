"""Pictures in a folder and the folders below it.

Whether a folder has changed is judged by every file's name, size and time of change. To ask a disk for these of a million
files takes minutes, so the answer for a large folder is kept in the cache, and is used again as long as no folder below it
has changed (which a new, deleted or renamed file does) and none of a few hundred files, spread evenly, has.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from ganvas.data import cache
from ganvas.data.collection import DataSource, ImageCollection
from ganvas.data.folder_layout import TABLE, arrange
from ganvas.data.images import Bytes, Header, UnreadableError, decode, peek
from ganvas.data.table import Skipped
from ganvas.errors import DataError, ResourceError
from ganvas.utils.files import make_folder, write_durably
from ganvas.utils.parsing import printable

MAX_TABLE = 256 << 20  # bytes of a dataset.json
LARGE = 10_000  # files from which on the listing of a folder is kept
PROBES = 500  # files that are looked at to see whether a kept listing is still true
SETTLED = 2_000_000_000  # ns since a folder's last change: younger ones may change again within one tick of the disk's clock


@dataclass(frozen=True)
class Listing:
    """What is kept of a large folder: enough to see whether it has changed."""

    digest: str  # of all names, sizes and times of change
    folders: Mapping[str, int]  # relative name -> time of change in ns
    probes: Mapping[str, tuple[int, int]]  # relative name -> size, time of change in ns


def find(path: Path, split: str) -> DataSource:
    """The pictures below a folder.

    Raises:
        DataError: it holds no pictures, or not the split asked for; where the listing was kept, `Found.load` raises it.
    """
    root = str(path.resolve())
    name = cache.entry_name("files", root)
    if (listing := _read_listing(name, path)) is not None:
        return DataSource("folder", ((root, 0, 0), (listing.digest, 0, 0)), lambda: _pictures(path, split, *walk(path)[:2]))
    start = time.time_ns()
    files, skipped, folders = walk(path)
    pictures = _pictures(path, split, files, skipped)
    # What is no picture counts too: it may be a dataset.json.
    digest = hashlib.sha256()
    for file, (size, changed) in sorted(files.items()):
        digest.update(f"{file}\0{size}\0{changed}\0".encode(errors="surrogateescape"))
    if len(files) >= LARGE:
        _write_listing(name, Listing(digest.hexdigest(), folders, _probes(files)), start)
    return DataSource("folder", ((root, 0, 0), (digest.hexdigest(), 0, 0)), lambda: pictures)


def _pictures(path: Path, split: str, files: Mapping[str, tuple[int, int]], skipped: list[Skipped]) -> ImageCollection:
    """The collection of the files of a folder. Raises: DataError: no pictures, or not the split asked for."""
    layout = arrange(list(files), split, lambda name: _read_table(path / name))

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
    labels, splits = layout.labels, layout.splits
    return ImageCollection(names, peek_member, read_member, labels, layout.classes, left_out, layout.text, splits=splits)


def _read_listing(name: str, root: Path) -> Listing | None:
    """The listing of a folder that was kept, if the folder has not changed since; None otherwise."""
    try:
        path = cache.cache_folder() / f"{name}.files"
        values = json.loads(path.read_bytes())
        probes = {str(file): (int(size), int(changed)) for file, (size, changed) in values["probes"].items()}
        listing = Listing(str(values["digest"]), {str(at): int(ns) for at, ns in values["folders"].items()}, probes)
        for folder, changed in listing.folders.items():
            if (root / folder).stat().st_mtime_ns != changed:
                return None
        for file, facts in listing.probes.items():
            status = (root / file).stat()
            if (status.st_size, status.st_mtime_ns) != facts:
                return None
    except (OSError, ResourceError, ValueError, KeyError, TypeError, AttributeError):
        return None
    cache.touch(path)
    return listing


def _write_listing(name: str, listing: Listing, start: int) -> None:
    """Keep the listing of a folder that was walked from `start` (ns) on, unless it was still changing."""
    if max(listing.folders.values()) <= start - SETTLED:
        with suppress(OSError, ResourceError):
            make_folder(cache.cache_folder())
            write_durably(cache.cache_folder() / f"{name}.files", json.dumps(asdict(listing)).encode())


def _probes(files: Mapping[str, tuple[int, int]]) -> dict[str, tuple[int, int]]:
    """Some of the files, spread evenly, and each table of labels."""
    names = sorted(files)
    chosen = {*names[:: max(1, len(names) // PROBES)], *(name for name in names if name.rpartition("/")[2] == TABLE)}
    return {name: files[name] for name in sorted(chosen)}


def walk(root: Path) -> tuple[dict[str, tuple[int, int]], list[Skipped], dict[str, int]]:
    """Every regular file below `root`, what was left out, and the folders.

    Returns:
        relative name with "/" -> (size, time of change in ns); the files left out; folder -> time of change in ns.

    Links are followed, each folder entered once, so a loop of links ends.
    """
    files: dict[str, tuple[int, int]] = {}
    skipped: list[Skipped] = []
    folders: dict[str, int] = {}
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
            folders[prefix] = status.st_mtime_ns  # before it is read: a later change is not missed
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
            else:  # opening a pipe would block
                skipped.append(Skipped(printable(name), "not a regular file"))
    return files, skipped, folders


def _read_table(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            table = file.read(MAX_TABLE + 1)
    except OSError as error:
        raise DataError(f"{printable(path)}: {error.strerror}; make it readable or remove it") from None
    if len(table) > MAX_TABLE:
        raise DataError(f"{printable(path)}: expected at most {MAX_TABLE:,} bytes")
    return table
