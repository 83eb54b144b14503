"""Holes that a user marks: a mask of the size of the picture, white where it is to be filled, and a preview that shows it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ganvas.errors import UsageError
from ganvas.inference.transparency import split_alpha
from ganvas.utils.parsing import printable

Array = npt.NDArray[Any]
Hole = npt.NDArray[np.bool_]
MARK, COVER = (255, 0, 255), 0.6  # the color of a hole in a preview, and how much of the picture it covers
MUCH = 0.5  # share of the picture from which the user is asked whether the mask is inverted


def read_hole(mask: Array) -> Hole:
    """A mask [H, W] or [H, W, 1 to 4] -> the hole, bool [H, W]: what is brighter than the middle grey is to be filled.

    Of a color the mean of red, green and blue counts. Transparent pixels are black, however they are colored: an editor that
    has a layer for the mask leaves them so. The numbers are uint8 or uint16; bool says it itself.
    """
    given = mask[..., None] if mask.ndim == 2 else mask
    if given.dtype == bool:
        return np.ascontiguousarray(given.any(2))
    colors, alpha = split_alpha(given)
    top = int(np.iinfo(given.dtype).max)
    level = colors.mean(2, dtype=np.float64)
    if alpha is not None:
        level = level * alpha[..., 0] / top
    hole: Hole = level > top / 2
    return hole


def require_hole(hole: Hole, size: tuple[int, int], mask: str = "mask", picture: str = "the picture") -> None:
    """Check that a hole belongs to a picture of this height and width, and leaves something of it.

    Raises:
        UsageError: another size, no pixel in the hole, or none outside.
    """
    mask, picture = printable(mask), printable(picture)
    if hole.shape != size:
        (height, width), (found_height, found_width) = size, hole.shape
        raise UsageError(
            f"{mask}: expected {width} x {height} pixels, as {picture} has, found {found_width} x {found_height}; "
            "make the mask from the picture itself"
        )
    polarity = "white is filled, black is kept"
    if not hole.any():
        raise UsageError(f"{mask}: expected white where the picture is to be filled, found none ({polarity}); paint the hole")
    if hole.all():
        raise UsageError(f"{mask}: expected black where the picture is kept, found none ({polarity}); paint the hole only")


def describe_hole(hole: Hole) -> str:
    """How much is filled, in words."""
    share = float(hole.mean())
    size = f"{hole.shape[1]} x {hole.shape[0]}"
    filled = f"{np.count_nonzero(hole):,} of {size} pixels are filled ({share:.1%})"
    return f"{filled}; if the mask is inverted: white is filled, black is kept" if share > MUCH else filled


def mark_hole(picture: Array, hole: Hole) -> Array:
    """A picture uint8 or uint16 [H, W, 1 to 4] and its hole -> uint8 [H, W, 3]: the hole under a layer of magenta."""
    colors, _ = split_alpha(picture)
    if colors.dtype == np.uint16:
        colors = np.rint(colors / 257.0).astype(np.uint8)
    marked = np.repeat(colors, 3, 2) if colors.shape[2] == 1 else colors.copy()
    marked[hole] = np.rint((1 - COVER) * marked[hole] + COVER * np.array(MARK)).astype(np.uint8)
    return marked
