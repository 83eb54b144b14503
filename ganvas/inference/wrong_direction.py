"""Whether pictures were given to the wrong one of two directions: those that are of the target's kind already.

The identity term teaches each generator of a CycleGAN to leave pictures of its own target as they are (arXiv:1703.10593 sec.
5.2). So a picture that the other direction changes far more than the one that was asked for is of the target's kind already.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from ganvas.inference.picture_translation import Way, translate_along

MOST = 16  # pictures that are looked at: each costs two more passes
SIDE = 256  # pixels of the middle that is looked at
SURE = 1.0  # in powers of 2, for one picture; for four and more half of it
LEAST = 1e-3  # a change that counts as none, of the range of the values


class DirectionCheck:
    """Looks at the first pictures of a translation in `way`. Games with one direction have nothing to compare."""

    def __init__(self, way: Way) -> None:
        self.way = way
        self.other = way.reverse()
        self.found: list[float] = []  # log2 of the change that was asked for, of that of the other direction

    def look(self, picture: npt.NDArray[Any]) -> None:
        """A picture [H, W, C] before the translation."""
        if self.other is None or len(self.found) >= MOST:
            return
        top, left = (max(0, (side - SIDE) // 2) for side in picture.shape[:2])
        middle = np.ascontiguousarray(picture[top : top + SIDE, left : left + SIDE])
        asked, other = (_change(way, middle) for way in (self.way, self.other))
        if asked is not None and other is not None:
            self.found.append(math.log2(asked / other))

    def note(self) -> str | None:
        """A sentence, if most of what was given seems to be of the target's kind; a single picture must be clearer."""
        if self.other is None or not self.found:
            return None
        mean = sum(self.found) / len(self.found)
        if mean > -SURE / math.sqrt(min(len(self.found), 4)):
            return None
        way, other = self.way, self.other
        what = "this picture looks" if len(self.found) == 1 else "these pictures look"
        hardly = f"{way.about} changes {2**-mean:.2g} times less than {other.about}"
        return f"{what} as if already {way.target}: {hardly}; was {other.target!r} meant?"


def _change(way: Way, picture: npt.NDArray[Any]) -> float | None:
    """The mean change of the colors, of their range; None: the direction makes another number of channels."""
    made = translate_along(way, picture)
    if made.shape != picture.shape:
        return None
    top = float(np.iinfo(picture.dtype).max)
    colors = slice(0, 1 if picture.shape[2] < 3 else 3)
    change = np.abs(made[..., colors].astype(np.float32) - picture[..., colors].astype(np.float32)).mean()
    return max(float(change) / top, LEAST)
