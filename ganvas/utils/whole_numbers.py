"""Integers on the command line: 960, 1e6 or 100_000."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated

from cyclopts import Parameter

from ganvas.errors import UsageError


def parse_whole(name: str | None, text: str) -> int:
    """The integer in `text`; `name` is that of the option. Raises: UsageError: a fraction, or no number."""
    with suppress(ValueError):
        return int(text)
    with suppress(ValueError):
        if (number := float(text)).is_integer():
            return int(number)
    raise UsageError(f"{name}: expected a whole number, got {text!r}")


Whole = Annotated[int, Parameter(converter=lambda _, tokens: parse_whole(tokens[0].keyword, tokens[0].value))]
