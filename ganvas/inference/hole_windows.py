"""Windows around holes: a large picture costs what its holes cost. A window has one hole and some of the picture around it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ganvas.inference.holes import Hole

CELL = 16  # pixels: holes that are nearer to each other than this share a window
CONTEXT = 128  # pixels around a hole that a window shows


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


def _number_parts(hole: Hole) -> npt.NDArray[np.int64]:
    """The number of its part for each pixel: 0 outside of all; parts are connected by squares of `CELL` pixels that touch."""
    height, width = hole.shape
    more = ((0, -height % CELL), (0, -width % CELL))
    cells: Hole = np.asarray(np.pad(hole, more).reshape((height + more[0][1]) // CELL, CELL, -1, CELL).any((1, 3)))
    numbers: npt.NDArray[np.int64] = np.zeros(cells.shape, np.int64)
    count = 0
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
