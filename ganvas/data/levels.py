"""How numbers become bytes: one rule for all pictures of a set together, in files and in arrays.

Type and byte order do not matter, only the range of the whole set. Bytes of picture files stay as they are; other numbers:

    within [0, 1]       0 is black, 1 is white: also masks of 0 and 1
    within [-1, 1]      -1 is black, 1 is white
    within [0, 255]     as they are
    within [0, 65535]   divided by 257
    anything else       from the lowest to the highest value of the set, with a warning

The first that fits counts. Numbers with a fraction may leave the first three by 5 % of their range: filters overshoot.

`data.white` replaces the rule: 0 is black, that value is white, and numbers beyond are clipped. Bytes have no value above 255,
so that a larger `data.white` does not change them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from threading import Lock

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.generic]  # numbers of any type
Bytes = NDArray[np.uint8]

SLACK = 0.05  # of the range of the set, beyond each end
UNITS = ((0.0, 1.0), (-1.0, 1.0), (0.0, 255.0))  # black and white, in order of preference
DEPTHS = (255, 1023, 4095, 16383, 32767, 65535)  # white of 8, 10, 12, 14, 15 and 16 bits
BLOCK = 1 << 20  # values that are converted at a time: this bounds the memory


@dataclass(frozen=True)
class Span:
    """The range of some numbers; `whole`: none has a fraction."""

    low: float
    high: float
    whole: bool

    @classmethod
    def of(cls, values: Values) -> Span:
        """The range of an array that is not empty; NaN if a value is NaN."""
        whole = values.dtype.kind != "f" or all(bool((part == np.floor(part)).all()) for part in _blocks(values))
        return cls(float(values.min()), float(values.max()), whole)

    @classmethod
    def join(cls, spans: Iterable[Span]) -> Span | None:
        """The range of all together; None of nothing."""
        found = list(spans)
        if not found:
            return None
        return cls(min(s.low for s in found), max(s.high for s in found), all(s.whole for s in found))


@dataclass(frozen=True)
class Levels:
    """The numbers that become 0 and 255; between them linear, beyond them clipped."""

    black: float = 0.0
    white: float = 255.0
    guessed: bool = False  # neither a usual range nor given by the user

    def to_bytes(self, values: Values) -> Bytes:
        """Numbers of any type and shape -> uint8 of the same shape, rounded to the nearest."""
        if values.dtype == np.uint8 and (self.black, self.white) == (0, 255):
            return values.astype(np.uint8)
        extent = max(self.white - self.black, 1e-300)
        if values.dtype == np.uint8:
            table: Bytes = np.rint((np.arange(256) - self.black) * 255 / extent).clip(0, 255).astype(np.uint8)
            return table[values.astype(np.uint8)]
        result = np.empty(values.shape, np.uint8)
        for part, out in zip(_blocks(values), _blocks(result), strict=True):
            out[...] = np.rint((part.astype(np.float64) - self.black) * 255 / extent).clip(0, 255)
        return result


def choose_levels(span: Span, white: float | None = None) -> Levels:
    """The levels of a set whose numbers have this range; `white` as the user gave it, None: by the rule above."""
    if white is not None:
        return Levels(0.0, white)
    slack = 0.0 if span.whole and span.low >= 0 else SLACK * (span.high - span.low)
    for black, top in UNITS:
        if span.low >= black - slack and span.high <= top + slack:
            return Levels(black, top)
    if span.low >= 0 and span.high <= 65535:
        return Levels(0.0, 65535.0)
    return Levels(span.low, span.high, guessed=True)


def doubt_levels(span: Span, levels: Levels, white: float | None = None) -> tuple[str, ...]:
    """What is doubtful about these levels for a set with this range, a sentence each."""
    if levels.guessed:
        found = f"values from {span.low:g} to {span.high:g} are no usual range: the lowest is black, the highest white"
        return (f"{found}; give all splits one range, or set data.white={span.high:g} if 0 is black",)
    if white is not None and span.high > white * (1 + SLACK):
        return (f"values above data.white={white:g} become white: the highest is {span.high:g}",)
    if span.high <= max(levels.black, 0):
        return ("all pictures are black: they have no value above 0",)
    if white is None and 2 * (span.high - levels.black) <= levels.white - levels.black:
        bright = next(top for top in DEPTHS if top >= span.high) if span.whole and span.high > 255 else span.high
        bits = f" ({int(bright).bit_length()} bits)" if bright in DEPTHS else ""
        found = f"all pictures are dark: the highest value is {span.high:g} of {levels.white:g}"
        return (f"{found}; if {bright:g} is white{bits}, use --set data.white={bright:g}",)
    return ()


class Brightest:
    """The highest byte of many pictures, from several threads."""

    def __init__(self) -> None:
        self.lock, self.value = Lock(), -1

    def see(self, pixels: Bytes) -> None:
        """Take account of one picture."""
        highest = int(pixels.max(initial=0))
        with self.lock:
            self.value = max(self.value, highest)


def _blocks(values: NDArray[np.generic]) -> Iterable[NDArray[np.generic]]:
    """Views of an array along its longest axis, of about `BLOCK` values each; a small array is one view."""
    if values.size <= BLOCK:
        return [values]
    axis = int(np.argmax(values.shape))
    length = values.shape[axis]
    step, before = max(1, BLOCK * length // values.size), (slice(None),) * axis
    return [values[(*before, slice(start, start + step))] for start in range(0, length, step)]
