"""Align a picture as the training data were: light on dark or dark on light, and its figure as large and in the same place.

Digits of MNIST are white on black, 20 pixels large, in the middle of 28. A scanned digit is none of this, so no code fits it.
What the data looked like is seen in samples of the model. Only pictures with a plain ground, for models whose samples have one,
are aligned; all others are left as they are, and it is said why. Drawings on paper may have uneven light, and a thinner pen.
Source: yann.lecun.com/exdb/mnist (how its digits were placed); arXiv:1708.07747 sec. 2 (clothes: negated, in the middle).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter
from torch import Tensor

from ganvas.core.modality import IMAGES
from ganvas.data.levels import Bytes
from ganvas.inference.figures import LIKE_GROUND, UNEVEN, Figure, even_light, find_figure, is_drawn, stroke_width

PLAIN = 0.85  # the share of the border of a picture that has the color of the ground, at least
PLAIN_SAMPLE = 0.7  # the same of a sample: clothes touch the border
ALIKE = 0.85  # the share of the samples that have a plain ground, and that of all
GREY = 4  # levels: how far apart the channels of pictures are, at most, that are grey although they have three
PAPER = 0.15  # the share of the largest difference below which it is the ground: paper is never quite even
LARGEST = 1_024  # pixels of a side that is looked at
THIN = 0.7  # strokes that are thinner than this share of those of the data are made thicker
FINE = 8  # how many times finer than samples strokes are made thicker
FRAMED = {32: 28}  # pixels of a side: data that get a border up to the side of samples, as `fit_to_side` makes it
OFF = 0.15  # of the side: how far from the size and the place of the data a figure may be that has their number of pixels


@dataclass(frozen=True)
class Ground:
    """What samples look like: the ground [C], and the figure on it; C is 1 where they are grey.

    `reach` is how far its lightest or darkest part is from the ground, in levels with a sign; `size` its longer side and
    `center` (y, x) its place, as shares of the side. `stroke` is the width of its strokes as a share of its longer side; 0: it
    is no drawing in grey.
    """

    color: Bytes
    reach: float
    size: float
    center: tuple[float, float]
    stroke: float = 0.0

    @classmethod
    def of_samples(cls, samples: Tensor) -> Ground | None:
        """Of samples [N, C, H, W] in [-1, 1]; None: they have no plain ground in common, or nothing on it."""
        pictures = IMAGES.denormalize(samples.clamp(-1, 1)).permute(0, 2, 3, 1).numpy()
        if pictures.shape[3] > 1 and np.ptp(pictures, axis=3).mean() <= GREY:
            pictures = pictures[..., :1]
        known = [each for picture in pictures if isinstance(each := find_figure(picture, PLAIN_SAMPLE), Figure)]
        if not known:
            return None
        color = np.median([each.ground for each in known], 0).astype(np.uint8)
        alike = [np.abs(each.ground.astype(np.int16) - color).max() <= LIKE_GROUND for each in known]
        if sum(alike) < ALIKE * len(pictures):
            return None
        side = pictures.shape[1]
        reach = float(np.median([each.reach for each in known]))
        size = float(np.median([each.side for each in known])) / side
        y, x = np.median([each.center for each in known], 0) / side
        drawn = len(color) == 1 and 2 * sum(map(is_drawn, known)) >= len(known)
        stroke = float(np.median([stroke_width(each.shares()) / each.side for each in known])) if drawn else 0.0
        return cls(color, reach, size, (float(y), float(x)), stroke)

    def align(self, picture: Bytes, side: int) -> tuple[Bytes, str]:
        """uint8 [H, W, 1 or 3] -> the same aligned, for samples of `side` pixels, and what was done to it, or why nothing was.

        That is "" if nothing had to be done. A picture whose figure was placed is square, with C channels.
        """
        given, picture = picture, _convert(picture, len(self.color))
        figure, done = find_figure(picture, PLAIN, on_paper=self.stroke > 0), []
        if isinstance(figure, str) and self.stroke:
            even = even_light(picture)
            if isinstance(found := find_figure(even, PLAIN, on_paper=True), Figure):
                figure, picture = found, even
                done.append("its light made even")
        fits = picture.shape[:2] in ((side, side), (FRAMED.get(side),) * 2)
        if isinstance(figure, str):
            return given, "" if fits and figure == UNEVEN else f"not aligned: {figure}"
        if picture.shape[2] == 1 and (figure.reach > 0) != (self.reach > 0):
            picture = np.clip(np.round(self.color + self.reach * figure.shares(PAPER)), 0, 255).astype(np.uint8)[..., None]
            found = find_figure(picture, PLAIN, on_paper=self.stroke > 0)
            figure = found if isinstance(found, Figure) else figure
            done.append("light and dark exchanged")
        if not fits or (done and self._is_elsewhere(figure, picture.shape[0], side)):
            picture = self._place(picture, figure)
            done.append("its figure placed as in the data")
            if self.stroke and (thicker := self._thicken(picture, side)) is not None:
                picture = thicker
                done.append("its strokes made thicker")
        return (picture, ", ".join(done)) if done else (given, "")

    def _is_elsewhere(self, figure: Figure, own: int, side: int) -> bool:
        """Of a picture of `own` pixels, which gets a border up to `side` pixels."""
        center = [(each + (side - own) / 2) / side for each in figure.center]
        far = [figure.side / side - self.size, *(center[i] - self.center[i] for i in range(2))]
        return max(map(abs, far)) > OFF

    def _place(self, picture: Bytes, figure: Figure) -> Bytes:
        """A square cut, in which the figure is as large and in the same place as in samples; the ground around it if needed."""
        whole = max(1, round(figure.side / self.size))
        top, left = (round(figure.center[i] - self.center[i] * whole) for i in range(2))
        square = np.empty((whole, whole, picture.shape[2]), np.uint8)
        square[:] = figure.ground
        height, width = picture.shape[:2]
        rows, columns = slice(max(0, top), min(height, top + whole)), slice(max(0, left), min(width, left + whole))
        square[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left] = picture[rows, columns]
        return square

    def _thicken(self, picture: Bytes, side: int) -> Bytes | None:
        """A square picture with strokes as wide as those of the data; None: they are not much thinner."""
        fine = Image.fromarray(picture[..., 0]).resize((FINE * side, FINE * side), Image.Resampling.BOX)
        figure = find_figure(np.asarray(fine)[..., None], PLAIN)
        if isinstance(figure, str):
            return None
        drawn = Image.fromarray((figure.shares(PAPER) * 255).astype(np.uint8))
        smooth = drawn.filter(ImageFilter.GaussianBlur(FINE // 4))  # the grain of paper and ink would count as outlines
        wanted, width = self.stroke * figure.side, stroke_width(np.asarray(smooth, np.float32) / np.float32(255))
        if width >= THIN * wanted:
            return None
        spread = drawn.filter(ImageFilter.MaxFilter(2 * max(1, round((wanted - width) / 2)) + 1))
        shares = np.asarray(spread.filter(ImageFilter.GaussianBlur(1)), np.float32) / 255
        return np.clip(np.round(self.color + self.reach * shares), 0, 255).astype(np.uint8)[..., None]


def _convert(picture: Bytes, channels: int) -> Bytes:
    """With `channels` channels, and at most `LARGEST` pixels long."""
    image = Image.fromarray(picture[..., 0] if picture.shape[2] == 1 else picture).convert("L" if channels == 1 else "RGB")
    image.thumbnail((LARGEST, LARGEST), Image.Resampling.BOX)
    return np.asarray(image).reshape(image.height, image.width, channels)
