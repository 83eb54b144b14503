"""Text as a file, a line a sample."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ganvas.utils.files import write_durably


def save_lines(path: Path, lines: Iterable[str]) -> Path:
    """Write lines as UTF-8, all of them or nothing. Raises: ResourceError: the disk refused."""
    write_durably(path, "".join(f"{line}\n" for line in lines).encode())
    return path
