"""Read the images in a folder and its subfolders.

A folder is unchanged if the name, size and modification time of every file are. For a million files this takes minutes, so
the listing of a large folder is cached. It is used again if no subfolder has changed (a new, deleted or renamed file changes
its folder), and none of a few hundred evenly spaced files has.
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
from ganvas.data.folder_layout import HEAD, Arrange, arrange
from ganvas.data.images import Header, UnreadableError, decode, peek
from ganvas.data.label_tables import MAX_TABLE, ROW_BYTES, is_table
from ganvas.data.levels import Values
from ganvas.data.table import Skipped
from ganvas.errors import DataError, GanvasError, ResourceError
from ganvas.utils.files import make_folder, open_regular, read_regular, write_durably
from ganvas.utils.parsing import printable

MAX_LISTING = 1 << 30  # bytes of a cached listing
LARGE = 10_000  # a listing is cached for folders with at least so many files
PROBES = 500  # files that are checked to see whether a cached listing is still valid
RUN = {"recipe.json", "env.json"}  # what the folder of a run has: its sheets of samples are no data
SETTLED = 2_000_000_000  # ns since the last change of a folder; within one tick of the disk clock it may change unnoticed


@dataclass(frozen=True)
class Listing:
    """The cached listing of a large folder: enough to see whether it has changed."""

    digest: str  # of all names, sizes and modification times
    folders: Mapping[str, int]  # relative name -> modification time in ns
    probes: Mapping[str, tuple[int, int]]  # relative name -> size, modification time in ns


def find(path: Path, split: str, how: Arrange = arrange) -> DataSource:
    """The images of a folder and its subfolders.

    Raises:
        DataError: it has no images, or not this split; if the listing was cached, `Found.load` raises it.
    """
    root = str(path.resolve())
    name = cache.entry_name("files", root)
    if (listing := _read_listing(name, path)) is not None:
        return DataSource(
            "folder", ((root, 0, 0), (listing.digest, 0, 0)), lambda: _pictures(path, split, *walk(path)[:2], how)
        )
    start = time.time_ns()
    files, skipped, folders = walk(path)
    pictures = _pictures(path, split, files, skipped, how)
    # Other files count too: one may be a dataset.json.
    digest = hashlib.sha256()
    for file, (size, changed) in sorted(files.items()):
        digest.update(f"{file}\0{size}\0{changed}\0".encode(errors="surrogateescape"))
    if len(files) >= LARGE:
        _write_listing(name, Listing(digest.hexdigest(), folders, _probes(files)), start)
    return DataSource("folder", ((root, 0, 0), (digest.hexdigest(), 0, 0)), lambda: pictures)


def _pictures(
    path: Path, split: str, files: Mapping[str, tuple[int, int]], skipped: list[Skipped], how: Arrange
) -> ImageCollection:
    """The collection of the files of a folder. Raises: DataError: no images, or not this split."""
    limit = MAX_TABLE + ROW_BYTES * len(files)
    layout = how(list(files), split, lambda name: _read_table(path / name, limit), lambda name: _read_head(path / name))

    def open_member(i: int) -> BinaryIO:
        try:
            return (path / layout.members[i]).open("rb")
        except OSError as error:
            raise UnreadableError(error.strerror or "cannot be opened") from None

    def peek_member(i: int) -> Header:
        with open_member(i) as file:
            return peek(file)

    def read_member(i: int, enough: int) -> Values:
        with open_member(i) as file:
            return decode(file, enough)

    names = tuple(map(printable, layout.members))
    left_out = (*layout.skipped, *skipped)
    return ImageCollection(
        names,
        peek_member,
        read_member,
        layout.labels,
        layout.classes,
        left_out,
        layout.text,
        splits=layout.splits,
        warnings=layout.warnings,
        open=open_member,
    )


def _read_listing(name: str, root: Path) -> Listing | None:
    """The cached listing of a folder, if the folder has not changed since; None otherwise."""
    try:
        path = cache.cache_folder() / f"{name}.files"
        values = json.loads(read_regular(path, MAX_LISTING))
        probes = {str(file): (int(size), int(changed)) for file, (size, changed) in values["probes"].items()}
        listing = Listing(str(values["digest"]), {str(at): int(ns) for at, ns in values["folders"].items()}, probes)
        for folder, changed in listing.folders.items():
            if (root / folder).stat().st_mtime_ns != changed:
                return None
        for file, facts in listing.probes.items():
            status = (root / file).stat()
            if (status.st_size, status.st_mtime_ns) != facts:
                return None
    except (OSError, GanvasError, ValueError, KeyError, TypeError, AttributeError):
        return None
    cache.touch(path)
    return listing


def _write_listing(name: str, listing: Listing, start: int) -> None:
    """Cache the listing of a folder that was walked from `start` (ns) on, unless the folder was still changing."""
    if max(listing.folders.values()) <= start - SETTLED:
        with suppress(OSError, ResourceError):
            make_folder(cache.cache_folder())
            write_durably(cache.cache_folder() / f"{name}.files", json.dumps(asdict(listing)).encode())


def _probes(files: Mapping[str, tuple[int, int]]) -> dict[str, tuple[int, int]]:
    """Some evenly spaced files, and each table of labels."""
    names = sorted(files)
    chosen = {*names[:: max(1, len(names) // PROBES)], *filter(is_table, names)}
    return {name: files[name] for name in sorted(chosen)}


def walk(root: Path) -> tuple[dict[str, tuple[int, int]], list[Skipped], dict[str, int]]:
    """Every regular file below `root`, the skipped files, and the folders.

    Returns:
        relative name with "/" -> (size, modification time in ns); skipped files; folder -> modification time in ns.

    Links are followed, and each folder is entered once, so a loop of links ends: first by its own name, if it is below `root`.
    Runs below `root` are skipped: `ganvas train --data .` writes its sheets of samples there, and they are no data.
    """
    files: dict[str, tuple[int, int]] = {}
    skipped: list[Skipped] = []
    folders: dict[str, int] = {}
    entered: set[tuple[int, int]] = set()
    waiting, linked = [""], list[str]()
    while waiting or linked:
        prefix = waiting.pop() if waiting else linked.pop(0)
        try:
            status = (root / prefix).stat()
            if (status.st_dev, status.st_ino) in entered:
                skipped.append(Skipped(printable(prefix), "a link to a folder already read"))
                continue
            entered.add((status.st_dev, status.st_ino))
            entries = sorted(os.scandir(root / prefix), key=lambda entry: entry.name)
            if prefix and RUN.issubset(entry.name for entry in entries):
                skipped.append(Skipped(printable(prefix), "a run of ganvas"))
                continue
            folders[prefix] = status.st_mtime_ns  # from before it was read, so that a later change is detected
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
                (linked if entry.is_symlink() else waiting).append(name + "/")
            elif stat.S_ISREG(status.st_mode):
                files[name] = (status.st_size, status.st_mtime_ns)
            else:  # opening a pipe would block
                skipped.append(Skipped(printable(name), "not a regular file"))
    return files, skipped, folders


def _read_table(path: Path, limit: int) -> bytes:
    try:
        return read_regular(path, limit)
    except OSError as error:
        raise DataError(f"{printable(path)}: {error.strerror}; make it readable or remove it") from None


def _read_head(path: Path) -> bytes:
    """The first bytes of a file; b"" if it cannot be read."""
    try:
        with open_regular(path) as file:
            return file.read(HEAD)
    except (OSError, DataError):
        return b""
