"""Pictures of samples: contact sheets, scatter plots, captions, PNG with its provenance, animations that loop."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageDraw, ImageFont, PngImagePlugin
from torch import Tensor

from ganvas.core import devices
from ganvas.errors import DataError, UsageError
from ganvas.files import write_durably

Picture = Image.Image
Array = npt.NDArray[np.floating[Any]]

PAPER, INK = "white", "#282828"
REAL, FAKE = (27, 158, 119, 150), (117, 112, 179, 150)  # green, purple: apart for colour-blind eyes too; translucent
BINS = 48  # of a histogram
COLOURS = 256  # of a GIF's palette
LINE = 16  # pixels of a caption's line
FINE = 3  # plots are drawn this much larger, then averaged: smooth edges


def to_bytes(images: Tensor) -> Tensor:
    """images [N, C, H, W] in [-1, 1] -> uint8 on the CPU: -1 is 0, 1 is 255, in between rounded, beyond cut.

    Raises:
        DataError: there is a NaN.
    """
    levels = (devices.to_cpu(images.detach().float()) + 1) * 127.5
    if levels.isnan().any():
        raise DataError("the images hold NaN: the model has diverged")
    return levels.clamp(0, 255).round().to(torch.uint8)


def png_name(out: str | Path, what: str = "a sheet") -> Path:
    """The file to write `what` to. Raises: UsageError: its name does not end in .png."""
    path = Path(out)
    if path.suffix.lower() != ".png":
        raise UsageError(f"cannot write {what} to {path.name!r}: expected a name ending in .png")
    return path


def legible_scale(resolution: int) -> int:
    """The whole factor that brings an image of `resolution` pixels to about 64 on the screen: 2 for 28."""
    return max(1, round(64 / resolution))


def sheet(images: Tensor, columns: int, scale: int = 1, padding: int = 2) -> Picture:
    """images [N, C, H, W], uint8 or in [-1, 1], C 1 or 3 -> one picture, row by row, on white.

    Each pixel becomes `scale` x `scale`; `padding` pixels lie round every image.

    Raises:
        UsageError: fewer than one column, a scale below 1 or a padding below 0.
        DataError: no image, or not grey or colour images.
    """
    if columns < 1 or scale < 1 or padding < 0:
        raise UsageError(f"sheet: expected columns and scale >= 1, padding >= 0, got {columns}, {scale}, {padding}")
    if images.ndim != 4 or images.shape[1] not in (1, 3) or images.numel() == 0:
        raise DataError(f"sheet: expected images [N, 1 or 3, H, W], got shape {list(images.shape)}")
    pixels = devices.to_cpu(images) if images.dtype == torch.uint8 else to_bytes(images)
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
    """The picture with a white strip of text below it, one row a line.

    The size depends on the number of lines only, so that the frames of a film agree: what is too long is cut off.
    """
    whole = Image.new(image.mode, (image.width, image.height + LINE * len(lines) + 4), PAPER)
    whole.paste(image)
    draw, font = ImageDraw.Draw(whole), ImageFont.load_default(12)
    for row, line in enumerate(lines):
        draw.text((4, image.height + 1 + LINE * row), line, fill=INK, font=font)
    return whole


def arranged(pictures: Sequence[Picture], columns: int, gap: int = 12) -> Picture:
    """Pictures of any sizes on white, in rows of `columns`, each at the left and top of its place."""
    rows = [pictures[i : i + columns] for i in range(0, len(pictures), columns)]
    widths = [max(row[j].width for row in rows if j < len(row)) + gap for j in range(len(rows[0]))]
    heights = [max(picture.height for picture in row) + gap for row in rows]
    mode = "RGB" if any(picture.mode != "L" for picture in pictures) else "L"
    whole = Image.new(mode, (sum(widths) - gap, sum(heights) - gap), PAPER)
    for i, row in enumerate(rows):
        for j, picture in enumerate(row):
            whole.paste(picture, (sum(widths[:j]), sum(heights[:i])))
    return whole


def scatter(real: Tensor, fake: Tensor, size: int = 256, bounds: tuple[float, float] | None = None) -> Picture:
    """Samples of the data and of the model in one picture of `size` x `size`, data units on both axes alike.

    real, fake [N, D], of which the first two dimensions are drawn: green circles and purple triangles. [N, 1] or [N]: a
    green area and a purple outline, the share of samples in each of 48 bins. `bounds` is (low, high) of every axis, by
    default the reals' with a margin: what lies outside is not drawn, so that the frames of a film agree. Without any real
    sample, the fakes stand alone.

    Raises:
        DataError: other shapes, no sample at all, or samples that are not finite.
        UsageError: bounds that enclose nothing.
    """
    of_data, of_model = (points.detach().float().cpu().unsqueeze(-1).flatten(1).numpy() for points in (real, fake))
    if len(of_data) + len(of_model) == 0 or not of_data.shape[1] or of_data.shape[1] != of_model.shape[1]:
        raise DataError(f"scatter: expected samples [N, D] of one D, got {list(real.shape)} and {list(fake.shape)}")
    of_data, of_model = of_data[:, :2], of_model[:, :2]
    if not (np.isfinite(of_data).all() and np.isfinite(of_model).all()):
        raise DataError("the samples are not finite: the model has diverged")
    low, high = bounds or _around(of_data if len(of_data) else of_model)
    if not low < high:
        raise UsageError(f"scatter: expected bounds (low, high) with low < high, got {bounds}")
    fine = size * FINE
    canvas = Image.new("RGB", (fine, fine), PAPER)
    if of_data.shape[1] == 1:
        _draw_histograms(canvas, of_data, of_model, (low, high))
    else:
        for points, marker in ((of_data, "circle"), (of_model, "triangle")):
            places = (points - low) / (high - low)
            _draw_points(canvas, places[((places >= 0) & (places <= 1)).all(1)] * fine, len(points), marker)
    return canvas.resize((size, size), Image.Resampling.BOX)


def _around(points: Array) -> tuple[float, float]:
    """The interval that holds every coordinate, with a tenth of its length to spare on each side."""
    low, high = float(points.min()), float(points.max())
    margin = 0.1 * (high - low) or 1.0
    return low - margin, high + margin


def _draw_points(canvas: Picture, places: Array, crowd: int, marker: str) -> None:
    """Markers at places [N, 2] in pixels, y upwards; the larger the crowd, the smaller."""
    draw, r = ImageDraw.Draw(canvas, "RGBA"), canvas.width * min(1 / 90, 0.35 / max(1, crowd) ** 0.5)
    for x, y in zip(places[:, 0].tolist(), (canvas.height - places[:, 1]).tolist(), strict=True):
        if marker == "circle":
            draw.ellipse((x - r, y - r, x + r, y + r), fill=REAL)
        else:
            draw.polygon([(x, y - 1.3 * r), (x - 1.15 * r, y + 0.7 * r), (x + 1.15 * r, y + 0.7 * r)], fill=FAKE)


def _draw_histograms(canvas: Picture, real: Array, fake: Array, bounds: tuple[float, float]) -> None:
    """The share of samples in each bin; the reals, where there are any, set the height: no jumps in a film."""
    shares = [np.histogram(points, BINS, bounds)[0] / max(1, len(points)) for points in (real, fake)]
    top = 1.25 * (shares[0].max() or shares[1].max()) or 1.0
    outlines = []
    for share in shares:
        heights = np.concatenate([[0], np.repeat(np.minimum(share / top, 1), 2), [0]])
        edges = np.repeat(np.arange(BINS + 1) / BINS, 2)
        outlines.append(list(zip(edges * canvas.width, (1 - heights) * (canvas.height - 1), strict=True)))
    draw = ImageDraw.Draw(canvas)
    draw.polygon(outlines[0], fill=REAL[:3])
    draw.line(outlines[1], fill=FAKE[:3], width=2 * FINE)


def save_png(path: str | Path, image: Picture, text: Mapping[str, str]) -> None:
    """Write a PNG that carries `text`: the recipe, the seed, the model, and that it is synthetic. All of it or nothing.

    Raises:
        ResourceError: the disk refused.
    """
    file = io.BytesIO()
    image.save(file, "PNG", pnginfo=_png_text(text), optimize=True)
    write_durably(Path(path), file.getvalue())


def save_gif(path: str | Path, frames: Sequence[Picture], milliseconds: int, text: Mapping[str, str] | None = None) -> None:
    """Write an animation that repeats for ever, `milliseconds` a frame: a GIF, or an animated PNG for .png and .apng.

    A GIF has one palette for all frames and no dithering, so nothing flickers: exact up to 256 colours, hence in grey.
    Its clock ticks in 10 ms, and browsers slow down what is under 20 ms: the time is rounded to that.

    Raises:
        UsageError: another suffix, or no positive time.
        DataError: no frame, or frames of different sizes.
        ResourceError: the disk refused.
    """
    path, file, text = Path(path), io.BytesIO(), text or {}
    if path.suffix.lower() not in (".gif", ".png", ".apng"):
        raise UsageError(f"{path}: expected a name that ends in .gif, .png or .apng")
    if milliseconds <= 0:
        raise UsageError(f"milliseconds: expected more than 0, got {milliseconds}")
    if len({frame.size for frame in frames}) != 1:
        raise DataError(f"an animation needs frames of one size, got {sorted({frame.size for frame in frames})}")
    if path.suffix.lower() == ".gif":
        first, *others = _with_one_palette([frame.convert("RGB") for frame in frames])
        ticks, note = max(2, round(milliseconds / 10)), json.dumps(text).encode() if text else b""
        first.save(file, "GIF", save_all=True, append_images=others, duration=10 * ticks, loop=0, optimize=False, comment=note)
    else:
        first, *others = frames
        chunks = _png_text(text)
        first.save(file, "PNG", save_all=True, append_images=others, duration=milliseconds, loop=0, pnginfo=chunks)
    write_durably(path, file.getvalue())


def _png_text(text: Mapping[str, str]) -> PngImagePlugin.PngInfo:
    chunks = PngImagePlugin.PngInfo()
    for key, value in text.items():
        chunks.add_text(key, value)
    return chunks


def _with_one_palette(frames: Sequence[Picture]) -> list[Picture]:
    """RGB frames -> frames with one palette: their very colours where these are few enough, else the median cut of all."""
    pixels = np.stack([np.asarray(frame) for frame in frames])
    codes = pixels.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)
    colours = np.empty(0, np.uint32)
    for code in codes:
        colours = np.union1d(colours, code)
        if len(colours) > COLOURS:
            every = pixels.reshape(1, -1, 3)
            palette = Image.fromarray(every[:, :: 1 + every.shape[1] // 2**20]).quantize(COLOURS, Image.Quantize.MEDIANCUT)
            return [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    table = np.stack([colours >> 16, colours >> 8 & 255, colours & 255], 1).astype(np.uint8).tobytes()
    indexed = [Image.fromarray(np.searchsorted(colours, code).astype(np.uint8)) for code in codes]
    for frame in indexed:
        frame.putpalette(table)
    return indexed
