"""Numbers with a fraction on the command line: 0.7, 1e-3 or 2. Infinity and NaN are none."""

from __future__ import annotations

import math
from contextlib import suppress
from typing import Annotated

from cyclopts import Parameter

from ganvas.errors import UsageError
from ganvas.utils.parsing import printable


def parse_real(name: str | None, text: str) -> float:
    """The number in `text`; `name` is that of the option.

    Raises:
        UsageError: no number of the digits 0 to 9, or one that is not finite.
    """
    number = math.nan
    if len(text) <= 400 and text.isascii():
        with suppress(ValueError):
            number = float(text)
    if not math.isfinite(number):
        raise UsageError(f"{name}: expected a number, got {printable(text, 60)!r}")
    return number


Real = Annotated[float, Parameter(converter=lambda _, tokens: parse_real(tokens[0].keyword, tokens[0].value))]
