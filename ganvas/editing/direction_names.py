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
    """Give `direction` of the model in `run` a name: `find_named` then knows it. The file is in the run folder, beside the
    bundle, or in this folder for a model that comes with ganvas.

    Raises:
        UsageError: a name that is none.
        DataError: the file there is none of names.
        ResourceError: it cannot be written.
    """
    require_name(name)
    path = _place(run)
    models = _read(path)
    models[identity] = {**models.get(identity, {}), name: direction}
    write_durably(path, json.dumps({"models": models}, indent=1).encode())
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
        UsageError: no such name, or one of another model, such as this one before it was trained further.
        DataError: the file beside the model is none of names.
    """
    if all(each.partition(":")[0] in DIRECTION_KINDS and ":" in each for each in directions):
        return list(directions)
    models = _read(_place(run))
    names = models.get(identity, {})
    for each in directions:
        if ":" in each or each in names:
            continue
        if any(each in others for others in models.values()):
            raise UsageError(f"direction: {each} was named for another model, or before a further training; name it again")
        if names:  # else `named_directions` says what is expected
            raise unknown_name("direction", each, [*names, "sefa:0"])
    return [names.get(each, each) for each in directions]


def _place(run: str | Path) -> Path:
    return Path(run) / FILE if Path(run).is_dir() else Path(run).parent / FILE


def _read(path: Path) -> dict[str, dict[str, str]]:
    """For the identity of each model its names; none where there is no file."""
    if not path.is_file():
        return {}
    with disk_errors(f"cannot read {printable(path)}"):
        found = parse_json(read_regular(path), printable(path)).get("models")
    if not isinstance(found, dict) or not all(map(_are_names, found.values())):
        raise DataError(f"{printable(path)}: expected the names of directions; delete it, and name them again")
    return found


def _are_names(names: Any) -> bool:
    return isinstance(names, dict) and all(isinstance(value, str) for value in names.values())
