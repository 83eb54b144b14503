"""The manifest of a checkpoint: SHA-256 and size of each file. It is written last: without it a checkpoint is incomplete."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from ganvas.errors import DataError
from ganvas.utils import files, parsing

FORMAT = "ganvas-checkpoint-1"
MANIFEST, META = "manifest.json", "meta.json"
JSON_CAP = 4 << 20  # bytes of a JSON file that is read
GROUP = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
FILE = re.compile(GROUP.pattern + r"\.safetensors|meta\.json")


def dump_manifest(items: int, listing: dict[str, dict[str, Any]]) -> bytes:
    """The manifest of a checkpoint of `items` images; `listing` is {file name: {"sha256", "size"}}."""
    return _dump({"format": FORMAT, "items": items, "files": listing})


def _dump(manifest: dict[str, Any]) -> bytes:
    return json.dumps(manifest, indent=1, sort_keys=True).encode()


def read_manifest(path: Path, items: int) -> dict[str, dict[str, Any]]:
    """File name -> SHA-256 and size, of the checkpoint in the folder `path`.

    Raises:
        DataError: it is not a manifest that was written for `items`.
        OSError: it cannot be read.
    """
    written = read_small(path / MANIFEST)
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
    # JSON has several spellings of one content. Only ours counts, so that every flipped bit is found.
    if written != _dump(manifest):
        raise DataError(f"{MANIFEST} is not spelt as it was written")
    return listing


def verify(path: Path, items: int) -> list[str]:
    """The file names of the checkpoint in the folder `path`, after comparing every file with the manifest.

    Raises:
        DataError: a file is not as it was written.
        OSError: a file cannot be read.
    """
    listing = read_manifest(path, items)
    for name, entry in listing.items():
        with files.open_regular(path / name) as file:
            size = file.seek(0, os.SEEK_END)
        if size != entry["size"]:
            raise DataError(f"{name} holds {size:,} bytes, expected {entry['size']:,}")
        if files.sha256(path / name) != entry["sha256"]:
            raise DataError(f"{name} has changed: its SHA-256 differs from the manifest's")
    return list(listing)


def is_valid(path: Path, items: int) -> bool:
    """Whether every file is as the manifest says. Raises: OSError: the disk gives no answer."""
    try:
        verify(path, items)
    except (DataError, FileNotFoundError, NotADirectoryError):
        return False
    return True


def read_small(path: Path) -> bytes:
    """The bytes of a JSON file. Raises: DataError: it is too large. OSError."""
    return files.read_regular(path, JSON_CAP)
