"""Checkpoints: the complete state of a training on the disk. A crash or a power cut at any moment leaves a valid one.

    000012345/game.safetensors, average.safetensors, ..., meta.json, manifest.json (SHA-256 and size of each file)

Each save is a new folder. It is written under a temporary name, the manifest last, and then renamed. There is no pickle, so
reading runs no code. The hashes find damage by the disk, and the check of the headers finds files that were made to harm.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from ganvas.engine.manifest import GROUP, JSON_CAP, MANIFEST, META, dump_manifest, is_valid, read_small, verify
from ganvas.errors import DataError, DivergedError, ResourceError, UsageError
from ganvas.utils import files, parsing, safetensors_header

NAME = re.compile(r"[0-9]{9}|[1-9][0-9]{9,17}")  # of a folder: the number of images used so far
UNREADABLE = (SafetensorError, ValueError, RuntimeError)  # what safetensors raises


@dataclass(frozen=True)
class Checkpoint:
    """A training state as it was saved."""

    path: Path
    items: int  # images used so far
    tensors: dict[str, dict[str, Tensor]]  # group ("game", "average", "optimizer.D", ...) -> name -> tensor
    meta: dict[str, Any]  # JSON state


def is_finite(tensors: Mapping[str, Mapping[str, Tensor]]) -> bool:
    """Whether no tensor holds NaN or infinity."""
    return not _find_non_finite(tensors)


def save(
    folder: Path, items: int, tensors: Mapping[str, Mapping[str, Tensor]], meta: Mapping[str, Any], keep: int | None = 3
) -> Path:
    """Write folder/000012345/, then delete all but the newest `keep` valid checkpoints. A valid one of the same `items` stays.

    With `keep` None all stay and no older one is read, so the time of a save does not grow with their number.

    Raises:
        DivergedError: a tensor holds NaN or infinity; nothing is written.
        UsageError: `items`, `keep`, a group's name, a tensor or `meta` cannot be stored; nothing is left behind.
        ResourceError: the disk refused. Older checkpoints are as before. The new one is absent, or it is complete and only
            the deletion of older ones failed. Saving again finishes the work.
    """
    path = folder / f"{items:09d}"
    if (keep is not None and keep < 1) or not NAME.fullmatch(path.name):
        raise UsageError(f"a checkpoint needs keep >= 1 and 0 <= items < 10^18, got keep={keep}, items={items}")
    bad = _find_non_finite(tensors)
    if bad:
        raise DivergedError(
            f"not saved: {len(bad)} tensors hold NaN or infinity ({', '.join(bad[:3])}); go back to the last checkpoint"
        )
    state = _dump_meta(meta)
    with files.disk_errors(f"checkpoint {parsing.printable(path)} not saved"):
        files.make_folder(folder)
        files.sweep(folder)
        if not is_valid(path, items):
            size = sum(t.numel() * t.element_size() + 1024 for group in tensors.values() for t in group.values())
            files.require_space(folder, size + len(state) + (1 << 20))
            _write(path, items, tensors, state)
    with files.disk_errors(f"checkpoint {parsing.printable(path)} is saved, but older ones could not be deleted"):
        if keep is not None:
            _delete_old(folder, path, keep)
    return path


def _find_non_finite(tensors: Mapping[str, Mapping[str, Tensor]]) -> list[str]:
    return [
        f"{group}/{name}"
        for group, named in tensors.items()
        for name, t in named.items()
        if (t.is_floating_point() or t.is_complex()) and not bool(t.isfinite().all())
    ]


def _write(path: Path, items: int, tensors: Mapping[str, Mapping[str, Tensor]], state: bytes) -> None:
    """Build the folder under a temporary name and rename it. Raises: OSError, UsageError, ResourceError: nothing is left."""
    temporary = files.temporary_path(path.parent)
    listing: dict[str, dict[str, Any]] = {}
    try:
        files.make_folder(temporary)
        for name, data in _serialize_groups(tensors, state):
            files.write_new(temporary / name, data)
            listing[name] = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
        files.write_new(temporary / MANIFEST, dump_manifest(items, listing))
        files.fsync_dir(temporary)
        if not is_valid(temporary, items):
            raise ResourceError(
                f"checkpoint {parsing.printable(path)}: the disk returns other bytes than were written; replace it"
            )
        if path.exists():  # it is damaged: a valid one would have been kept
            files.remove_tree(path)
        files.publish(temporary, path)
    except BaseException:
        with suppress(OSError):
            files.remove_tree(temporary)
        raise


def _serialize_groups(tensors: Mapping[str, Mapping[str, Tensor]], state: bytes) -> Iterator[tuple[str, bytes]]:
    """File names and bytes, one file at a time to save memory. Raises: UsageError: the format cannot store a tensor."""
    yield META, state
    for group, named in tensors.items():
        if not GROUP.fullmatch(group):
            raise UsageError(f"a group of tensors cannot be called {parsing.printable(group)!r}: it names a file")
        try:
            # Dense copies, because the format has no strides and no shared memory.
            dense = {name: t.detach().cpu().clone(memory_format=torch.contiguous_format) for name, t in named.items()}
            data = safetensors.torch.save(dense)
            safetensors_header.read_header(BytesIO(data), len(data))
        except (*UNREADABLE, KeyError, DataError) as error:
            raise UsageError(f"group {group!r} cannot be saved: {parsing.printable(error)}") from None
        yield f"{group}.safetensors", data


def _delete_old(folder: Path, saved: Path, keep: int) -> None:
    """Delete all but `saved` and the newest valid others, `keep` in total. Raises: OSError: one cannot be read or deleted."""
    kept = 1
    for path in _list_newest_first(folder):
        if path == saved:
            continue
        if kept < keep and is_valid(path, int(path.name)):
            kept += 1
        else:
            files.remove_tree(path)


def _log_skip(name: str, reason: str) -> None:
    logging.getLogger(__name__).warning("checkpoint %s skipped: %s", name, reason)


def load(
    folder: Path,
    on_skip: Callable[[str, str], None] = _log_skip,
    check: Callable[[Checkpoint], None] = lambda _: None,
) -> Checkpoint | None:
    """The newest valid checkpoint, or None. A damaged one is skipped, with on_skip(name, reason), for the one before it.

    So is one for which `check` raises a DataError, such as one of another game.

    Raises:
        ResourceError: the folder cannot be listed.
    """
    if not folder.exists():
        return None
    with files.disk_errors(f"cannot list {parsing.printable(folder)}"):
        paths = _list_newest_first(folder)
    for path in paths:
        try:
            found = _read(path)
            check(found)
            return found
        except (DataError, OSError) as error:
            on_skip(path.name, parsing.printable(error))
    return None


def _list_newest_first(folder: Path) -> list[Path]:
    paths = [path for path in folder.iterdir() if NAME.fullmatch(path.name)]
    return sorted(paths, key=lambda path: int(path.name), reverse=True)


def _read(path: Path) -> Checkpoint:
    """Raises: DataError, OSError: it is not what was saved."""
    items = int(path.name)
    names = verify(path, items)
    tensors = {name.removesuffix(".safetensors"): _read_group(path / name) for name in names if name != META}
    return Checkpoint(path, items, tensors, parsing.parse_json(read_small(path / META), META))


def _read_group(path: Path) -> dict[str, Tensor]:
    try:
        with files.open_regular(path) as file:
            safetensors_header.read_header(file, path.stat().st_size)
            file.seek(0)
            return safetensors.torch.load(file.read())
    except (*UNREADABLE, DataError) as error:
        raise DataError(f"{path.name}: {parsing.printable(error)}") from None


def _dump_meta(meta: Mapping[str, Any]) -> bytes:
    """Raises: UsageError: `meta` is not JSON, or too large to be read back."""
    try:
        state = json.dumps(dict(meta)).encode()
        parsing.parse_json(state, META)
    except (TypeError, ValueError, RecursionError, DataError) as error:
        raise UsageError(f"meta cannot be saved: {parsing.printable(error)}") from None
    if len(state) > JSON_CAP:
        raise UsageError(f"meta cannot be saved: {len(state):,} bytes, at most {JSON_CAP:,}")
    return state
