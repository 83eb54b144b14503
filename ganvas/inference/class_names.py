"""Find a class by its name or its number. Names win; `#1` is always a number."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

from ganvas.errors import GanvasWarning, UsageError, unknown_name
from ganvas.utils.parsing import compose, is_whole, printable


def find_class(label: int | str, classes: Sequence[str]) -> int:
    """The number of a class.

    An int is a number. A string is a name, compared in composed form (Unicode NFC); `#1` is a number; digits that are no name
    are a number too. Where digits may mean two classes, a `GanvasWarning` says which one was taken.

    Raises:
        UsageError: no such class; names the nearest.
    """
    if not isinstance(label, str):
        if not is_whole(label):
            raise UsageError(f"class: expected a number or a name, got {printable(repr(label), 60)}")
        if 0 <= label < len(classes):
            return int(label)
        if str(label) in classes:
            return classes.index(str(label))
        raise UsageError(f"unknown class number {label}: expected 0 to {len(classes) - 1}, or the name of a class")
    found, doubt = match_class(label, classes)
    if doubt:
        warnings.warn(doubt, GanvasWarning, stacklevel=3)
    if found is None:
        raise unknown_name("class", printable(label), classes)
    return found


def match_class(text: str, classes: Sequence[str]) -> tuple[int | None, str]:
    """The number of a class, or None, and what is doubtful about it, or "". See `find_class`."""
    names = [compose(name) for name in classes]
    spellings = (compose(text), printable(compose(text)), compose(text).strip())
    named = next((names.index(spelling) for spelling in spellings if spelling in names), None)
    number = _number(text.removeprefix("#"), len(classes))
    if named is not None:
        if number in (None, named) or text.startswith("#"):
            return named, ""
        return (
            named,
            f"class {text!r} is the one of this name, number {named}; write #{text} for number {text}, {names[number]!r}",
        )
    if number is None or text.startswith("#") or not any(name.isdecimal() for name in names):
        return number, ""
    return number, f"no class is called {text!r}, so it is number {text}, {names[number]!r}; write #{text} to say so"


def _number(text: str, count: int) -> int | None:
    """A number below `count` in ASCII digits, or None."""
    plain = text.isascii() and text.isdecimal() and len(text) < 10
    return int(text) if plain and int(text) < count else None
