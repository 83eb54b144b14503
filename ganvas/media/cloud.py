"""Scatter plot of points in the unit square, colored by class, with a legend (latent maps)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from PIL import Image, ImageDraw
from torch import Tensor

from ganvas.errors import DataError
from ganvas.media.font import choose_font, show_names
from ganvas.media.grid import LINE
from ganvas.media.image_files import INK, PAPER, Picture
from ganvas.media.palette import class_color
from ganvas.media.scatter import FINE

EDGE = "#bbbbbb"  # of the square


def draw_cloud(points: Tensor, labels: Tensor | None, names: Sequence[str], size: int = 560) -> Picture:
    """points [N, 2] in the unit square, y upwards, labels [N] or None -> a picture of height `size`, its legend on the right.

    Raises:
        DataError: other shapes, or points that are not finite.
    """
    if points.ndim != 2 or points.shape[1] != 2 or not bool(points.isfinite().all()):
        raise DataError(f"cloud: expected finite points [N, 2], got shape {list(points.shape)}")
    kinds = torch.zeros(len(points), dtype=torch.int64) if labels is None else labels
    count = len(names) if labels is not None else 1
    fine = size * FINE
    canvas = Image.new("RGB", (fine, fine), PAPER)
    draw, radius = ImageDraw.Draw(canvas), fine * min(1 / 100, 0.3 / max(1, len(points)) ** 0.5)
    for (x, y), kind in zip(points.tolist(), kinds.tolist(), strict=True):
        middle = (x * fine, (1 - y) * fine)
        box = (middle[0] - radius, middle[1] - radius, middle[0] + radius, middle[1] + radius)
        draw.ellipse(box, fill=class_color(kind, count))
    square = canvas.resize((size, size), Image.Resampling.BOX)
    ImageDraw.Draw(square).rectangle((0, 0, size - 1, size - 1), outline=EDGE)
    return _with_names(square, names if labels is not None else ())


def _with_names(picture: Picture, names: Sequence[str]) -> Picture:
    if not names:
        return picture
    names = show_names(names)
    font = choose_font(names, 12)
    width = 16 + LINE + max(int(font.getlength(name)) for name in names)
    whole = Image.new("RGB", (picture.width + width, picture.height), PAPER)
    whole.paste(picture)
    draw = ImageDraw.Draw(whole)
    for row, name in enumerate(names):
        x, y = picture.width + 8, 8 + LINE * row
        draw.ellipse((x, y + 2, x + 10, y + 12), fill=class_color(row, len(names)))
        draw.text((x + LINE, y), name, fill=INK, font=font)
    return whole
