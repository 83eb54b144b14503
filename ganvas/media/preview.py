"""Preview pictures of data sets, for `ganvas data`: a grid of images, a scatter plot of points, lines of text."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from torch import Tensor

from ganvas.media.font import choose_font, show_line
from ganvas.utils.files import write_durably

Bytes = NDArray[np.uint8]
SHEET = 64  # images on a sheet
COLUMNS = 8
PAIRS = 4  # in a row
GAP = 2  # pixels between images
SIDE = 512  # pixels of a scatter
MARGIN = 0.05  # share of the range, on each side
FONT, LETTER, ROW, EDGE = 14, 9, 20, 8  # in pixels: font size, width of a letter, height of a row, margin of the page
WIDEST = 900  # width of a page in pixels


def save_sheet(images: Sequence[Bytes], path: Path) -> None:
    """uint8 images [C, r, r] -> a PNG with eight columns; small images are enlarged by an integer factor."""
    resolution = images[0].shape[-1]
    factor = max(1, 64 // resolution)
    cell = resolution * factor + GAP
    rows = -(-len(images) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * cell + GAP, rows * cell + GAP), (128, 128, 128))
    for i, image in enumerate(images):
        tile = Image.fromarray(image[0] if len(image) == 1 else np.ascontiguousarray(image.transpose(1, 2, 0)))
        tile = tile.resize((resolution * factor,) * 2, Image.Resampling.NEAREST)
        sheet.paste(tile, (i % COLUMNS * cell + GAP, i // COLUMNS * cell + GAP))
    _save(sheet, path)


def save_pairs(pairs: Sequence[tuple[Bytes, Bytes]], path: Path) -> None:
    """Two uint8 images [C, r, r] each, an input and its output -> a PNG with both side by side, four pairs in a row."""
    resolution = max(image.shape[-1] for image in pairs[0])
    side = resolution * max(1, 64 // resolution)
    width, height = 2 * side + 3 * GAP, side + GAP  # a pair and the gap after it
    rows = -(-len(pairs) // PAIRS)
    sheet = Image.new("RGB", (min(PAIRS, len(pairs)) * width + GAP, rows * height + GAP), (128, 128, 128))
    for i, pair in enumerate(pairs):
        left, top = i % PAIRS * width + GAP, i // PAIRS * height + GAP
        for k, image in enumerate(pair):
            tile = Image.fromarray(image[0] if len(image) == 1 else np.ascontiguousarray(image.transpose(1, 2, 0)))
            sheet.paste(tile.resize((side, side), Image.Resampling.NEAREST), (left + k * (side + GAP), top))
    _save(sheet, path)


def save_scatter(points: Tensor, path: Path) -> None:
    """float points [N, D] -> a PNG of the first two dimensions, one scale for both; a histogram if D = 1."""
    values = points.double().numpy()
    if values.shape[1] == 1:
        counts, _ = np.histogram(values[:, 0], bins=SIDE // 8)
        heights = np.repeat(counts * (SIDE * (1 - MARGIN)) / counts.max(), 8)
        ink = np.arange(SIDE)[::-1, None] < heights
    else:
        low, high = values[:, :2].min(0), values[:, :2].max(0)
        span = max(float((high - low).max()), 1e-12) * (1 + 2 * MARGIN)
        column, row = (((values[:, :2] - (low + high) / 2) / span + 0.5) * (SIDE - 1)).round().astype(int).T
        ink = np.zeros((SIDE, SIDE), bool)
        ink[SIDE - 1 - row, column] = True
        ink[1:] |= ink[:-1]  # dots of 2 x 2
        ink[:, 1:] |= ink[:, :-1]
    _save(Image.fromarray(np.where(ink, 40, 255).astype(np.uint8)), path)


def save_lines(lines: Sequence[str], path: Path) -> None:
    """Lines of text -> a PNG with the lines in columns."""
    _save(draw_page(lines, max(map(len, lines))), path)


def draw_page(lines: Sequence[str], longest: int, columns: int | None = None) -> Image.Image:
    """Lines of up to `longest` symbols as a picture, row by row, in as many columns as fit, or in `columns`.

    The size depends only on the numbers of lines, symbols and columns, so that all frames of a film have one size.
    """
    width = LETTER * (longest + 2)
    columns = min(len(lines), max(1, WIDEST // width) if columns is None else columns)
    whole = Image.new("L", (2 * EDGE + columns * width, 2 * EDGE + -(-len(lines) // columns) * ROW), 255)
    lines = list(map(show_line, lines))
    draw, font = ImageDraw.Draw(whole), choose_font(lines, FONT)
    for i, line in enumerate(lines):
        draw.text((EDGE + i % columns * width, EDGE + i // columns * ROW), line, fill=40, font=font)
    return whole


def _save(image: Image.Image, path: Path) -> None:
    file = io.BytesIO()
    image.save(file, "PNG")
    write_durably(path, file.getvalue())
