"""Integers on the command line: 960, 1e6 or 100_000, of the digits 0 to 9. A superscript or a thousand digits are none."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated

from cyclopts import Parameter

from ganvas.errors import UsageError
from ganvas.utils.parsing import printable

LARGEST = 2**63 - 1  # that torch can hold; the largest seed


def parse_whole(name: str | None, text: str) -> int:
    """The integer in `text`; `name` is that of the option.

    Raises:
        UsageError: a fraction, no number, or one beyond `LARGEST`.
    """
    number: int | None = None
    if len(text) <= 40 and text.isascii():
        with suppress(ValueError):
            number = int(text)
        with suppress(ValueError):
            if number is None and (real := float(text)).is_integer():
                number = int(real)
    if number is None or abs(number) > LARGEST:
        bound = f" of at most {LARGEST:,}" if number is not None or text.isdecimal() else ""
        raise UsageError(f"{name}: expected a whole number{bound}, got {printable(text, 60)!r}")
    return number


Whole = Annotated[int, Parameter(converter=lambda _, tokens: parse_whole(tokens[0].keyword, tokens[0].value))]
