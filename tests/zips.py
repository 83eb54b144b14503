"""Zips for tests."""

from __future__ import annotations

import zipfile
from pathlib import Path


def packed(path: Path, members: dict[str, bytes]) -> Path:
    """A zip of some files, {name: content}, at `path`."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path
