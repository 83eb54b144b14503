"""Whether the files of a run folder can be relied on. A folder that was damaged by hand must not take its list along."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ganvas.errors import DataError
from ganvas.utils.files import read_regular
from ganvas.utils.parsing import parse_json

SECTIONS = ("config", "data", "train")  # objects within recipe.json
COUNTS = {"recipe.json": (), "result.json": ("items",), "branch.json": ("items",)}  # file -> whole numbers in it
ADVICE = "restore the file from a copy, or delete the run"


def find_damage(folder: Path) -> str:
    """What is wrong with the files of a run, in one line that says what to do; "" if they can be read."""
    for file, counts in COUNTS.items():
        path = folder / file
        try:
            if not path.exists():
                continue
            values = parse_json(read_regular(path), file)
            _check(values, file, counts)
        except OSError as error:
            return f"{file} cannot be read: {error.strerror or error}; {ADVICE}"
        except DataError as wrong:
            return f"{str(wrong).replace(str(path), file)}; {ADVICE}"
    return ""


def _check(values: Mapping[str, Any], file: str, counts: tuple[str, ...]) -> None:
    """Raises: DataError: a value is of another type than every reader expects."""
    if file == "recipe.json":
        for name in SECTIONS:
            if not isinstance(values.get(name, {}), dict):
                raise DataError(f"{file}: {name} is no JSON object")
        _check(values.get("train", {}), "recipe.json: train", ("images", "batch"))
    for name in counts:
        count = values.get(name, 1)
        if type(count) is not int or count < (1 if name == "batch" else 0):
            raise DataError(f"{file}: {name} is no count")
