"""Where the studio keeps things: run folders under runs/, its own notes under runs/.studio/. Clients give ids, never paths."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

from ganvas.errors import GanvasError, UsageError
from ganvas.files import disk_errors, make_folder, parse_json, printable

ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class UnknownIdError(GanvasError):
    """An id that names nothing here."""


class Store:
    """The folder of runs, and what the studio knows beside them."""

    def __init__(self, runs: Path) -> None:
        self.runs = runs.absolute()
        self.private = self.runs / ".studio"

    def ids(self) -> list[str]:
        """The runs, newest name first: what has a recipe, or a note of being started here."""
        with suppress(FileNotFoundError):
            names = [path.name for path in self.runs.iterdir() if ID.fullmatch(path.name)]
            return sorted(filter(self._is_run, names), reverse=True)
        return []

    def _is_run(self, name: str) -> bool:
        return (self.runs / name / "recipe.json").exists() or self.note(name, "job.json").exists()

    def run(self, name: str) -> Path:
        """The folder of a run. Raises: UnknownIdError: there is none of that id."""
        if not ID.fullmatch(name) or not self._is_run(name):
            raise UnknownIdError(f"there is no run {printable(name, 100)!r} here; look at the list of runs")
        return self.runs / name

    def note(self, name: str, file: str) -> Path:
        """A file of the studio's own about a run."""
        return self.private / "jobs" / f"{name}.{file}"

    def folder(self, *parts: str) -> Path:
        """A folder of the studio's own, made where it is missing. Raises: ResourceError: the disk refused."""
        path = self.private.joinpath(*parts)
        with disk_errors(f"cannot make {path}"):
            make_folder(path)
        return path

    def reserve(self, name: str) -> Path:
        """A new, empty run folder with the next number. Raises: ResourceError: the disk refused."""
        if not ID.fullmatch(name):
            raise UsageError(f"expected a plain name, got {printable(name, 100)!r}")
        with disk_errors(f"cannot make a run folder in {self.runs}"):
            make_folder(self.runs)
            while True:
                numbers = [int(found[1]) for path in self.runs.glob("*-*") if (found := re.match(r"(\d{1,9})-", path.name))]
                path = self.runs / f"{max(numbers, default=-1) + 1:05d}-{name}"
                with suppress(FileExistsError):  # another process took the number
                    path.mkdir()
                    return path


def facts(path: Path) -> dict[str, Any]:
    """A JSON object from a file; {} where it is missing, damaged, or being written."""
    try:
        return parse_json(path.read_bytes(), path.name)
    except (OSError, GanvasError):
        return {}


def tail(path: Path, size: int = 1 << 16, since: int = 0) -> list[str]:
    """The last lines of a file, at most `size` bytes of them, after its first `since` bytes; [] where it is missing."""
    try:
        with path.open("rb") as file:
            end = file.seek(0, 2)
            file.seek(max(since, end - size))
            return file.read(size).decode("utf-8", "replace").splitlines()
    except OSError:
        return []


def last_row(path: Path, having: str = "items", since: int = 0) -> dict[str, Any]:
    """The last whole JSON object, of a file with one a line, that has a field, after `since` bytes; {} without one."""
    for line in reversed(tail(path, since=since)):
        with suppress(ValueError):
            row = json.loads(line)
            if isinstance(row, dict) and having in row:
                return row
    return {}
