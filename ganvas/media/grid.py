"""Grids of images (as torchvision's make_grid), captions, and pictures side by side."""

from __future__ import annotations

import os
from collections.abc import Sequence

import torch
from PIL import Image, ImageDraw
from torch import Tensor

from ganvas.errors import DataError, UsageError
from ganvas.media.font import Font, choose_font, show_line, show_names
from ganvas.media.image_files import INK, PAPER, Picture, to_bytes
from ganvas.runtime import placement

LINE, LETTERS = 16, 12  # heights of a line of a caption, and of its letters, in pixels
ACROSS = 60  # times its letters, a picture is as wide at most: a wide one is shown smaller, and its names must stay legible


def legible_scale(resolution: int) -> int:
    """The integer factor that enlarges an image of `resolution` pixels to about 64 pixels: 2 for 28."""
    return max(1, round(64 / resolution))


def make_grid(images: Tensor, columns: int, scale: int = 1, padding: int = 2) -> Picture:
    """images [N, C, H, W], uint8 or in [-1, 1], C 1 or 3 -> one picture with the images row by row, on white.

    Each pixel becomes `scale` x `scale` pixels; every image has a border of `padding` pixels.

    Raises:
        UsageError: fewer than one column, a scale below 1 or a padding below 0.
        DataError: no image, or not grey or color images.
    """
    if columns < 1 or scale < 1 or padding < 0:
        raise UsageError(f"sheet: expected columns and scale >= 1, padding >= 0, got {columns}, {scale}, {padding}")
    if images.ndim != 4 or images.shape[1] not in (1, 3) or images.numel() == 0:
        raise DataError(f"sheet: expected images [N, 1 or 3, H, W], got shape {list(images.shape)}")
    pixels = placement.to_cpu(images) if images.dtype == torch.uint8 else to_bytes(images)
    pixels = pixels.repeat_interleave(scale, 2).repeat_interleave(scale, 3)
    n, channels, height, width = pixels.shape
    columns = min(columns, n)
    rows = -(-n // columns)
    step_y, step_x = height + padding, width + padding
    canvas = torch.full((channels, rows * step_y + padding, columns * step_x + padding), 255, dtype=torch.uint8)
    for i, image in enumerate(pixels):
        y, x = padding + i // columns * step_y, padding + i % columns * step_x
        canvas[:, y : y + height, x : x + width] = image
    return Image.fromarray(canvas[0].numpy() if channels == 1 else canvas.permute(1, 2, 0).contiguous().numpy())


def caption(image: Picture, lines: Sequence[str]) -> Picture:
    """The picture with lines of text below it, on white.

    The size depends only on the number of lines, so that all frames of a film have one size; long lines are cut off.
    """
    whole = Image.new(image.mode, (image.width, image.height + LINE * len(lines) + 4), PAPER)
    whole.paste(image)
    lines = list(map(show_line, lines))
    draw, font = ImageDraw.Draw(whole), choose_font(lines, LETTERS)
    for row, line in enumerate(lines):
        draw.text((4, image.height + 1 + LINE * row), line, fill=INK, font=font)
    return whole


def name_rows(picture: Picture, names: Sequence[str], most: int = 96) -> Picture:
    """The picture of equally high rows with a name at the left of each, cut off beyond `most` pixels, more in a wide one."""
    names, height = show_names(names), picture.height / len(names)
    size = max(LETTERS, min(_choose_size(picture), round(height)))
    font, most = choose_font(names, size), most * size // LETTERS
    shown = _cut_apart(names, font, most)
    left = 8 + max(round(font.getlength(name)) for name in shown)
    whole = Image.new(picture.mode, (left + picture.width, picture.height), PAPER)
    whole.paste(picture, (left, 0))
    draw = ImageDraw.Draw(whole)
    for row, name in enumerate(shown):
        draw.text((left - 4, height * (row + 0.5)), name, fill=INK, font=font, anchor="rm")
    return whole


def name_columns(picture: Picture, names: Sequence[str]) -> Picture:
    """The picture of equally wide columns with a name above each; names that are too wide are cut off."""
    names, width, size = show_names(names), picture.width / len(names), _choose_size(picture)
    font, line = choose_font(names, size), LINE * size // LETTERS
    whole = Image.new(picture.mode, (picture.width, picture.height + line), PAPER)
    whole.paste(picture, (0, line))
    draw = ImageDraw.Draw(whole)
    for column, name in enumerate(_cut_apart(names, font, width - 4)):
        draw.text((width * (column + 0.5), line / 2), name, fill=INK, font=font, anchor="mm")
    return whole


def _choose_size(picture: Picture) -> int:
    """The height of the letters beside a picture, in pixels."""
    return max(LETTERS, picture.width // ACROSS)


def _cut_apart(names: Sequence[str], font: Font, most: float) -> list[str]:
    """The names in at most `most` pixels each; of long ones that begin alike the beginning is cut off, so that they differ."""
    shown = {name: _cut_off(name, font, most) for name in names}
    for text in set(shown.values()):
        alike = [name for name in shown if shown[name] == text]
        same = os.path.commonprefix(alike) if len(alike) > 1 else ""  # noqa: RUF071 - of any texts, not of paths
        if same and font.getlength("…") < most:
            start = 1 + max(map(same.rfind, " _-")) or len(same)  # from the word in which they differ
            rests = _cut_apart([name[start:] for name in alike], font, most - font.getlength("…"))
            shown |= {name: "…" + rest.removeprefix("…") for name, rest in zip(alike, rests, strict=True)}
    return [shown[name] for name in names]


def _cut_off(text: str, font: Font, most: float) -> str:
    """The text in at most `most` pixels; "…" stands for what is cut off."""
    shown = text
    while shown and font.getlength(shown) > most:
        shown = shown[:-2] + "…" if len(shown) > 1 else ""
    return shown


def arrange_pictures(pictures: Sequence[Picture], columns: int, gap: int = 12) -> Picture:
    """Pictures of any size on white, in rows of `columns`, each at the top left of its cell."""
    rows = [pictures[i : i + columns] for i in range(0, len(pictures), columns)]
    widths = [max(row[j].width for row in rows if j < len(row)) + gap for j in range(len(rows[0]))]
    heights = [max(picture.height for picture in row) + gap for row in rows]
    mode = "RGB" if any(picture.mode != "L" for picture in pictures) else "L"
    whole = Image.new(mode, (sum(widths) - gap, sum(heights) - gap), PAPER)
    for i, row in enumerate(rows):
        for j, picture in enumerate(row):
            whole.paste(picture, (sum(widths[:j]), sum(heights[:i])))
    return whole
