"""Cache of decoded samples on disk: a file of bytes that is mapped into memory, and a JSON file that describes it.

`NAME.u8` has the samples, then the labels as int64; `NAME.json` has the shape, the classes and the skipped files. Several
processes share the pages of one memory map. An entry is written under temporary names and renamed, the JSON last, so it is
complete or does not exist; two processes that build the same entry write equal files. It may be deleted at any time.

If all entries together are larger than `max_bytes()`, the least recently used ones are deleted. The time of use is the
modification time of the JSON. Another process may read an entry while it is deleted: its memory map stays valid, because the
system keeps a deleted file while it is open, and an entry that it has not yet opened is built again.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import re
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from torch import Tensor

from ganvas.data.table import Skipped, fingerprint
from ganvas.errors import GanvasError, ResourceError, UsageError
from ganvas.utils.files import make_folder, read_regular, sweep, temporary_path, write_durably

VERSION = 7  # of the contents of an entry: increase it when a rule of the readers, the layouts or images.py changes
GIGABYTES = 20.0  # limit of all entries together, if GANVAS_CACHE_GB is not set
MAX_JSON = 1 << 30  # bytes of the JSON file of an entry: it lists skipped files
GRACE = 600  # an entry is not deleted within so many seconds of its last use: a process may be about to map it
FILE = re.compile(r"([0-9a-f]{32})\.(json|u8|files)")


@dataclass(frozen=True)
class Record:
    """The description of an entry."""

    shape: tuple[int, ...]  # N, C, H, W or N, C, D, H, W
    labels: Tensor | None  # int64 [N]
    classes: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    fingerprint: str = ""
    splits: tuple[str, ...] = ("train",)  # the splits that the source has
    warnings: tuple[str, ...] = ()  # what is doubtful about the data, a sentence each
    # Of rows with several fields, one after the other: the shape is [N, bytes], and these are name and shape of each.
    parts: tuple[tuple[str, tuple[int, ...]], ...] = ()
    legend: tuple[str, ...] = ()  # of label maps: the names of the classes
    colors: tuple[tuple[int, int, int], ...] = ()  # and their colors


def cache_folder() -> Path:
    """The cache folder: $XDG_CACHE_HOME/ganvas, or ~/.cache/ganvas.

    Raises:
        ResourceError: this user has no home folder.
    """
    root = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if not root.is_absolute():  # the XDG specification says to ignore relative paths
        try:
            root = Path.home() / ".cache"
        except RuntimeError:
            raise ResourceError("this user has no home folder; set XDG_CACHE_HOME to a writable folder") from None
    return root / "ganvas"


def entry_name(*parts: object) -> str:
    """The name of an entry: a hash of `parts`, which must be JSON values."""
    return hashlib.sha256(json.dumps([VERSION, *parts]).encode()).hexdigest()[:32]


def max_bytes() -> int:
    """The maximum size of all entries together, in bytes: $GANVAS_CACHE_GB, or 20 gigabytes.

    Raises:
        UsageError: the variable is no number above 0.
    """
    given = os.environ.get("GANVAS_CACHE_GB", "")
    try:
        gigabytes = float(given or GIGABYTES)
    except ValueError:
        gigabytes = math.nan
    if not 0 < gigabytes < math.inf:
        raise UsageError(f"GANVAS_CACHE_GB: expected a number of gigabytes above 0, found {given[:40]!r}; change or unset it")
    return int(gigabytes * 1e9)


def entry_fields(pixels: Tensor, record: Record) -> dict[str, Tensor]:
    """The batch fields of an entry: "real" uint8 [N, C, ...], or those of its parts; "label" int64 [N], if it has labels."""
    fields, start = {} if record.parts else {"real": pixels}, 0
    for name, shape in record.parts:
        size = math.prod(shape)
        fields[name] = pixels[:, start : start + size].unflatten(1, shape)
        start += size
    return fields | ({} if record.labels is None else {"label": record.labels})


def store(name: str, build: Callable[[BinaryIO], Record]) -> tuple[Tensor, Record]:
    """Make the entry `name` from the bytes that `build` writes: uint8 [N, C, ...] mapped from disk, and its record.

    If the cache folder cannot be written, the bytes stay in memory.

    Raises:
        UsageError: $GANVAS_CACHE_GB is no number.
    """
    max_bytes()  # a wrong setting is reported before the work
    with suppress(OSError, ResourceError):
        _write(name, build)
        if entry := read(name):
            return entry
    memory = io.BytesIO()
    record = build(memory)
    pixels = torch.frombuffer(memory.getbuffer(), dtype=torch.uint8).reshape(record.shape)
    return pixels, _seal(pixels, record)


def read(name: str) -> tuple[Tensor, Record] | None:
    """The entry, or None if it is missing or inconsistent."""
    try:
        values = json.loads(read_regular(cache_folder() / f"{name}.json", MAX_JSON))
        shape = tuple(map(int, values["shape"]))
        classes, skipped = tuple(values["classes"]), tuple(Skipped(*entry) for entry in values["skipped"])
        path, size, labels = cache_folder() / f"{name}.u8", math.prod(shape), None
        if path.stat().st_size != size + (8 * shape[0] if values["labelled"] else 0):
            return None
        if values["labelled"]:
            labels = torch.from_numpy(np.fromfile(path, "<i8", offset=size).astype(np.int64))
        splits, warnings = tuple(values["splits"]), tuple(values["warnings"])
        parts = tuple((str(field), tuple(map(int, each))) for field, each in values.get("parts", ()))
        if parts and sum(math.prod(each) for _, each in parts) != math.prod(shape[1:]):
            return None
        legend = tuple(map(str, values.get("legend", ())))
        colors = tuple((int(red), int(green), int(blue)) for red, green, blue in values.get("colors", ()))
        known = values["fingerprint"]
        record = Record(shape, labels, classes, skipped, known, splits, warnings, parts, legend, colors)
        pixels = _map(path, shape)
        touch(cache_folder() / f"{name}.json")
        return pixels, record
    except (OSError, GanvasError, ValueError, KeyError, TypeError, IndexError):
        return None


def touch(path: Path) -> None:
    """Mark an entry as used now; errors are ignored."""
    with suppress(OSError):
        os.utime(path)


def evict(spare: str = "") -> list[str]:
    """Delete the least recently used entries until the rest fit into `max_bytes()`; never `spare` or one used just now.

    Returns:
        the names of the deleted entries.
    """
    entries: dict[str, list[os.DirEntry[str]]] = {}
    with os.scandir(cache_folder()) as files:
        for file in files:
            if found := FILE.fullmatch(file.name):
                entries.setdefault(found[1], []).append(file)
    used, size = {}, {}
    for name, parts in entries.items():
        with suppress(FileNotFoundError):  # another process may delete it at the same time
            facts = [part.stat() for part in parts]
            # Samples without a JSON file come from a crash, or the JSON is about to be written: their own time counts.
            used[name], size[name] = max(fact.st_mtime for fact in facts), sum(fact.st_size for fact in facts)
    total, bound, deleted = sum(size.values()), max_bytes(), []
    for name in sorted(used, key=used.__getitem__):
        if total <= bound:
            break
        if name != spare and used[name] < time.time() - GRACE:
            for ending in ("json", "u8", "files"):  # the JSON first: the rest is no entry without it
                with suppress(OSError):
                    (cache_folder() / f"{name}.{ending}").unlink(missing_ok=True)
            total -= size[name]
            deleted.append(name)
    return deleted


def _write(name: str, build: Callable[[BinaryIO], Record]) -> None:
    make_folder(cache_folder())
    sweep(cache_folder())
    temporary = temporary_path(cache_folder())
    try:
        with temporary.open("xb") as file:
            record = build(file)
            if record.labels is not None:
                file.write(record.labels.numpy().astype("<i8").tobytes())
            file.flush()
            os.fsync(file.fileno())
        record = _seal(_map(temporary, record.shape), record)
        temporary.replace(cache_folder() / f"{name}.u8")
    finally:
        temporary.unlink(missing_ok=True)
    values: dict[str, Any] = asdict(replace(record, labels=None)) | {"labelled": record.labels is not None}
    for key in ("labels", *(key for key in ("parts", "legend", "colors") if not values[key])):  # most entries have none
        del values[key]
    write_durably(cache_folder() / f"{name}.json", json.dumps(values).encode())
    evict(spare=name)


def _seal(pixels: Tensor, record: Record) -> Record:
    """The record with the fingerprint of the entry."""
    return replace(record, fingerprint=fingerprint(entry_fields(pixels, record), record.classes))


def _map(path: Path, shape: tuple[int, ...]) -> Tensor:
    # Copy on write: PyTorch warns about read-only arrays. Nothing writes, so the pages stay shared.
    return torch.from_numpy(np.memmap(path, np.uint8, mode="c", shape=shape))
