"""Where the studio keeps things: run folders under runs/, its own notes under runs/.studio/. Clients give ids, never paths."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from ganvas.errors import DataError, GanvasError, UsageError
from ganvas.inference.model_file import NAME, read_card
from ganvas.inference.shipped_models import SHIPPED, list_shipped
from ganvas.utils.files import disk_errors, make_folder, open_regular, read_regular
from ganvas.utils.parsing import parse_json, printable

SNAPSHOT = re.compile(r"(\d{6,12})\.(\d{3})k\.png")
RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class UnknownIdError(GanvasError):
    """Nothing here has this id."""


class Storage:
    """The folder of runs, and the studio's own files beside them."""

    def __init__(self, runs: Path) -> None:
        self.runs = runs.absolute()
        self.private = self.runs / ".studio"

    def list_runs(self) -> list[str]:
        """The ids of the runs, newest name first: a folder with a recipe, or with a note that it was started here."""
        with suppress(FileNotFoundError):
            names = [path.name for path in self.runs.iterdir() if RUN_ID.fullmatch(path.name)]
            return sorted(filter(self.is_run, names), reverse=True)
        return []

    def is_run(self, name: str) -> bool:
        """Whether a run of this id is here, with a training that Train can show."""
        try:
            return (self.runs / name / "recipe.json").exists() or self.find_note(name, "job.json").exists()
        except OSError:  # a folder that may not be read: its row says so
            return True

    def find_run(self, name: str) -> Path:
        """The folder of a run. Raises: UnknownIdError: no run has that id."""
        if not RUN_ID.fullmatch(name) or not self.is_run(name):
            raise UnknownIdError(f"there is no run {printable(name, 100)!r} here; look at the list of runs")
        return self.runs / name

    def list_lone_models(self) -> list[str]:
        """The ids of the folders with a model and no training, such as a tuned copy of `ganvas invert`, newest name first."""
        with suppress(FileNotFoundError):
            return sorted(filter(self.is_lone_model, (path.name for path in self.runs.iterdir())), reverse=True)
        return []

    def is_lone_model(self, name: str) -> bool:
        """Whether a folder of this id has a model and no training."""
        try:
            return bool(RUN_ID.fullmatch(name)) and (self.runs / name / NAME).is_file() and not self.is_run(name)
        except OSError:  # a folder that may not be read
            return False

    def list_models(self) -> list[tuple[str, Path, dict[str, Any]]]:
        """What the pages can use: id, place and recipe of each run that has saved a model, the newest first, of each folder
        with a model alone, and of each model that comes with ganvas, unless one of those has its id."""
        folders = [(name, self.runs / name) for name in self.list_runs()]
        found = [(name, path, read_json(path / "recipe.json")) for name, path in folders if (path / NAME).exists()]
        found += [(name, self.runs / name, read_lone_recipe(self.runs / name)) for name in self.list_lone_models()]
        taken = {name for name, _, _ in found}
        return found + [(one.name, one.path, read_recipe(one.path)) for one in list_shipped() if one.name not in taken]

    def find_model(self, name: str) -> Path:
        """The folder of a run or of a model alone, or the bundle of a model that comes with ganvas.

        Raises:
            UnknownIdError: there is none of these.
        """
        if self.is_lone_model(name):
            return self.runs / name
        shipped = {one.name: one.path for one in list_shipped()}
        return shipped[name] if name in shipped and not self.is_run(name) else self.find_run(name)

    def read_model_recipe(self, name: str) -> dict[str, Any]:
        """The recipe of a model; {} if it is damaged. Raises: UnknownIdError: no model has that id."""
        path = self.find_model(name)
        if path.parent == SHIPPED:
            return read_recipe(path)
        return read_json(path / "recipe.json") if self.is_run(name) else read_lone_recipe(path)

    def find_note(self, name: str, file: str) -> Path:
        """A file of the studio's own about a run."""
        return self.private / "jobs" / f"{name}.{file}"

    def make_folder(self, *parts: str) -> Path:
        """A folder of the studio's own, made if it is missing. Raises: ResourceError: the disk refused."""
        path = self.private.joinpath(*parts)
        with disk_errors(f"cannot make {path}"):
            make_folder(path)
        return path

    def reserve_run(self, name: str) -> Path:
        """A new, empty run folder with the next number. Raises: ResourceError: the disk refused."""
        if not RUN_ID.fullmatch(name):
            raise UsageError(f"expected a plain name, got {printable(name, 100)!r}")
        with disk_errors(f"cannot make a run folder in {self.runs}"):
            make_folder(self.runs)
            while True:
                numbers = [int(match[1]) for path in self.runs.glob("*-*") if (match := re.match(r"(\d{1,9})-", path.name))]
                path = self.runs / f"{max(numbers, default=-1) + 1:05d}-{name}"
                with suppress(FileExistsError):  # another process took the number
                    path.mkdir()
                    return path


@cache
def read_recipe(bundle: Path) -> dict[str, Any]:
    """The recipe in the card of a bundle that does not change. Raises: DataError: not a bundle."""
    recipe: dict[str, Any] = read_card(bundle)["recipe"]
    return recipe


def read_lone_recipe(folder: Path) -> dict[str, Any]:
    """The recipe in the card of the model in a folder; {} if it is damaged."""
    try:
        recipe = read_card(folder).get("recipe")
    except GanvasError:
        return {}
    return recipe if isinstance(recipe, dict) else {}


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file; {} if it is missing, damaged, or being written."""
    try:
        return parse_json(read_regular(path), path.name)
    except (OSError, GanvasError):
        return {}


def read_part(values: Mapping[str, Any], name: str) -> dict[str, Any]:
    """An object within an object; {} if it is missing or no object."""
    part = values.get(name)
    return part if isinstance(part, dict) else {}


def read_count(values: Mapping[str, Any], name: str = "items") -> int:
    """A count within an object; 0 if it is missing, negative or no whole number."""
    count = values.get(name)
    return count if type(count) is int and count > 0 else 0


def find_size(path: Path) -> int:
    """The bytes of a file; 0 if it is missing."""
    with suppress(OSError):
        return path.stat().st_size
    return 0


def read_tail(path: Path, size: int = 1 << 16, since: int = 0) -> list[str]:
    """The last lines of a file, at most `size` bytes, after its first `since` bytes; [] if it is missing."""
    try:
        with open_regular(path) as file:
            end = file.seek(0, 2)
            file.seek(max(since, end - size))
            return file.read(size).decode("utf-8", "replace").splitlines()
    except (OSError, DataError):
        return []


def read_last_row(path: Path, having: str = "items", since: int = 0) -> dict[str, Any]:
    """The last whole JSON object (one a line) that has a field, after `since` bytes; {} if there is none."""
    for line in reversed(read_tail(path, since=since)):
        with suppress(ValueError):
            row = json.loads(line)
            if isinstance(row, dict) and having in row:
                return row
    return {}


def list_checkpoints(folder: Path) -> list[int]:
    """The image counts of a run's checkpoints, in order."""
    with suppress(OSError):
        return sorted(int(path.name) for path in (folder / "checkpoints").iterdir() if re.fullmatch(r"\d{9,18}", path.name))
    return []


def list_snapshots(folder: Path) -> list[int]:
    """The image counts at which the run kept a picture of the same noise, in order."""
    with suppress(OSError):
        matches = [SNAPSHOT.fullmatch(path.name) for path in (folder / "samples").iterdir()]
        return sorted(int(match[1]) * 1000 + int(match[2]) for match in matches if match)
    return []
