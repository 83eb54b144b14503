"""Settings: dataclasses to and from JSON and command-line text, with bounds and suggestions for mistyped names."""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
import json
import math
import sys
import types
import typing
from collections.abc import Mapping
from typing import Any, Literal, TypeVar

from ganvas.errors import UsageError, unknown_name

T = TypeVar("T")


def require_within(settings: Any, names: str, low: float, high: float = math.inf, *, below: float = math.inf) -> None:
    """Check fields of `settings`: low <= field <= high, and field < below.

    `names` are dotted paths, separated by spaces, as an error shows them; the last part of each is the name of a field.

    Raises:
        UsageError: a value is outside of the bounds, or is not a number.
    """
    for name in names.split():
        value = getattr(settings, name.rpartition(".")[2])
        if not (low <= value <= high and (value < below or below == math.inf)):
            most = f"{high:,}" if isinstance(high, int) else f"{high:g}"
            bounds = f"from {low:g} to below {below:g}" if below < math.inf else f"from {low:g} to {most}"
            raise UsageError(f"{name}: expected {f'at least {low:g}' if below == high == math.inf else bounds}, got {value}")


def to_dict(settings: Any) -> dict[str, Any]:
    """A settings dataclass as plain JSON values."""
    plain: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(settings)))
    return plain


def flatten(settings: Mapping[str, Any], where: str = "") -> dict[str, Any]:
    """Nested settings by dotted path."""
    found: dict[str, Any] = {}
    for name, value in settings.items():
        found |= flatten(value, f"{where}{name}.") if isinstance(value, Mapping) else {where + name: value}
    return found


def from_dict(kind: type[T], values: Mapping[str, Any], where: str = "", **types_of: type) -> T:
    """Build the settings dataclass `kind` from plain JSON values; `types_of` gives the class of an `Any` field.

    A class may have `renamed: ClassVar[Mapping[str, str]]`, from old names of its fields to new ones, so that older files
    stay readable.

    Raises:
        UsageError: an unknown key (with the nearest known one), a missing one, or a value of the wrong type.
    """
    if not isinstance(values, Mapping):
        raise UsageError(f"{where.removesuffix('.') or kind.__name__}: expected a group of settings, got {values!r}")
    values = rename_keys(values, getattr(kind, "renamed", {}), where)
    hints = typing.get_type_hints(kind) | types_of
    fields = dataclasses.fields(kind)  # type: ignore[arg-type]
    for key in values:
        if key not in {f.name for f in fields}:
            raise unknown_name("setting", where + key, [where + f.name for f in fields])
    needed = (f.name for f in fields if f.default is f.default_factory is dataclasses.MISSING)
    if missing := [where + name for name in needed if name not in values]:
        raise UsageError(f"missing settings of {kind.__name__}: {', '.join(missing)}")
    return kind(**{key: convert(hints[key], value, where + key) for key, value in values.items()})


def rename_keys(values: Mapping[str, T], renamed: Mapping[str, str], where: str = "") -> dict[str, T]:
    """`values` under the names of this version: `renamed` maps an old name, or an old prefix up to a dot, to a new one.

    Raises:
        UsageError: a value is there under its old and under its new name.
    """
    found: dict[str, T] = {}
    for name, value in values.items():
        old = max((each for each in renamed if name == each or name.startswith(f"{each}.")), key=len, default="")
        new = renamed[old] + name[len(old) :] if old else name
        if new in found:
            raise UsageError(f"{where}{new}: expected one value, found another under its old name {where}{old or name}")
        found[new] = value
    return found


def convert(hint: Any, value: Any, where: str) -> Any:
    """`value` (from JSON or a command line) as the type `hint`.

    Raises:
        UsageError: it cannot be converted to that type.
    """
    origin, options = typing.get_origin(hint), typing.get_args(hint)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return from_dict(hint, value, where + ".")
    if origin is Literal:
        if (type(value), value) in [(type(option), option) for option in options]:  # True == 1, but is not it
            return value
        raise unknown_name(f"value of {where}", str(value), map(str, options))
    if origin is tuple and isinstance(value, (list, tuple)):
        inner = [options[0]] * len(value) if options[-1] is Ellipsis else list(options)
        if len(inner) == len(value):
            return tuple(convert(kind, item, where) for kind, item in zip(inner, value, strict=True))
    elif origin in (typing.Union, types.UnionType):
        if value is None and type(None) in options:
            return None
        return convert(next(kind for kind in options if kind is not type(None)), value, where)
    elif origin is Mapping and isinstance(value, Mapping):
        return {str(key): convert(options[1], item, f"{where}.{key}") for key, item in value.items()}
    elif hint is float and type(value) in (int, float) and abs(value) <= sys.float_info.max:
        return float(value)  # an infinity or NaN has no JSON spelling
    elif hint is Any or (isinstance(hint, type) and type(value) is hint and hint is not float):
        return value
    raise UsageError(f"{where}: expected {hint.__name__ if isinstance(hint, type) else hint}, got {value!r}")


def assign(settings: T, path: str, text: str) -> T:
    """A copy of `settings` with the field at the dotted `path` set to `text` (JSON, or a bare word).

    Raises:
        UsageError: no such field (with the nearest name), or a value of the wrong type.
    """
    return _assign(settings, path.split("."), text, "")


def _assign(settings: T, path: list[str], text: str, where: str) -> T:
    head, rest = getattr(type(settings), "renamed", {}).get(path[0], path[0]), path[1:]
    names = [f.name for f in dataclasses.fields(settings)]  # type: ignore[arg-type]
    if head not in names and not where and not rest and (homes := _find_paths(settings, head)):
        raise UsageError(f"unknown setting {head!r}; did you mean {' or '.join(map(repr, homes))}?")
    if head not in names:
        raise unknown_name("setting", where + head, [where + name for name in names])
    current, hint, here = getattr(settings, head), typing.get_type_hints(type(settings))[head], where + head
    if dataclasses.is_dataclass(current):
        if not rest:
            raise UsageError(f"{here} is a group of settings: {', '.join(f.name for f in dataclasses.fields(current))}")
        value: Any = _assign(current, rest, text, here + ".")
    elif rest and isinstance(current, Mapping):
        key = ".".join(rest)
        value = {**current, key: read_value(typing.get_args(hint)[1], text, f"{here}.{key}")}
    elif rest:
        raise UsageError(f"{here} is a single value, it has no {'.'.join(rest)!r}")
    else:
        value = read_value(hint, text, here)
    return dataclasses.replace(settings, **{head: value})  # type: ignore[type-var]


def _find_paths(settings: Any, leaf: str) -> list[str]:
    """The dotted paths of all fields with the name `leaf`, or a similar one."""
    paths, pending = [], [("", settings)]
    while pending:
        where, group = pending.pop()
        for f in dataclasses.fields(group):
            value = getattr(group, f.name)
            if dataclasses.is_dataclass(value):
                pending.append((f"{where}{f.name}.", value))
            else:
                paths.append(where + f.name)
    leaves = [path.rpartition(".")[2] for path in paths]
    near = difflib.get_close_matches(leaf, leaves, n=1, cutoff=0.8)
    return sorted(path for path, name in zip(paths, leaves, strict=True) if name in near)


def read_value(hint: Any, text: str, where: str) -> Any:
    """`text` as the type `hint`: as JSON if possible (`0.1`, `[1, 2]`), else as plain text (`hinge`, a path `2024`).

    Raises:
        UsageError: neither is possible.
    """
    try:
        return convert(hint, parse_value(text), where)
    except UsageError:
        with contextlib.suppress(UsageError):
            return convert(hint, text, where)
        raise


def parse_value(text: str) -> Any:
    """The JSON value if `text` is JSON, else the text itself: `0.1` is a number, `hinge` a word."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
