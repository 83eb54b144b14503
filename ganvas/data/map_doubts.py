"""Whether the colors of label maps seem to be those of ordinary pictures."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ganvas.data.legend import NAME, Color, write_color
from ganvas.utils.parsing import spell_count

MOST_COLORS = 64  # classes by color, without a legend
MANY_CLASSES = 40  # colors that are classes: with more of them, maps without a legend may be ordinary pictures; and
FEW_CLASSES = 8  # colors: up to so many stand out from the smooth edges between them,
RARE = 0.005  # share of all pixels: unless half of the classes have less than this; and
STRAY = 0.01  # share of all pixels, from which on those whose color is no class, as at smooth edges, count
EXACT = 2  # levels of a channel that a mixture of two colors may differ by from the line between them


def doubt_colors(shares: Mapping[Color, float], colors: int) -> tuple[str, ...]:
    """A sentence if the colors seem to be those of ordinary pictures: very many, or with smooth edges between several.

    The smooth edges of a few classes become the nearest class without harm. Between many colors a mixture of two is often like
    a third, and where most classes are rare they are such mixtures themselves.
    """
    count, stray = len(shares), 1 - sum(shares.values())
    mixed = colors > MOST_COLORS and stray >= STRAY  # more colors than classes may be: they are no forgotten classes
    rare = 2 * sum(share < RARE for share in shares.values()) >= count
    between = _count_mixtures(shares)
    if not (count > MANY_CLASSES or (mixed and (count > FEW_CLASSES or rare)) or 2 * between >= max(count, FEW_CLASSES)):
        return ()
    found = f"{spell_count(count, 'colors')} became classes, such as {write_color(min(shares, key=lambda each: shares[each]))}"
    others = f", and {stray:.1%} of the pixels have one of {colors - count:,} other colors" if mixed else ""
    return (
        f"label maps: {found}{others}; expected few plain colors, saved as PNG without smooth edges, or a {NAME} that lists "
        "the classes; pix2pix-images takes pairs of ordinary pictures",
    )


def _count_mixtures(shares: Mapping[Color, float]) -> int:
    """How many rare colors lie between two frequent ones: maps enlarged by a whole factor have few, exact ones."""
    frequent = np.array([color for color, share in shares.items() if share >= RARE], float).reshape(-1, 3)
    count = 0
    for color in (np.array(color, float) for color, share in shares.items() if share < RARE):
        pairs = itertools.combinations(frequent, 2)
        count += any(_is_between(color, first, second) for first, second in pairs)
    return count


def _is_between(color: NDArray[np.float64], first: NDArray[np.float64], second: NDArray[np.float64]) -> bool:
    along = second - first
    part = float((color - first) @ along / (along @ along))
    return 0 < part < 1 and float(np.abs(first + part * along - color).max()) <= EXACT
