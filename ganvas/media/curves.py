"""Line plots of values over the number of training images, with a legend."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from PIL import Image, ImageDraw, ImageFont

from ganvas.errors import DataError, UsageError
from ganvas.media.image_files import INK, PAPER, Picture
from ganvas.media.palette import LINE_COLORS
from ganvas.media.scatter import FINE

LEFT, TOP, BOTTOM, LINE = 52, 22, 20, 15  # pixels round the curves, and of a line of the legend
FAINT = "#dddddd"
Points = Sequence[tuple[float, float]]


def draw_curves(
    series: Mapping[str, Points], title: str, *, size: tuple[int, int] = (480, 200), log: bool = False, smooth: float = 0.03
) -> Picture:
    """Named curves of (images, value) in one frame of `size`, with a legend below it; x starts at 0, y has the range of all.

    With `log` the y axis is logarithmic, and values that are not above 0 are left out. `smooth` is the width of the running
    mean, as a share of the curve. Values that are not finite are left out.

    Raises:
        UsageError: more curves than colors.
        DataError: nothing to draw.
    """
    if len(series) > len(LINE_COLORS):
        raise UsageError(f"curves: expected at most {len(LINE_COLORS)}, got {len(series)}")
    drawn = [_smooth(_keep_drawable(points, log), smooth) for points in series.values()]
    every = [point for points in drawn for point in points]
    if not every:
        raise DataError(f"curves: nothing to draw for {title!r}: expected finite values{' above 0' if log else ''}")
    right, (low, high) = max(x for x, _ in every) or 1.0, _range([y for _, y in every])
    ticks = _ticks(low, high, log)
    width, height = size
    wide, tall = width - LEFT - 8, height - TOP - BOTTOM
    legend = _legend(list(series), width)
    canvas = Image.new("RGB", (width, height + LINE * (1 + legend[-1][1]) + 4), PAPER)
    canvas.paste(
        _plot(
            [[(x / right, (y - low) / (high - low)) for x, y in points] for points in drawn],
            [(value - low) / (high - low) for value, _ in ticks],
            (wide, tall),
        ),
        (LEFT, TOP),
    )
    draw, font = ImageDraw.Draw(canvas), ImageFont.load_default(11)
    draw.text((LEFT, 4), title, fill=INK, font=font)
    for value, text in ticks:
        draw.text((LEFT - 6, TOP + tall * (1 - (value - low) / (high - low))), text, fill=INK, font=font, anchor="rm")
    draw.text((LEFT, height - 4), "0", fill=INK, font=font, anchor="ls")
    draw.text((LEFT + wide, height - 4), f"{right:,.0f} images", fill=INK, font=font, anchor="rs")
    for (x, row, name), color in zip(legend, LINE_COLORS, strict=False):
        y = height + LINE * row + LINE // 2
        draw.line((x, y, x + 16, y), fill=color, width=3)
        draw.text((x + 21, y), name, fill=INK, font=font, anchor="lm")
    return canvas


def _keep_drawable(points: Points, log: bool) -> list[tuple[float, float]]:
    """The finite points; on a logarithmic scale those above 0, by their power of ten."""
    finite = [(x, y) for x, y in points if math.isfinite(x) and math.isfinite(y)]
    return [(x, math.log10(y)) for x, y in finite if y > 0] if log else finite


def _smooth(points: list[tuple[float, float]], share: float) -> list[tuple[float, float]]:
    """The running mean over `share` of the points, half of them on each side."""
    half = int(share * len(points) / 2)
    windows = [points[max(0, i - half) : i + half + 1] for i in range(len(points))]
    return [(x, sum(y for _, y in window) / len(window)) for (x, _), window in zip(points, windows, strict=True)]


def _range(values: list[float]) -> tuple[float, float]:
    """The range of all values, with a margin of a twentieth on each side."""
    low, high = min(values), max(values)
    margin = 0.05 * (high - low) or 0.5
    return low - margin, high + margin


def _ticks(low: float, high: float, log: bool) -> list[tuple[float, str]]:
    """About four round values in [low, high], with their text; on a logarithmic scale 1, 10, 100 or 1, 2, 5, 10."""
    if log:
        whole = range(math.floor(low), math.ceil(high) + 1)
        finer = [(1,), (1, 2, 5)][high - low < 2]
        values = [math.log10(factor) + power for power in whole for factor in finer]
        return [(value, f"{10**value:.3g}") for value in values if low <= value <= high]
    step = 10.0 ** math.floor(math.log10((high - low) / 2))
    step = next(step * factor for factor in (1, 2, 5, 10) if (high - low) / (step * factor) <= 5)
    found = [i * step for i in range(math.ceil(low / step), math.floor(high / step) + 1)]
    return [(value, f"{round(value, 9):.3g}") for value in found]


def _legend(names: list[str], width: int) -> list[tuple[int, int, str]]:
    """The position of each name in the legend: x, row, name; as many in a row as fit."""
    font, places, x, row = ImageFont.load_default(11), [], LEFT, 0
    for name in names:
        room = 21 + int(font.getlength(name)) + 14
        if x > LEFT and x + room > width:
            x, row = LEFT, row + 1
        places.append((x, row, name))
        x += room
    return places


def _plot(lines: list[list[tuple[float, float]]], levels: list[float], size: tuple[int, int]) -> Picture:
    """Lines and grid, coordinates in [0, 1] with y upwards, drawn at a higher resolution and downsampled."""
    wide, tall = size[0] * FINE, size[1] * FINE
    canvas = Image.new("RGB", (wide, tall), PAPER)
    draw = ImageDraw.Draw(canvas)
    for level in levels:
        draw.line((0, (1 - level) * (tall - 1), wide, (1 - level) * (tall - 1)), fill=FAINT, width=FINE)
    for points, color in zip(lines, LINE_COLORS, strict=False):
        places = [(x * (wide - 1), (1 - y) * (tall - 1)) for x, y in points]
        if len(places) > 1:
            draw.line(places, fill=color, width=2 * FINE, joint="curve")
        elif places:
            (x, y), r = places[0], 2 * FINE
            draw.ellipse((x - r, y - r, x + r, y + r), fill=color)
    draw.line([(0, 0), (0, tall - 1), (wide, tall - 1)], fill=INK, width=FINE)
    return canvas.resize(size, Image.Resampling.BOX)
