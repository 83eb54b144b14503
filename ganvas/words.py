"""The words of a command line as values: whole numbers, settings, classes, seeds."""

from __future__ import annotations

import re

from ganvas.errors import UsageError
from ganvas.utils.whole_numbers import Whole as Whole  # for the verbs
from ganvas.utils.whole_numbers import whole as whole

MOST = 10_000  # numbers in a list


def setting(text: str) -> tuple[str, str]:
    """FIELD=VALUE."""
    path, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"--set expects FIELD=VALUE such as train.learning_rate=1e-3, got {text!r}")
    return path.strip(), value.strip()


def labels(text: str | None) -> str | list[str] | None:
    """7, dog, all or 3,8."""
    return text.split(",") if text and "," in text else text


def numbers(text: str) -> list[int]:
    """1,5,9 or 0-7 or both."""
    found: list[int] = []
    for part in text.split(","):
        first, dash, last = part.partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise UsageError(f"expected seeds such as 1,5,9 or 0-7, got {text!r}")
        low, high = int(first), int(last or first)
        if high < low:
            raise UsageError(f"expected the smaller end of a range first, as in 0-7, got {part!r}")
        if len(found) + high - low >= MOST:
            raise UsageError(f"expected at most {MOST:,} numbers, got {text!r}")
        found += range(low, high + 1)
    return found


def terms(text: str) -> list[tuple[int, str | None, list[int]]]:
    """ "1,2 - 4,5 + 7:1-3" as signs, classes where they are named, and seeds."""
    parts = re.split(r"\s+([+-])\s+", text.strip())
    signs = [1, *(1 if sign == "+" else -1 for sign in parts[1::2])]
    found = []
    for sign, part in zip(signs, parts[::2], strict=True):
        label, colon, seeds = part.rpartition(":")
        found.append((sign, label.strip() if colon else None, numbers(seeds.strip())))
    return found
