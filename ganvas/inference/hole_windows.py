"""Windows around holes, and holes larger than those of the training: a large picture costs what its holes cost.

A window holds one hole and some of the picture around it. A hole that is thicker than those of the training is filled at half
the size first; then its inner part counts as known, and only a ring along its rim is filled anew. So at every size a network
gets holes as it knows them, and what it cannot know, the middle of a large hole, is soft and not noise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ganvas.inference.holes import Hole
from ganvas.metrics.resize import enlarge_unchecked

Fill = Callable[[Tensor, Tensor], Tensor]  # image [1, C, H, W], mask [1, 1, H, W] -> image with its hole filled
CELL = 16  # pixels: holes that are nearer to each other than this share a window
CONTEXT = 128  # pixels around a hole that a window shows
SMALLEST = 16  # pixels: a picture with a shorter side is not halved
MOST = 4_000_000  # pixels of a window that is filled at its full size


class Window(NamedTuple):
    """A part of a picture, and the pixels of it that are filled."""

    rows: slice
    columns: slice
    hole: Hole  # within the window: the pixels of its own holes, not those of others that reach into it


def list_windows(hole: Hole, context: int = CONTEXT) -> list[Window]:
    """Windows whose holes are together the whole hole, each pixel in one of them."""
    numbers = _number_parts(hole)
    windows = []
    for part in range(1, int(numbers.max()) + 1):
        own = hole & (numbers == part)
        rows, columns = (_reach(own.any(axis), context) for axis in (1, 0))
        windows.append(Window(rows, columns, own[rows, columns]))
    if sum(each.hole.size for each in windows) < hole.size:
        return windows
    return [Window(slice(0, hole.shape[0]), slice(0, hole.shape[1]), hole)]


def _reach(used: Hole, context: int) -> slice:
    places = np.flatnonzero(used)
    return slice(max(0, int(places[0]) - context), min(len(used), int(places[-1]) + 1 + context))


def _number_parts(hole: Hole) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """The number of its part for each pixel: 0 outside of all; parts are connected by squares of `CELL` pixels that touch."""
    height, width = hole.shape
    more = ((0, -height % CELL), (0, -width % CELL))
    cells = np.pad(hole, more).reshape((height + more[0][1]) // CELL, CELL, -1, CELL).any((1, 3))
    numbers, count = np.zeros(cells.shape, np.int64), 0
    for start in zip(*np.nonzero(cells), strict=True):
        if numbers[start]:
            continue
        count += 1
        numbers[start] = count
        waiting = [start]
        while waiting:
            y, x = waiting.pop()
            around = (slice(max(0, y - 1), y + 2), slice(max(0, x - 1), x + 2))
            for dy, dx in zip(*np.nonzero(cells[around] & (numbers[around] == 0)), strict=True):
                place = around[0].start + dy, around[1].start + dx
                numbers[place] = count
                waiting.append(place)
    return np.kron(numbers, np.ones((CELL, CELL), np.int64))[:height, :width]


def fill_any_hole(fill: Fill, image: Tensor, mask: Tensor, radius: int) -> Tensor:
    """image [1, C, H, W], mask [1, 1, H, W] -> the image with its hole filled; outside it keeps its values.

    `radius`: pixels from the rim to the middle of the thickest hole that `fill` knows.
    """
    height, width = image.shape[-2:]
    core, large = shrink_hole(mask, radius), height * width > MOST
    if not (large or bool(core.any())) or min(height, width) < 2 * SMALLEST:
        return torch.where(mask > 0, fill(image, mask), image)
    known = F.avg_pool2d(1 - mask, 2, ceil_mode=True)
    half = F.avg_pool2d(image * (1 - mask), 2, ceil_mode=True) / known.clamp(min=1e-6)
    rough = enlarge_unchecked(fill_any_hole(fill, half, (known == 0).to(mask), radius), 2)[..., :height, :width]
    if large:
        return torch.where(mask > 0, rough, image)
    ring = mask - core
    inside = torch.where(core > 0, rough, image)
    return torch.where(ring > 0, fill(inside, ring), inside)


def shrink_hole(mask: Tensor, radius: int) -> Tensor:
    """mask [1, 1, H, W] -> the pixels of it that are more than `radius` away from the picture outside, as a chess king moves.

    Beyond the edge of the picture there is nothing to go by, so the edge is no rim.
    """
    reached = 1 - mask
    for _ in range(radius):
        reached = F.max_pool2d(reached, 3, 1, 1)
    return 1 - reached
