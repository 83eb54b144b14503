"""Crash-safe training state: one folder a save, never overwritten, the manifest last as the record that it is whole.

    000012345/game.safetensors, average.safetensors, ..., meta.json, manifest.json (SHA-256 and size of each)

After `save` returns, the state survives a kill and a power cut, and at any moment at least one valid checkpoint is there.
No pickle: reading runs no code. The hashes catch what the file system lets through; the header check catches malice.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
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

from ganvas.errors import DataError, DivergedError, ResourceError, UsageError
from ganvas.utils import files, parsing, safetensors_header

FORMAT = "ganvas-checkpoint-1"
MANIFEST, META = "manifest.json", "meta.json"
JSON_CAP = 4 << 20  # bytes
NAME = re.compile(r"[0-9]{9}|[1-9][0-9]{9,17}")  # images seen
GROUP = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
UNREADABLE = (SafetensorError, ValueError, RuntimeError)  # what safetensors raises
FILE = re.compile(GROUP.pattern + r"\.safetensors|meta\.json")


@dataclass(frozen=True)
class Checkpoint:
    """A training state as it was saved."""

    path: Path
    items: int  # images seen
    tensors: dict[str, dict[str, Tensor]]  # group ("game", "average", "optimizer.D", ...) -> name -> tensor
    meta: dict[str, Any]  # JSON state


def finite(tensors: Mapping[str, Mapping[str, Tensor]]) -> bool:
    """Whether no tensor holds NaN or infinity."""
    return not _not_finite(tensors)


def save(
    folder: Path, items: int, tensors: Mapping[str, Mapping[str, Tensor]], meta: Mapping[str, Any], keep: int | None = 3
) -> Path:
    """Write folder/000012345/, then delete all but the newest `keep` valid ones. A valid one of the same `items` stays.

    With `keep` None all stay, and no older one is read: the cost of a save does not grow with their number.

    Raises:
        DivergedError: a tensor holds NaN or infinity; nothing is written.
        UsageError: `items`, `keep`, a group's name, a tensor or `meta` cannot be stored; nothing is left behind.
        ResourceError: the disk refused. Older checkpoints are untouched; the new one is absent, or complete if only the
            tidying after it failed. Saving again finishes the work.
    """
    path = folder / f"{items:09d}"
    if (keep is not None and keep < 1) or not NAME.fullmatch(path.name):
        raise UsageError(f"a checkpoint needs keep >= 1 and 0 <= items < 10^18, got keep={keep}, items={items}")
    bad = _not_finite(tensors)
    if bad:
        raise DivergedError(
            f"not saved: {len(bad)} tensors hold NaN or infinity ({', '.join(bad[:3])}); go back to the last good"
        )
    state = _meta_json(meta)
    with files.disk_errors(f"checkpoint {parsing.printable(path)} not saved"):
        files.make_folder(folder)
        files.sweep(folder)
        if not _valid(path, items):
            size = sum(t.numel() * t.element_size() + 1024 for group in tensors.values() for t in group.values())
            files.require_space(folder, size + len(state) + (1 << 20))
            _write(path, items, tensors, state)
    with files.disk_errors(f"checkpoint {parsing.printable(path)} is saved, but older ones could not be deleted"):
        if keep is not None:
            _tidy(folder, path, keep)
    return path


def _not_finite(tensors: Mapping[str, Mapping[str, Tensor]]) -> list[str]:
    return [
        f"{group}/{name}"
        for group, named in tensors.items()
        for name, t in named.items()
        if (t.is_floating_point() or t.is_complex()) and not bool(t.isfinite().all())
    ]


def _write(path: Path, items: int, tensors: Mapping[str, Mapping[str, Tensor]], state: bytes) -> None:
    """Build the folder under a temporary name and rename it. Raises: OSError, UsageError, ResourceError: it is gone again."""
    temporary = files.temporary_path(path.parent)
    listing: dict[str, dict[str, Any]] = {}
    try:
        files.make_folder(temporary)
        for name, data in _contents(tensors, state):
            files.write_new(temporary / name, data)
            listing[name] = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
        files.write_new(temporary / MANIFEST, _manifest_json({"format": FORMAT, "items": items, "files": listing}))
        files.fsync_dir(temporary)
        if not _valid(temporary, items):
            raise ResourceError(
                f"checkpoint {parsing.printable(path)}: the disk returns other bytes than were written; replace it"
            )
        if path.exists():  # damaged, else it had been kept
            files.remove_tree(path)
        files.publish(temporary, path)
    except BaseException:
        with suppress(OSError):
            files.remove_tree(temporary)
        raise


def _contents(tensors: Mapping[str, Mapping[str, Tensor]], state: bytes) -> Iterator[tuple[str, bytes]]:
    """File names and bytes, one at a time to save memory. Raises: UsageError: what the format cannot hold."""
    yield META, state
    for group, named in tensors.items():
        if not GROUP.fullmatch(group):
            raise UsageError(f"a group of tensors cannot be called {parsing.printable(group)!r}: it names a file")
        try:
            # Copies: the format knows neither strides nor tensors that share memory.
            dense = {name: t.detach().cpu().clone(memory_format=torch.contiguous_format) for name, t in named.items()}
            data = safetensors.torch.save(dense)
            safetensors_header.read_header(BytesIO(data), len(data))
        except (*UNREADABLE, KeyError, DataError) as error:
            raise UsageError(f"group {group!r} cannot be saved: {parsing.printable(error)}") from None
        yield f"{group}.safetensors", data


def _tidy(folder: Path, saved: Path, keep: int) -> None:
    """Delete all but `saved` and the newest valid others, `keep` in all. Raises: OSError: one cannot be read or deleted."""
    kept = 1
    for path in _newest_first(folder):
        if path == saved:
            continue
        if kept < keep and _valid(path, int(path.name)):
            kept += 1
        else:
            files.remove_tree(path)


def _log_skip(name: str, reason: str) -> None:
    logging.getLogger(__name__).warning("checkpoint %s skipped: %s", name, reason)


def load(folder: Path, on_skip: Callable[[str, str], None] = _log_skip) -> Checkpoint | None:
    """The newest valid checkpoint, or None. A damaged one is passed over for the one before it: on_skip(name, reason).

    Raises:
        ResourceError: the folder cannot be listed.
    """
    if not folder.exists():
        return None
    with files.disk_errors(f"cannot list {parsing.printable(folder)}"):
        paths = _newest_first(folder)
    for path in paths:
        try:
            return _read(path)
        except (DataError, OSError) as error:
            on_skip(path.name, parsing.printable(error))
    return None


def _newest_first(folder: Path) -> list[Path]:
    paths = [path for path in folder.iterdir() if NAME.fullmatch(path.name)]
    return sorted(paths, key=lambda path: int(path.name), reverse=True)


def _read(path: Path) -> Checkpoint:
    """Raises: DataError, OSError: it is not what was saved."""
    items = int(path.name)
    names = _verify(path, items)
    tensors = {name.removesuffix(".safetensors"): _read_group(path / name) for name in names if name != META}
    return Checkpoint(path, items, tensors, parsing.parse_json(_read_small(path / META), META))


def _read_group(path: Path) -> dict[str, Tensor]:
    try:
        with files.open_regular(path) as file:
            safetensors_header.read_header(file, path.stat().st_size)
            file.seek(0)
            return safetensors.torch.load(file.read())
    except (*UNREADABLE, DataError) as error:
        raise DataError(f"{path.name}: {parsing.printable(error)}") from None


def _read_small(path: Path) -> bytes:
    with files.open_regular(path) as file:
        data = file.read(JSON_CAP + 1)
    if len(data) > JSON_CAP:
        raise DataError(f"{path.name} is larger than {JSON_CAP:,} bytes")
    return data


def _valid(path: Path, items: int) -> bool:
    """Whether every file is as the manifest says. Raises: OSError: the disk does not tell."""
    try:
        _verify(path, items)
    except (DataError, FileNotFoundError, NotADirectoryError):
        return False
    return True


def _verify(path: Path, items: int) -> list[str]:
    """The file names, after comparing every file with the manifest. Raises: DataError, OSError."""
    listing = _manifest(path, items)
    for name, entry in listing.items():
        with files.open_regular(path / name) as file:
            size = file.seek(0, os.SEEK_END)
        if size != entry["size"]:
            raise DataError(f"{name} holds {size:,} bytes, expected {entry['size']:,}")
        if files.sha256(path / name) != entry["sha256"]:
            raise DataError(f"{name} has changed: its SHA-256 differs from the manifest's")
    return list(listing)


def _manifest(path: Path, items: int) -> dict[str, dict[str, Any]]:
    """File name -> SHA-256 and size. Raises: DataError: not a manifest that `save` wrote for `items`. OSError."""
    written = _read_small(path / MANIFEST)
    manifest = parsing.parse_json(written, MANIFEST)
    listing = manifest.get("files")
    if set(manifest) != {"format", "items", "files"} or manifest["format"] != FORMAT or not isinstance(listing, dict):
        raise DataError(f"{MANIFEST} is not of the format {FORMAT}")
    if manifest["items"] != items or META not in listing:
        raise DataError(f"{MANIFEST} belongs to another checkpoint, or lists no {META}")
    for name, entry in listing.items():
        known = FILE.fullmatch(name) and isinstance(entry, dict) and set(entry) == {"sha256", "size"}
        if not known or type(entry["size"]) is not int or not isinstance(entry["sha256"], str):
            raise DataError(f"{MANIFEST} lists {parsing.printable(name, 100)!r} wrongly")
    if written != _manifest_json(manifest):  # no flipped bit may hide in the spelling
        raise DataError(f"{MANIFEST} is not spelt as it was written")
    return listing


def _manifest_json(manifest: dict[str, Any]) -> bytes:
    return json.dumps(manifest, indent=1, sort_keys=True).encode()


def _meta_json(meta: Mapping[str, Any]) -> bytes:
    """Raises: UsageError: `meta` is not JSON, or too large to be read back."""
    try:
        state = json.dumps(dict(meta)).encode()
        parsing.parse_json(state, META)
    except (TypeError, ValueError, RecursionError, DataError) as error:
        raise UsageError(f"meta cannot be saved: {parsing.printable(error)}") from None
    if len(state) > JSON_CAP:
        raise UsageError(f"meta cannot be saved: {len(state):,} bytes, at most {JSON_CAP:,}")
    return state
