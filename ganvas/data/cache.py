"""Decoded pictures on disk: one file of bytes to map into memory, and one of JSON that says what they are.

Several processes share the pages of one map. An entry is written under temporary names and renamed, the JSON last, so
it exists whole or not at all; two processes that build the same one write the same. It may be deleted at any time.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from torch import Tensor

from ganvas.data.source import Skipped, fingerprint
from ganvas.errors import ResourceError
from ganvas.files import make_folder, sweep, temporary_in, write_durably

VERSION = 1  # of what an entry holds: raise it whenever a rule in images.py changes


@dataclass(frozen=True)
class Record:
    """What the bytes of an entry are."""

    shape: tuple[int, ...]  # N, C, H, W or N, C, D, H, W
    labels: list[int] | None
    classes: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    fingerprint: str = ""


def folder() -> Path:
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


def key(*parts: object) -> str:
    """The name of the entry that depends on all `parts`, which must be JSON."""
    return hashlib.sha256(json.dumps([VERSION, *parts]).encode()).hexdigest()[:32]


def fields(pixels: Tensor, record: Record) -> dict[str, Tensor]:
    """The batch fields of an entry: "real" uint8 [N, C, ...], and "label" int64 [N] where there are labels."""
    return {"real": pixels} | ({} if record.labels is None else {"label": torch.tensor(record.labels)})


def store(name: str, build: Callable[[BinaryIO], Record]) -> tuple[Tensor, Record]:
    """Make the entry `name` from the bytes that `build` writes: uint8 [N, C, ...] mapped from disk, and its record.

    Where the folder cannot be written, the bytes stay in memory.
    """
    with suppress(OSError, ResourceError):
        _write(name, build)
        if entry := read(name):
            return entry
    memory = io.BytesIO()
    record = build(memory)
    pixels = torch.frombuffer(memory.getbuffer(), dtype=torch.uint8).reshape(record.shape)
    return pixels, _sealed(pixels, record)


def read(name: str) -> tuple[Tensor, Record] | None:
    """The entry, or None where it is missing or its parts do not agree."""
    try:
        values = json.loads((folder() / f"{name}.json").read_bytes())
        labels = values["labels"]
        classes, skipped = tuple(values["classes"]), tuple(Skipped(*entry) for entry in values["skipped"])
        record = Record(tuple(map(int, values["shape"])), labels, classes, skipped, values["fingerprint"])
        size = (folder() / f"{name}.u8").stat().st_size
        if (labels is not None and len(labels) != record.shape[0]) or size != math.prod(record.shape):
            return None
        return _map(folder() / f"{name}.u8", record.shape), record
    except (OSError, ResourceError, ValueError, KeyError, TypeError, IndexError):
        return None


def _write(name: str, build: Callable[[BinaryIO], Record]) -> None:
    make_folder(folder())
    sweep(folder())
    temporary = temporary_in(folder())
    try:
        with temporary.open("xb") as file:
            record = build(file)
            file.flush()
            os.fsync(file.fileno())
        record = _sealed(_map(temporary, record.shape), record)
        temporary.replace(folder() / f"{name}.u8")
    finally:
        temporary.unlink(missing_ok=True)
    write_durably(folder() / f"{name}.json", json.dumps(asdict(record)).encode())


def _sealed(pixels: Tensor, record: Record) -> Record:
    return replace(record, fingerprint=fingerprint(fields(pixels, record), record.classes))


def _map(path: Path, shape: tuple[int, ...]) -> Tensor:
    # Copy on write: PyTorch warns about read-only arrays, and nobody writes, so the pages stay shared.
    return torch.from_numpy(np.memmap(path, np.uint8, mode="c", shape=shape))
