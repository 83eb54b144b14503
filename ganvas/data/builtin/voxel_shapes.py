"""Built-in voxel shapes: chairs, tables, lamps and planes with random proportions, on a grid of 32^3 voxels.

A solid is bool [32, 32, 32]: depth (front to back), height (the first row is the top), width. It stands on the ground, is
one connected component and at least two voxels thick. Solid i of a split is a function of (split, i).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

import numpy as np
import torch
from numpy.typing import NDArray

from ganvas.data import cache
from ganvas.data.table import TableDataset
from ganvas.errors import DataError
from ganvas.utils.seeds import mix

Grid = NDArray[np.bool_]
Random = np.random.Generator

SIDE = 32
COUNTS = {"train": 4_800, "test": 800}
VERSION = 1  # increase it when a solid changes
_d, _h, _w = np.mgrid[:SIDE, :SIDE, :SIDE] + 0.5  # the centres of the voxels


def _fill_box(grid: Grid, depth: tuple[int, int], height: tuple[int, int], width: tuple[int, int]) -> None:
    """Fill a box; each range is half-open."""
    grid[slice(*depth), slice(*height), slice(*width)] = True


def _central_range(size: int) -> tuple[int, int]:
    """The range of `size` voxels at the centre of an axis."""
    first = (SIDE - size) // 2
    return first, first + size


def _fill_frustum(grid: Grid, height: tuple[int, int], low: float, high: float) -> None:
    """Fill a frustum around the vertical axis, with radius `high` at its top and `low` at its bottom."""
    share = (_h - height[0]) / max(1, height[1] - height[0])
    reach = np.hypot(_d - SIDE / 2, _w - SIDE / 2) <= high + (low - high) * share
    grid |= reach & (_h > height[0]) & (_h < height[1])


def _add_legs(grid: Grid, top: int, depth: tuple[int, int], width: tuple[int, int], thick: int) -> None:
    """Four legs at the corners, from `top` to the ground."""
    for d in (depth[0], depth[1] - thick):
        for w in (width[0], width[1] - thick):
            _fill_box(grid, (d, d + thick), (top, SIDE), (w, w + thick))


def _add_foot(grid: Grid, top: int, random: Random, reach: int) -> None:
    """One column in the centre, on a cross or a disc."""
    thick = int(random.integers(2, 5))
    _fill_box(grid, _central_range(thick), (top, SIDE), _central_range(thick))
    if random.random() < 0.5:
        _fill_frustum(grid, (SIDE - 2, SIDE), reach * 0.7, reach * 0.7)
    else:
        _fill_box(grid, _central_range(reach), (SIDE - 2, SIDE), _central_range(2))
        _fill_box(grid, _central_range(2), (SIDE - 2, SIDE), _central_range(reach))


def make_chair(random: Random) -> Grid:
    """A seat with a back, on four legs or one foot, sometimes with arms."""
    grid = np.zeros((SIDE,) * 3, bool)
    depth, width = _central_range(int(random.integers(13, 21))), _central_range(int(random.integers(13, 21)))
    seat = SIDE - int(random.integers(9, 15))
    back = max(1, seat - int(random.integers(9, 17)))
    thick = int(random.integers(2, 4))
    _fill_box(grid, depth, (seat, seat + thick), width)
    rear = (depth[1] - thick, depth[1])
    if random.random() < 0.6:
        _fill_box(grid, rear, (back, seat), width)
    else:  # bars under a rail
        _fill_box(grid, rear, (back, back + 3), width)
        for w in np.linspace(width[0], width[1] - 2, int(random.integers(3, 5))).round().astype(int):
            _fill_box(grid, rear, (back, seat), (w, w + 2))
    if random.random() < 0.8:
        _add_legs(grid, seat, depth, width, thick)
    else:
        _add_foot(grid, seat, random, depth[1] - depth[0])
    if random.random() < 0.35:
        rest = seat - int(random.integers(4, 7))
        for w in (width[0], width[1] - 2):
            _fill_box(grid, (depth[0], depth[1]), (rest, rest + 2), (w, w + 2))
            _fill_box(grid, (depth[0], depth[0] + 2), (rest, seat), (w, w + 2))
    return grid


def make_table(random: Random) -> Grid:
    """A top, round or square, on four legs, two walls or one foot."""
    grid = np.zeros((SIDE,) * 3, bool)
    depth, width = _central_range(int(random.integers(14, 27))), _central_range(int(random.integers(20, 31)))
    top, thick = SIDE - int(random.integers(11, 20)), int(random.integers(2, 4))
    kind = random.random()
    if kind < 0.3:
        radius = random.uniform(9, 15)
        _fill_frustum(grid, (top, top + thick), radius, radius)
        _add_foot(grid, top, random, int(radius * 1.5))
        return grid
    _fill_box(grid, depth, (top, top + thick), width)
    if kind < 0.8:
        _add_legs(grid, top, depth, width, int(random.integers(2, 5)))
        if random.random() < 0.3:  # a shelf
            shelf = top + int(random.integers(5, 9))
            _fill_box(grid, depth, (shelf, shelf + 2), width)
    else:
        wall = int(random.integers(2, 4))
        for w in (width[0], width[1] - wall):
            _fill_box(grid, depth, (top, SIDE), (w, w + wall))
    return grid


def make_lamp(random: Random) -> Grid:
    """A shade on a pole on a disc."""
    grid = np.zeros((SIDE,) * 3, bool)
    top = int(random.integers(1, 11))
    shade = int(random.integers(7, 12))
    low = random.uniform(5.5, 10.5)
    _fill_frustum(grid, (top, top + shade), low, low * random.uniform(0.35, 0.9))
    thick = int(random.integers(1, 3)) * 2
    _fill_box(grid, _central_range(thick), (top, SIDE), _central_range(thick))
    disc = random.uniform(4, 8)
    _fill_frustum(grid, (SIDE - int(random.integers(2, 4)), SIDE), disc, disc * random.uniform(0.5, 1.0))
    if random.random() < 0.3:  # a bulge half-way
        height = int(random.integers(top + shade + 1, SIDE - 4))
        centre = (_d - SIDE / 2) ** 2 + (_h - height) ** 2 + (_w - SIDE / 2) ** 2
        grid |= centre <= random.uniform(2.5, 4.5) ** 2
    return grid


def make_plane(random: Random) -> Grid:
    """A fuselage along the depth, wings swept back, a tail with a fin. Its nose is in front."""
    grid = np.zeros((SIDE,) * 3, bool)
    radius, length = random.uniform(1.8, 3.2), int(random.integers(22, 31))
    nose, tail = _central_range(length)
    height = SIDE / 2 + random.uniform(-1, 3)
    along = (_d - nose) / length
    slim = radius * np.clip(np.minimum(along / 0.15, 1.6 - along), 0.45, 1.0)
    grid |= (np.hypot(_h - height, _w - SIDE / 2) <= slim) & (_d > nose) & (_d < tail)
    out = np.abs(_w - SIDE / 2)

    def wing(at: float, chord: float, span: float, sweep: float, middle: float) -> None:
        share = out / span
        front = at + sweep * share
        deep = chord * (1 - 0.5 * share)
        flat = np.abs(_h - middle) <= 1.0
        nonlocal grid
        grid |= flat & (share <= 1) & (_d >= front) & (_d <= front + deep)

    level = round(height)
    span = random.uniform(10, 15.5)
    wing(nose + length * random.uniform(0.25, 0.4), random.uniform(5, 8), span, random.uniform(0, 8), level)
    wing(tail - 5, 4.5, span * random.uniform(0.35, 0.5), random.uniform(0, 2), level)
    fin = random.uniform(5, 9)
    rise = (height - _h) / fin
    grid |= (out <= 1.0) & (rise >= 0) & (rise <= 1) & (_d >= tail - 6 + 3 * rise) & (_d <= tail - 1 + rise)
    if random.random() < 0.4:  # engines under the wings
        for side in (-1, 1):
            away = SIDE / 2 + side * span * 0.45
            at = nose + length * 0.4
            grid |= (np.hypot(_h - level - 1.5, _w - away) <= 1.8) & (_d >= at) & (_d <= at + 6)
    return grid


SHAPES: dict[str, Callable[[Random], Grid]] = {"chair": make_chair, "table": make_table, "lamp": make_lamp, "plane": make_plane}


def make_solid(split: str, number: int) -> Grid:
    """Solid number `number` of a split: bool [32, 32, 32]; its class is `number` modulo four."""
    make = list(SHAPES.values())[number % len(SHAPES)]
    return make(np.random.default_rng(mix("shapes", split, number)))


def shape_source(split: str, resolution: int | None = None, channels: int | None = None) -> TableDataset:
    """The built-in solids: "real" uint8 [N, 1, 32, 32, 32], 255 for filled voxels; cached.

    Raises:
        DataError: another size or color is requested.
    """
    if resolution not in (None, SIDE) or channels not in (None, 1):
        raise DataError(
            f"shapes: expected resolution {SIDE} and channels 1, got {resolution or SIDE} and {channels or 1}; leave them out"
        )
    name = cache.entry_name("shapes", VERSION, split)

    def build(file: BinaryIO) -> cache.Record:
        for number in range(COUNTS[split]):
            file.write((make_solid(split, number).astype(np.uint8) * 255).tobytes())
        labels = torch.arange(COUNTS[split]) % len(SHAPES)
        return cache.Record((COUNTS[split], 1, SIDE, SIDE, SIDE), labels, tuple(SHAPES), ())

    voxels, record = cache.read(name) or cache.store(name, build)
    fields = cache.entry_fields(voxels, record)
    return TableDataset("shapes", fields, record.classes, fingerprint=record.fingerprint, splits=tuple(COUNTS))
