"""Scatter plots and histograms of real and generated points."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw
from torch import Tensor

from ganvas.errors import DataError, UsageError
from ganvas.media.image_files import PAPER, Array, Picture

REAL, FAKE = (27, 158, 119, 150), (117, 112, 179, 150)  # green, purple; different for color blindness too; translucent
BINS = 48  # of a histogram
FINE = 3  # plots are drawn larger by this factor, then averaged: smooth edges


def scatter(real: Tensor, fake: Tensor, size: int = 256, bounds: tuple[float, float] | None = None) -> Picture:
    """Samples of the data and of the model in one picture of `size` x `size`, with the same scale on both axes.

    real, fake [N, D]: the first two dimensions, as green circles and purple triangles. [N, 1] or [N]: a green area and a
    purple line, the share of samples in each of 48 bins. `bounds` is (low, high) of every axis, by default that of the reals
    with a margin; samples outside are not drawn, so that all frames of a film have the same axes. Without real samples only
    the fakes are drawn.

    Raises:
        DataError: other shapes, no sample at all, or samples that are not finite.
        UsageError: low is not below high.
    """
    of_data, of_model = (points.detach().float().cpu().unsqueeze(-1).flatten(1).numpy() for points in (real, fake))
    if len(of_data) + len(of_model) == 0 or not of_data.shape[1] or of_data.shape[1] != of_model.shape[1]:
        raise DataError(f"scatter: expected samples [N, D] of one D, got {list(real.shape)} and {list(fake.shape)}")
    of_data, of_model = of_data[:, :2], of_model[:, :2]
    if not (np.isfinite(of_data).all() and np.isfinite(of_model).all()):
        raise DataError("the samples are not finite: the model has diverged")
    low, high = bounds or _range_with_margin(of_data if len(of_data) else of_model)
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


def _range_with_margin(points: Array) -> tuple[float, float]:
    """The range of all coordinates, with a margin of a tenth on each side."""
    low, high = float(points.min()), float(points.max())
    margin = 0.1 * (high - low) or 1.0
    return low - margin, high + margin


def _draw_points(canvas: Picture, places: Array, crowd: int, marker: str) -> None:
    """Markers at places [N, 2] in pixels, y upwards; smaller if there are many (`crowd`)."""
    draw, r = ImageDraw.Draw(canvas, "RGBA"), canvas.width * min(1 / 90, 0.35 / max(1, crowd) ** 0.5)
    for x, y in zip(places[:, 0].tolist(), (canvas.height - places[:, 1]).tolist(), strict=True):
        if marker == "circle":
            draw.ellipse((x - r, y - r, x + r, y + r), fill=REAL)
        else:
            draw.polygon([(x, y - 1.3 * r), (x - 1.15 * r, y + 0.7 * r), (x + 1.15 * r, y + 0.7 * r)], fill=FAKE)


def _draw_histograms(canvas: Picture, real: Array, fake: Array, bounds: tuple[float, float]) -> None:
    """The share of samples in each bin; reals, if there are any, decide the height, so that films have a constant scale."""
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
