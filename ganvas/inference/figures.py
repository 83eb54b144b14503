"""The figure of a picture with a plain ground: where it is, how far from the ground, how thick its strokes are.

Paper is seldom plain: light falls on it from one side, dust lies on it, lines are ruled on it. So what is small beside the rest
of a drawing, or touches the border while the rest does not, is no part of it, and `even_light` divides by the light.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from ganvas.data.levels import Bytes

LIKE_GROUND = 32  # levels: how far from the color of the ground a pixel of it may be
FIGURE = 0.3  # the share of the largest difference to the ground from which on a pixel is part of the figure
FULL, MOST_FULL = 0.005, 150  # the share of the pixels, and their number at most, that differ by the largest difference or more
THICK = 0.25  # of the longer side: a figure in which no square of this side lies is drawn
THICK_SIDE = 48  # pixels of the longer side of a figure in which that is looked for, at most
CELLS = 48  # of the longer side, at most, in which parts of a figure are told apart
DUST = 0.05  # a part with a smaller share of the figure is no part of it
INSIDE = 0.25  # a figure that does not touch the border has at least this share of all that is no ground
LIGHT_SIDE, LIGHT_REACH = 160, 33  # pixels: the longer side on which light is looked for, and the square it is the median of
UNEVEN = "its ground is not plain"

Array = np.ndarray[tuple[int, ...], np.dtype[np.float32]]
Flags = np.ndarray[tuple[int, ...], np.dtype[np.bool_]]


@dataclass(frozen=True)
class Figure:
    """What differs from a plain ground [C]: by how much [H, W]; its longer side and its center (y, x), in pixels."""

    ground: Bytes
    apart: Array
    reach: float  # the largest difference, in levels; below 0 if it is darker than the ground
    side: float
    center: tuple[float, float]

    def shares(self, paper: float = 0.0) -> Array:
        """How much of each pixel is figure, from 0 to 1; what is below `paper` is ground."""
        return np.asarray(np.clip((self.apart / abs(self.reach) - paper) / (1 - paper), 0, 1), np.float32)


def find_figure(picture: Bytes, plain: float, *, on_paper: bool = False) -> Figure | str:
    """Of uint8 [H, W, C]; or why there is none. A share `plain` of the border, at least, has the color of the ground.

    `on_paper`: what is small beside the rest is dust, and what touches the border is a line on the paper or its edge.
    """
    height, width = picture.shape[:2]
    if min(height, width) < 4:
        return "it is too small"
    ring = max(1, min(height, width) // 50)
    inside = np.zeros((height, width), bool)
    inside[ring:-ring, ring:-ring] = True
    border = picture[~inside]
    ground = np.median(border, 0).astype(np.uint8)
    difference = picture.astype(np.float32) - ground
    apart = np.abs(difference).max(2)
    if (apart[~inside] <= LIKE_GROUND).mean() < plain:
        return UNEVEN
    within = apart[inside]
    largest = float(np.quantile(within, 1 - min(FULL, MOST_FULL / within.size)))
    if largest <= LIKE_GROUND:
        return "nothing is on it"
    kept = apart > FIGURE * largest
    if on_paper:
        clean = _drop_dust(kept)
        apart, kept = np.where(kept & ~clean, 0, apart).astype(np.float32), clean
    ys, xs = np.flatnonzero(kept.any(1)), np.flatnonzero(kept.any(0))
    high, wide = ys[-1] - ys[0] + 1, xs[-1] - xs[0] + 1
    center = ((ys[0] + ys[-1] + 1) / 2, (xs[0] + xs[-1] + 1) / 2)
    sign = 1.0 if difference[kept].mean() > 0 else -1.0
    return Figure(ground, apart, sign * largest, float(max(high, wide)), center)


def stroke_width(shares: Array) -> float:
    """Of a drawing [H, W] of shares, in pixels: twice its area by the length of its outline (blur changes neither)."""
    framed = np.pad(shares, 1)
    outline = np.abs(np.diff(framed, axis=0)).sum() + np.abs(np.diff(framed, axis=1)).sum()
    return float(2 * shares.sum() / max(outline, 1e-6))


def is_drawn(figure: Figure) -> bool:
    """Whether nothing of it is thick: no square of `THICK` of its longer side lies within it."""
    top, left = (max(0, round(place - figure.side / 2)) for place in figure.center)
    whole = round(figure.side)
    part = Image.fromarray(((figure.shares() > FIGURE) * 255).astype(np.uint8)[top : top + whole, left : left + whole])
    part.thumbnail((THICK_SIDE, THICK_SIDE), Image.Resampling.BOX)
    thick = 2 * round(THICK * max(part.size) / 2) + 1
    return bool(np.asarray(part.filter(ImageFilter.MinFilter(thick))).max() < 128)


def even_light(picture: Bytes) -> Bytes:
    """Grey uint8 [H, W, 1] of thin strokes on paper -> the same as if the paper had the same light everywhere.

    The light at a place is the median of a square around it, in which strokes are less than a half.
    """
    image = Image.fromarray(picture[..., 0])
    scale = LIGHT_SIDE / max(image.size)
    small = image.resize([max(1, round(side * scale)) for side in image.size], Image.Resampling.BOX)
    edge = LIGHT_REACH // 2
    framed = Image.fromarray(np.pad(np.asarray(small), edge, mode="reflect" if min(small.size) > edge else "edge"))
    light = framed.filter(ImageFilter.MedianFilter(LIGHT_REACH)).crop((edge, edge, edge + small.width, edge + small.height))
    lit = np.asarray(light.resize(image.size, Image.Resampling.BILINEAR), np.float32)
    even = picture[..., 0] / np.maximum(lit, 1) * np.median(lit)
    return np.clip(np.round(even), 0, 255).astype(np.uint8)[..., None]


def _drop_dust(part: Flags) -> Flags:
    """Of bool [H, W], not empty: without small separate parts, and without those at the border if others are not."""
    height, width = part.shape
    cell = -(-max(height, width) // CELLS)
    framed = np.pad(part, ((0, -height % cell), (0, -width % cell)))
    counts = framed.reshape(framed.shape[0] // cell, cell, -1, cell).sum((1, 3))
    names = _name_parts(counts > 0)
    weights = np.bincount(names.ravel(), counts.ravel())
    weights[0] = 0
    kept = weights >= DUST * weights.sum()
    edge = np.zeros(len(weights), bool)
    edge[names[[0, -1]]] = edge[names[:, [0, -1]]] = True
    if weights[kept & ~edge].sum() >= INSIDE * weights.sum():
        kept &= ~edge
    clean: Flags = part & kept[names].repeat(cell, 0).repeat(cell, 1)[:height, :width]
    return clean


def _name_parts(filled: Flags) -> np.ndarray[tuple[int, ...], np.dtype[np.intp]]:
    """The number of the connected part of each cell [H, W], from 1; 0 where nothing is. Corners connect."""
    names = np.where(filled, np.arange(1, filled.size + 1).reshape(filled.shape), 0)
    while True:
        framed = np.pad(names, 1)
        around = [framed[y : y + names.shape[0], x : x + names.shape[1]] for y in range(3) for x in range(3)]
        spread = np.where(filled, np.max(around, 0), 0)
        if np.array_equal(spread, names):
            return np.searchsorted(np.unique(np.append(names, 0)), names)
        names = spread
