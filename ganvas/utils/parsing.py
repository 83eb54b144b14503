"""Read untrusted text: JSON that may be hostile, numbers, and names that are safe to print."""

from __future__ import annotations

import json
import math
import shlex
import unicodedata
from numbers import Integral, Real
from typing import Any, TypeGuard

from ganvas.errors import DataError, UsageError

MOST_NUMBERS = 10_000  # numbers in a list


def printable(text: object, limit: int = 300) -> str:
    """`text` on one line that is safe to print: control characters are escaped, the middle of a long text is left out."""
    shown = str(text)
    if len(shown) > limit:
        shown = f"{shown[: limit // 2]}...{shown[-limit // 2 :]}"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in shown)


def quote(path: object) -> str:
    """A path as a word of a command that can be pasted into a shell, on one line."""
    text = str(path)
    if text.isprintable():
        return shlex.quote(text)
    escaped = (c if c.isprintable() and c not in "\\'" else c.encode("unicode_escape").decode() for c in text)
    return "$'" + "".join(escaped).replace("'", "\\'") + "'"


def parse_index(text: str) -> int | None:
    """The number that `text` spells with the digits 0 to 9; None: it is something else, such as a name."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None


def parse_numbers(text: str, what: str = "seeds") -> list[int]:
    """1,5,9 or 0-7 or both, as 1,5,7-9 -> the numbers; `what` they are, for the message."""
    found: list[int] = []
    for part in text.split(","):
        first, dash, last = part.partition("-")
        low, high = parse_index(first), parse_index(last if dash else first)
        if low is None or high is None:
            raise UsageError(f"expected {what} such as 1,5,9 or 0-7, got {printable(text, 100)!r}")
        if high < low:
            raise UsageError(f"expected the smaller end of a range first, as in 0-7, got {part!r}")
        if len(found) + high - low >= MOST_NUMBERS:
            raise UsageError(f"expected at most {MOST_NUMBERS:,} numbers, got {printable(text, 100)!r}")
        found += range(low, high + 1)
    return found


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether a JSON value is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def spell_count(count: int, plural: str) -> str:
    """A number of things: 1 sample, 2 classes, 2,000 color pictures. `plural` ends with s; "classes" and the like with es."""
    one = plural.removesuffix("es") if plural.endswith("sses") else plural.removesuffix("s")
    return f"{count:,} {one if count == 1 else plural}"


def is_whole(value: object) -> TypeGuard[int]:
    """Whether a value that a user gave is a whole number, also one of NumPy; True is none."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def require_whole(name: str, value: object) -> None:
    """Raises: UsageError: `value` is no whole number."""
    if not is_whole(value):
        raise UsageError(f"{name}: expected a whole number, got {printable(repr(value), 60)}")


def require_number(name: str, value: object) -> None:
    """Raises: UsageError: `value` is no number. Infinity and NaN are."""
    if not isinstance(value, Real) or isinstance(value, bool):
        raise UsageError(f"{name}: expected a number, got {printable(repr(value), 60)}")


def require_count(name: str, count: int, least: int, most: int) -> None:
    """Raises: UsageError: `count` is no whole number, or not from `least` to `most`."""
    require_whole(name, count)
    if not least <= count <= most:
        raise UsageError(f"{name}: expected a number from {least:,} to {most:,}, got {count:,}")


def compose(name: str) -> str:
    """A name as it is compared: an accent and its letter are one sign (Unicode NFC). macOS writes them as two."""
    return unicodedata.normalize("NFC", name)


def parse_json(data: bytes | str, what: str) -> dict[str, Any]:
    """A JSON object from a file that may be hostile. Raises: DataError: it is no object, too deep, or repeats a key."""
    try:
        values = json.loads(data if isinstance(data, str) else data.decode(), object_pairs_hook=_require_distinct)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{what} is not readable JSON: {printable(error, 100)}") from None
    if not isinstance(values, dict):
        raise DataError(f"{what} is not a JSON object")
    return values


def _require_distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError("a key appears twice")
    return values
