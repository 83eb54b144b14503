"""Align a picture as the training data were: light on dark or dark on light, and its figure as large and in the same place.

Digits of MNIST are white on black, 20 pixels large, in the middle of 28. A scanned digit is none of this, so no code fits it.
What the data looked like is seen in samples of the model. Only pictures with a plain ground, for models whose samples have one,
are aligned; all others are left as they are.
Source: yann.lecun.com/exdb/mnist (how its digits were placed); arXiv:1708.07747 sec. 2 (clothes: negated, in the middle).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ganvas.data.levels import Bytes

LIKE_GROUND = 32  # levels: how far from the color of the ground a pixel of it may be
PLAIN = 0.85  # the share of the border that has the color of the ground, at least
FIGURE = 0.3  # the share of the largest difference to the ground from which on a pixel is part of the figure
PAPER = 0.15  # the share below which it is the ground: paper is never quite even
LARGEST = 1_024  # pixels of a side that is looked at
FULL = 99.5  # percentile of the differences that counts as the largest one


@dataclass(frozen=True)
class Ground:
    """What samples look like: the ground [C], and the figure on it.

    `reach` is how far its lightest or darkest part is from the ground, in levels with a sign; `size` its longer side and
    `center` (y, x) its place, as shares of the side.
    """

    color: Bytes
    reach: float
    size: float
    center: tuple[float, float]

    @classmethod
    def of_samples(cls, samples: Tensor) -> Ground | None:
        """Of samples [N, C, H, W] in [-1, 1]; None: they have no plain ground, or nothing on it."""
        pictures = ((samples.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
        found = [_find_figure(picture) for picture in pictures]
        known = [each for each in found if each is not None]
        if len(known) < PLAIN * len(found):
            return None
        side = pictures.shape[1]
        color = np.median([each.ground for each in known], 0).astype(np.uint8)
        reach = float(np.median([each.reach for each in known]))
        size = float(np.median([each.side for each in known])) / side
        y, x = np.median([each.center for each in known], 0) / side
        return cls(color, reach, size, (float(y), float(x)))

    def align(self, picture: Bytes, side: int) -> tuple[Bytes, str]:
        """uint8 [H, W, 1 or 3] -> the same aligned, for samples of `side` pixels, and what was done to it, "" if nothing.

        A picture whose figure was placed is square, with the channels of the samples.
        """
        given, picture = picture, _convert(picture, len(self.color))
        figure = _find_figure(picture)
        if figure is None:
            return given, ""
        done = []
        if picture.shape[2] == 1 and (figure.reach > 0) != (self.reach > 0):
            shares = np.clip((figure.apart / abs(figure.reach) - PAPER) / (1 - PAPER), 0, 1)
            picture = np.clip(np.round(self.color + self.reach * shares), 0, 255).astype(np.uint8)[..., None]
            figure = _find_figure(picture) or figure
            done.append("light and dark exchanged")
        if picture.shape[:2] != (side, side):
            picture = self._place(picture, figure)
            done.append("its figure placed as in the data")
        return (picture, ", ".join(done)) if done else (given, "")

    def _place(self, picture: Bytes, figure: _Figure) -> Bytes:
        """A square cut, in which the figure is as large and in the same place as in samples; the ground around it if needed."""
        whole = max(1, round(figure.side / self.size))
        top, left = (round(figure.center[i] - self.center[i] * whole) for i in range(2))
        square = np.empty((whole, whole, picture.shape[2]), np.uint8)
        square[:] = figure.ground
        height, width = picture.shape[:2]
        rows, columns = slice(max(0, top), min(height, top + whole)), slice(max(0, left), min(width, left + whole))
        square[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left] = picture[rows, columns]
        return square


@dataclass(frozen=True)
class _Figure:
    """What differs from a plain ground [C]: by how much [H, W]; its longer side and its center (y, x), in pixels."""

    ground: Bytes
    apart: np.ndarray[tuple[int, ...], np.dtype[np.float32]]
    reach: float
    side: float
    center: tuple[float, float]


def _convert(picture: Bytes, channels: int) -> Bytes:
    """With `channels` channels, and at most `LARGEST` pixels long."""
    image = Image.fromarray(picture[..., 0] if picture.shape[2] == 1 else picture).convert("L" if channels == 1 else "RGB")
    image.thumbnail((LARGEST, LARGEST), Image.Resampling.BOX)
    return np.asarray(image).reshape(image.height, image.width, channels)


def _find_figure(picture: Bytes) -> _Figure | None:
    """Of uint8 [H, W, C]; None: its border is not plain, or nothing is on it."""
    height, width = picture.shape[:2]
    if min(height, width) < 4:
        return None
    ring = max(1, min(height, width) // 50)
    inside = np.zeros((height, width), bool)
    inside[ring:-ring, ring:-ring] = True
    border = picture[~inside]
    ground = np.median(border, 0).astype(np.uint8)
    if (np.abs(border.astype(np.int16) - ground).max(1) <= LIKE_GROUND).mean() < PLAIN:
        return None
    difference = picture.astype(np.float32) - ground
    apart = np.abs(difference).max(2)
    largest = float(np.percentile(apart[inside], FULL))
    if largest <= LIKE_GROUND:
        return None
    part = apart > FIGURE * largest
    ys, xs = np.flatnonzero(part.any(1)), np.flatnonzero(part.any(0))
    high, wide = ys[-1] - ys[0] + 1, xs[-1] - xs[0] + 1
    center = ((ys[0] + ys[-1] + 1) / 2, (xs[0] + xs[-1] + 1) / 2)
    sign = 1.0 if difference[part].mean() > 0 else -1.0
    return _Figure(ground, apart, sign * largest, float(max(high, wide)), center)
