"""The words of a command line as values: whole numbers, settings, classes, seeds."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated

from cyclopts import Parameter

from ganvas.errors import UsageError


def setting(text: str) -> tuple[str, str]:
    """FIELD=VALUE."""
    path, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"--set expects FIELD=VALUE such as train.learning_rate=1e-3, got {text!r}")
    return path.strip(), value.strip()


def whole(name: str | None, text: str) -> int:
    """960, 1e6 or 100_000; a fraction is no number of anything."""
    with suppress(ValueError):
        return int(text)
    with suppress(ValueError):
        if (number := float(text)).is_integer():
            return int(number)
    raise UsageError(f"{name}: expected a whole number, got {text!r}")


def labels(text: str | None) -> str | list[str] | None:
    """7, dog, all or 3,8."""
    return text.split(",") if text and "," in text else text


def numbers(text: str) -> list[int]:
    """1,5,9 or 0-7 or both."""
    found: list[int] = []
    for part in text.split(","):
        first, dash, last = part.partition("-")
        if not first.isdigit() or (dash and not last.isdigit()):
            raise UsageError(f"expected seeds such as 1,5,9 or 0-7, got {text!r}")
        found += range(int(first), int(last or first) + 1)
    return found


Whole = Annotated[int, Parameter(converter=lambda _, tokens: whole(tokens[0].keyword, tokens[0].value))]
