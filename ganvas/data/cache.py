"""Decoded samples on disk: one file of bytes to map into memory, and one of JSON that says what they are.

`NAME.u8` holds the samples and after them the labels as int64; `NAME.json` the shape, the classes and what was left out.
Several processes share the pages of one map. An entry is written under temporary names and renamed, the JSON last, so it
exists whole or not at all; two processes that build the same one write the same. It may be deleted at any time.

Where all entries together are larger than `max_bytes()`, those used longest ago are deleted. The time of use is the JSON's time
of change. Another process may read an entry while it is deleted: what it has mapped stays valid, as the system keeps a
deleted file until nobody has it open, and what it has not it makes again.
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
from ganvas.errors import ResourceError, UsageError
from ganvas.utils.files import make_folder, sweep, temporary_path, write_durably

VERSION = 2  # of what an entry holds: raise it whenever a rule in images.py changes
GIGABYTES = 20.0  # of all entries together, where GANVAS_CACHE_GB does not say
GRACE = 600  # seconds since an entry was used in which it is not deleted: somebody may be about to map it
FILE = re.compile(r"([0-9a-f]{32})\.(json|u8|files)")


@dataclass(frozen=True)
class Record:
    """What the bytes of an entry are."""

    shape: tuple[int, ...]  # N, C, H, W or N, C, D, H, W
    labels: Tensor | None  # int64 [N]
    classes: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    fingerprint: str = ""
    splits: tuple[str, ...] = ("train",)  # of the place that the samples come from


def cache_folder() -> Path:
    """Where ganvas keeps what it can make again: $XDG_CACHE_HOME/ganvas, or ~/.cache/ganvas.

    Raises:
        ResourceError: this user has no home folder.
    """
    root = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if not root.is_absolute():  # a relative one is to be ignored, says the XDG specification
        try:
            root = Path.home() / ".cache"
        except RuntimeError:
            raise ResourceError("this user has no home folder; set XDG_CACHE_HOME to a folder that can be written") from None
    return root / "ganvas"


def entry_name(*parts: object) -> str:
    """The name of the entry that depends on all `parts`, which must be JSON."""
    return hashlib.sha256(json.dumps([VERSION, *parts]).encode()).hexdigest()[:32]


def max_bytes() -> int:
    """The most bytes of all entries together: $GANVAS_CACHE_GB, or 20 gigabytes.

    Raises:
        UsageError: the variable holds no number above 0.
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
    """The batch fields of an entry: "real" uint8 [N, C, ...], and "label" int64 [N] where there are labels."""
    return {"real": pixels} | ({} if record.labels is None else {"label": record.labels})


def store(name: str, build: Callable[[BinaryIO], Record]) -> tuple[Tensor, Record]:
    """Make the entry `name` from the bytes that `build` writes: uint8 [N, C, ...] mapped from disk, and its record.

    Where the folder cannot be written, the bytes stay in memory.

    Raises:
        UsageError: $GANVAS_CACHE_GB is no number.
    """
    max_bytes()  # a mistake in it is told before the work
    with suppress(OSError, ResourceError):
        _write(name, build)
        if entry := read(name):
            return entry
    memory = io.BytesIO()
    record = build(memory)
    pixels = torch.frombuffer(memory.getbuffer(), dtype=torch.uint8).reshape(record.shape)
    return pixels, _seal(pixels, record)


def read(name: str) -> tuple[Tensor, Record] | None:
    """The entry, or None where it is missing or its parts do not agree."""
    try:
        values = json.loads((cache_folder() / f"{name}.json").read_bytes())
        shape = tuple(map(int, values["shape"]))
        classes, skipped = tuple(values["classes"]), tuple(Skipped(*entry) for entry in values["skipped"])
        path, size, labels = cache_folder() / f"{name}.u8", math.prod(shape), None
        if path.stat().st_size != size + (8 * shape[0] if values["labelled"] else 0):
            return None
        if values["labelled"]:
            labels = torch.from_numpy(np.fromfile(path, "<i8", offset=size).astype(np.int64))
        record = Record(shape, labels, classes, skipped, values["fingerprint"], tuple(values["splits"]))
        pixels = _map(path, shape)
        touch(cache_folder() / f"{name}.json")
        return pixels, record
    except (OSError, ResourceError, ValueError, KeyError, TypeError, IndexError):
        return None


def touch(path: Path) -> None:
    """Note that an entry is in use. Nothing is lost where it cannot be noted."""
    with suppress(OSError):
        os.utime(path)


def evict(spare: str = "") -> list[str]:
    """Delete the entries used longest ago until the rest fit into `max_bytes()`; never `spare`, nor one used in the last minutes.

    Returns:
        the names of the entries that were deleted.
    """
    entries: dict[str, list[os.DirEntry[str]]] = {}
    with os.scandir(cache_folder()) as files:
        for file in files:
            if found := FILE.fullmatch(file.name):
                entries.setdefault(found[1], []).append(file)
    used, size = {}, {}
    for name, parts in entries.items():
        with suppress(FileNotFoundError):  # another process deletes too
            facts = [part.stat() for part in parts]
            # Samples without a JSON are what a crash left, or about to get one: their own time counts.
            used[name], size[name] = max(fact.st_mtime for fact in facts), sum(fact.st_size for fact in facts)
    total, bound, deleted = sum(size.values()), max_bytes(), []
    for name in sorted(used, key=used.__getitem__):
        if total <= bound:
            break
        if name != spare and used[name] < time.time() - GRACE:
            for ending in ("json", "u8", "files"):  # the JSON first: what is left without it is no entry
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
    del values["labels"]
    write_durably(cache_folder() / f"{name}.json", json.dumps(values).encode())
    evict(spare=name)


def _seal(pixels: Tensor, record: Record) -> Record:
    """The record with the fingerprint of the entry."""
    return replace(record, fingerprint=fingerprint(entry_fields(pixels, record), record.classes))


def _map(path: Path, shape: tuple[int, ...]) -> Tensor:
    # Copy on write: PyTorch warns about read-only arrays, and nobody writes, so the pages stay shared.
    return torch.from_numpy(np.memmap(path, np.uint8, mode="c", shape=shape))
