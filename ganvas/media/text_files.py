"""Generated text as a file, one sample on each line."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ganvas.utils.files import write_durably


def save_lines(path: Path, lines: Iterable[str]) -> Path:
    """Write lines as UTF-8; the write is atomic. Raises: ResourceError: the file cannot be written."""
    write_durably(path, "".join(f"{line}\n" for line in lines).encode())
    return path
