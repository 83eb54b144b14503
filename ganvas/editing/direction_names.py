"""Names that a person gives to directions of a model, such as slant for sefa:3; they are kept in a file beside the model."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ganvas.editing.named_directions import DIRECTION_KINDS
from ganvas.errors import DataError, UsageError, unknown_name
from ganvas.utils.files import disk_errors, read_regular, write_durably
from ganvas.utils.parsing import parse_json, printable

FILE = "directions.json"
NAME = re.compile(r"[^\W\d][\w ()-]{0,49}")  # not "sefa:0", no comma


def keep_name(run: str | Path, identity: str, name: str, direction: str) -> Path:
    """Give `direction` of the model in `run`, a run folder or a bundle, a name: `find_named` then knows it.

    Names of another state of the model are forgotten, as its directions are others.

    Raises:
        UsageError: a name that is none.
        DataError: the file beside the model is none of names.
        ResourceError: it cannot be written.
    """
    require_name(name)
    path = _place(run)
    found = _read(path)
    names = found["names"] if found.get("model") == identity else {}
    write_durably(path, json.dumps({"model": identity, "names": {**names, name: direction}}, indent=1).encode())
    return path


def require_name(name: str) -> None:
    """Raises: UsageError: no name that a direction can have."""
    if not NAME.fullmatch(name):
        expected = "expected a letter, then up to 49 letters, digits, spaces and dashes"
        raise UsageError(f"name: {expected}, got {printable(name, 60)!r}")


def require_one(directions: Sequence[str]) -> None:
    """Raises: UsageError: several directions, or a range of them, which one name cannot stand for."""
    kind, _, which = directions[0].partition(":")
    if len(directions) != 1 or (kind != "class" and "-" in which):
        raise UsageError(f"name: expected one direction, such as sefa:3, got {printable(', '.join(directions), 60)}")


def find_named(run: str | Path, identity: str, directions: Sequence[str]) -> list[str]:
    """Directions as they were typed -> the same with what the names in them stand for.

    Raises:
        UsageError: no such name, or one that was given before the model was trained further.
        DataError: the file beside the model is none of names.
    """
    if all(each.partition(":")[0] in DIRECTION_KINDS and ":" in each for each in directions):
        return list(directions)
    found = _read(_place(run))
    names: dict[str, str] = found["names"]
    for each in directions:
        if ":" in each or not names:
            continue  # `named_directions` refuses what is none
        if each not in names:
            raise unknown_name("direction", each, [*names, "sefa:0"])
        if found.get("model") != identity:
            raise UsageError(f"direction: {each} was named before this model was trained further; name it again")
    return [names.get(each, each) for each in directions]


def _place(run: str | Path) -> Path:
    return Path(run) / FILE if Path(run).is_dir() else Path(run).parent / FILE


def _read(path: Path) -> dict[str, Any]:
    """The model's identity and the names; without any where there is no file."""
    if not path.is_file():
        return {"names": {}}
    with disk_errors(f"cannot read {printable(path)}"):
        found = parse_json(read_regular(path), printable(path))
    names = found.get("names")
    if not isinstance(names, dict) or not all(isinstance(value, str) for value in names.values()):
        raise DataError(f"{printable(path)}: expected the names of directions; delete it, and name them again")
    return found
