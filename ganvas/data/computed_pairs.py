"""Pairs that are computed from one photograph: by a filter, which a game then learns, or by the bicubic of super-resolution.

A teacher gets a whole photograph and gives the source and the truth. None depends on the place in the picture, so that a
network with a small field can learn it; noise depends on the pixels only, so that every run gets the same. `TEACHERS` are
those of `data.pair` and of `filter:NAME:PHOTOS`; `edges:PHOTOS` gives the edges and the photograph.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from ganvas.data.computed_domains import extract_edges
from ganvas.data.levels import Bytes
from ganvas.errors import UsageError, unknown_name
from ganvas.metrics.resize import shrink

Floats = NDArray[np.floating[Any]]
BICUBICS = {"bicubic-2": 2, "bicubic-4": 4}  # name -> scale
SIDE_BY_SIDE = "side-by-side"  # the setting `data.pair` of pictures that are an input and an output each
GREY = (0.299, 0.587, 0.114)  # of red, green and blue: ITU-R BT.601
STROKE = 4.0  # pixels: sigma of the blur of a sketch
DARK = 4.0  # levels added to both brightnesses of a sketch: without them what is black stays black, and dark noise is drawn
LEVELS, RADIUS = 20, 3  # brightness levels of oil, and the pixels around one that vote for theirs
NOISE = 25.0  # levels of 255: the usual test of denoising, Zhang et al. 2017, arXiv:1608.03981
BLUR, LITTLE = 1.6, 2.0  # pixels and levels: sigma of the blur that is to be undone, and of the noise on it
# Vintage: what each of red, green and blue becomes of them, and the curve of each channel at 0, 64, 128, 192 and 255.
WARM = ((0.82, 0.20, 0.04), (0.08, 0.84, 0.10), (0.10, 0.22, 0.58))
CURVES = ((38, 92, 156, 212, 246), (30, 80, 142, 200, 236), (44, 84, 128, 172, 206))


@dataclass(frozen=True)
class Teacher:
    """A filter. Both functions take and return uint8 [H, W, C]."""

    about: str  # for messages: "pencil drawing"
    truth: Callable[[Bytes], Bytes] = lambda pixels: pixels
    source: Callable[[Bytes], Bytes] = lambda pixels: pixels
    names: tuple[str, str] = ("photo", "filtered")  # what the user calls source and truth

    def make_pair(self, pixels: Bytes) -> tuple[Bytes, Bytes]:
        """A photograph -> its source and its truth."""
        return self.source(pixels), self.truth(pixels)


def to_grey(pixels: Bytes) -> Bytes:
    """uint8 [H, W, C] -> the brightness in every channel, the same shape."""
    return _spread(_brightness(pixels), pixels)


def draw_sketch(pixels: Bytes) -> Bytes:
    """A pencil drawing: the brightness divided by its blurred self ("color dodge"), white where it does not change."""
    grey = _brightness(pixels)
    around = np.asarray(_blur(grey, STROKE)).astype(np.float32)
    return _spread(_to_bytes(255 * (grey.astype(np.float32) + DARK) / (around + DARK)), pixels)


def paint_oil(pixels: Bytes) -> Bytes:
    """Oil: each pixel gets the mean color of those around it that have the commonest of 20 brightness levels."""
    level = _brightness(pixels).astype(np.int32) * LEVELS // 256
    most = np.zeros(level.shape, np.int32)
    color = np.zeros(pixels.shape, np.float32)
    for k in range(LEVELS):
        here = level == k
        if not here.any():
            continue
        count = _box_sum(here.astype(np.int64))
        total = _box_sum(np.where(here[..., None], pixels, 0).astype(np.int64))
        wins = count > most  # of two equal ones the darker
        color[wins] = total[wins] / count[wins, None]
        most[wins] = count[wins]
    return _to_bytes(color)


def age(pixels: Bytes) -> Bytes:
    """An old print: warm colors and lifted black. It has no dark corners and no grain: those depend on place and chance."""
    rgb = np.repeat(pixels, 3, 2) if pixels.shape[2] == 1 else pixels
    mixed = _to_bytes(rgb.astype(np.float32) @ np.array(WARM, np.float32).T)
    steps = np.arange(256)
    tables = [_to_bytes(np.interp(steps, (0, 64, 128, 192, 255), curve).astype(np.float32)) for curve in CURVES]
    aged = np.stack([table[mixed[..., k]] for k, table in enumerate(tables)], 2)
    return to_grey(aged)[..., :1] if pixels.shape[2] == 1 else aged


def add_noise(pixels: Bytes, sigma: float = NOISE) -> Bytes:
    """Normal noise of `sigma` levels, drawn from a seed that is a hash of the pixels."""
    seed = int.from_bytes(hashlib.sha256(pixels.tobytes()).digest()[:8], "little")
    noise = np.random.default_rng(seed).standard_normal(pixels.shape, np.float32)
    return _to_bytes(pixels + np.float32(sigma) * noise)


def blur(pixels: Bytes) -> Bytes:
    """Out of focus, with a little noise, without which the blur could be undone exactly."""
    return add_noise(np.stack([np.asarray(_blur(pixels[..., k], BLUR)) for k in range(pixels.shape[2])], 2), LITTLE)


def find_edges(pixels: Bytes) -> Bytes:
    """The edges of `computed_domains`: the brightest neighbor minus the pixel."""
    return np.ascontiguousarray(extract_edges(pixels.transpose(2, 0, 1)).transpose(1, 2, 0))


TEACHERS: Mapping[str, Teacher] = {
    "sketch": Teacher("pencil drawing", truth=draw_sketch, names=("photo", "sketch")),
    "oil": Teacher("oil painting", truth=paint_oil, names=("photo", "oil")),
    "vintage": Teacher("old print", truth=age, names=("photo", "vintage")),
    "denoise": Teacher("less noise", source=add_noise, names=("noisy", "clean")),
    "deblur": Teacher("less blur", source=blur, names=("blurred", "sharp")),
    "colourise": Teacher("color for grey pictures", source=to_grey, names=("grey", "color")),
    "edges": Teacher("photographs from edges", source=find_edges, names=("edges", "photo")),
}


def find_teacher(name: str) -> Teacher:
    """A teacher by its name.

    Raises:
        UsageError: there is none of this name, or it is that of a bicubic reduction.
    """
    if name in BICUBICS:
        raise UsageError(f"data.pair={name} is for super-resolution: choose sr-photos, or a filter: {', '.join(TEACHERS)}")
    if name not in TEACHERS:
        raise unknown_name("filter", name, (*TEACHERS, *BICUBICS))
    return TEACHERS[name]


def require_pair(name: str) -> None:
    """Raises: UsageError: `name` is no filter and no bicubic reduction, as `data.pair` names them."""
    known = (*TEACHERS, *BICUBICS)
    if name not in known:
        raise unknown_name("filter", name, (*known, SIDE_BY_SIDE))


def bicubic_scale(name: str, side: int) -> int:
    """The scale of the setting `data.pair` for super-resolution: "bicubic-4" is 4.

    Raises:
        UsageError: it is no such name, or `side` pixels are no multiple of the scale.
    """
    if name not in BICUBICS:
        raise UsageError(f"data.pair: expected {' or '.join(BICUBICS)} for super-resolution, found {name!r}; choose one")
    scale = BICUBICS[name]
    if side % scale:
        raise UsageError(f"data.pair={name}: {side} pixels are no multiple of {scale}; choose another config.resolution")
    return scale


def shrink_picture(pixels: Bytes, scale: int) -> Bytes:
    """uint8 [H, W, C] -> [H // scale, W // scale, C] by `metrics.resize.shrink`: the one bicubic of data and measures."""
    small = shrink(torch.from_numpy(np.array(pixels.transpose(2, 0, 1), order="C"))[None], scale)[0]
    return small.permute(1, 2, 0).numpy()


def _brightness(pixels: Bytes) -> Bytes:
    """uint8 [H, W, C] -> [H, W]."""
    if pixels.shape[2] == 1:
        return pixels[..., 0]
    return _to_bytes(pixels.astype(np.float32) @ np.array(GREY, np.float32))


def _spread(grey: Bytes, like: Bytes) -> Bytes:
    """[H, W] -> [H, W, C] with as many channels as `like`."""
    return np.repeat(grey[..., None], like.shape[2], 2)


def _blur(channel: Bytes, sigma: float) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(channel)).filter(ImageFilter.GaussianBlur(sigma))


def _box_sum(x: NDArray[np.int64]) -> NDArray[np.int64]:
    """The sums over squares of 2 RADIUS + 1 pixels around each; there is nothing outside."""
    padded = np.pad(x, [(RADIUS + 1, RADIUS), (RADIUS + 1, RADIUS), *[(0, 0)] * (x.ndim - 2)])
    sums = padded.cumsum(0).cumsum(1)
    size = 2 * RADIUS + 1
    result: NDArray[np.int64] = sums[size:, size:] - sums[:-size, size:] - sums[size:, :-size] + sums[:-size, :-size]
    return result


def _to_bytes(x: Floats) -> Bytes:
    return np.rint(x).clip(0, 255).astype(np.uint8)
