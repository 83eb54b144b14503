"""Pictures of any size through a network: sides are continued to what it takes, and a large picture is computed in tiles.

A tile is larger than its part of the result by `TakesInputs.reach`, except at the picture's own edges. So each pixel of the
result sees exactly the pixels that it would see in the whole picture, and parts are put side by side without blending. This
holds for networks without statistics over the picture; the order of sums may differ, which is less than one level.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ganvas.core.capabilities import TakesInputs
from ganvas.core.modality import IMAGES, LABEL_MAPS, Batch, modality_of
from ganvas.errors import DataError, GanvasWarning, ResourceError, UsageError
from ganvas.runtime import placement

Array = npt.NDArray[Any]
Compute = Callable[[Batch], Tensor]  # inputs as networks take them {name: [N, ...]} -> output [N, ...]
Progress = Callable[[int, int], None]  # tiles done, tiles in all

SIDE = 1_024  # pixels of a side of a tile
SMALLEST = 256  # pixels: a tile is not made smaller than this when memory is short
SLACK = 1.15  # a picture of up to so many times the pixels of a tile is computed at once
MOST_PIXELS = 256_000_000  # of a result
DEEP = 65_535  # the largest level of 16 bits


class Span(NamedTuple):
    """A part of an axis: [start, end) of the result, and [seen_start, seen_end) of what is computed."""

    start: int
    end: int
    seen_start: int
    seen_end: int


def split_axis(length: int, side: int, margin: int, multiple: int) -> list[Span]:
    """Parts of `length` pixels, each of which sees at most `side` pixels. All are multiples of `multiple`, as `length` is.

    Raises:
        UsageError: a tile of this side has no room between its margins.
    """
    if length <= side:
        return [Span(0, length, 0, length)]
    room = (side - 2 * margin) // multiple * multiple
    if room < multiple:
        raise UsageError(f"tile: expected at least {2 * margin + multiple} pixels for this model, got {side}")
    count = -(-(length - 2 * margin) // room)
    step = -(-(length - 2 * margin) // (count * multiple)) * multiple
    cuts = [0, *(margin + step * i for i in range(1, count)), length]
    return [Span(a, b, max(0, a - margin), min(length, b + margin)) for a, b in pairwise(cuts) if a < b]


def compute_any_size(
    game: TakesInputs,
    compute: Compute,
    fields: Mapping[str, Array],
    *,
    scale: int = 1,
    side: int = SIDE,
    progress: Progress | None = None,
) -> Array:
    """The output for pictures {name: uint8 or uint16 [N, C, H, W]} and label maps {name: uint8 [N, H, W]} of one size.

    The output is as the pictures are: uint8, or uint16 for 16 bits, [N, C', scale H, scale W]; of a map uint8 [N, H, W].
    Networks compute in float32, and only a tile of the picture is on their device.

    Raises:
        UsageError: fields of several sizes, too small a tile, or too large a picture for a network that needs all of it.
        DataError: the output is not finite.
        ResourceError: memory is short.
    """
    sizes = {x.shape[-2:] for x in fields.values()}
    if len(sizes) != 1:
        raise UsageError(f"inputs: expected fields of one height and width, found {sorted(sizes)}; give them one size")
    height, width = next(iter(sizes))
    require_result_size(height * scale, width * scale)
    padded = {name: continue_to_multiple(x, game.multiple) for name, x in fields.items()}
    while True:
        try:
            return _compute_tiles(game, compute, padded, (height, width), scale, side, progress)
        except (RuntimeError, MemoryError) as error:
            smaller = side // (2 * game.multiple) * game.multiple
            if not _is_out_of_memory(error):
                raise
            if game.reach is None or smaller < max(SMALLEST, 4 * _margin(game)):
                raise ResourceError(
                    f"{width} x {height} pixels: out of memory; close other programs, or make it smaller"
                ) from None
            side = smaller
        warnings.warn(f"memory is short: tiles have {side} pixels now", GanvasWarning, stacklevel=2)


def require_result_size(height: int, width: int) -> None:
    """Raises: UsageError: a result of this size is too large."""
    if height * width > MOST_PIXELS:
        raise UsageError(
            f"the result has {width} x {height} pixels; expected at most {MOST_PIXELS:,} pixels; make the input smaller"
        )


def continue_to_multiple(x: Array, multiple: int) -> Array:
    """[..., H, W] continued to the right and below by its mirror image, until both sides are multiples of `multiple`."""
    more = [(0, -length % multiple) for length in x.shape[-2:]]
    return np.pad(x, [(0, 0)] * (x.ndim - 2) + more, "reflect") if any(map(any, more)) else x


@torch.no_grad()
def _compute_tiles(
    game: TakesInputs,
    compute: Compute,
    fields: Mapping[str, Array],
    size: tuple[int, int],
    scale: int,
    side: int,
    progress: Progress | None,
) -> Array:
    """The result, cut to `size` times `scale`, of fields whose sides are multiples."""
    device = placement.device_of(game)
    deep = any(x.dtype == np.uint16 for x in fields.values())
    height, width = next(iter(fields.values())).shape[-2:]
    tiles = _plan(game, height, width, side)
    result: Array = np.empty(0)
    for done, (rows, columns) in enumerate(tiles):
        batch = {
            name: to_network(x[..., rows.seen_start : rows.seen_end, columns.seen_start : columns.seen_end], device)
            for name, x in fields.items()
        }
        with torch.autocast(device.type, enabled=False):
            part = from_network(compute(batch), deep=deep)
        if not done:
            result = np.empty((*part.shape[:-2], size[0] * scale, size[1] * scale), part.dtype)
        target = result[..., rows.start * scale : rows.end * scale, columns.start * scale : columns.end * scale]
        top, left = (rows.start - rows.seen_start) * scale, (columns.start - columns.seen_start) * scale
        target[...] = part[..., top : top + target.shape[-2], left : left + target.shape[-1]]
        if progress:
            progress(done + 1, len(tiles))
    return result


def to_network(kept: Array, device: torch.device) -> Tensor:
    """Pictures or label maps as arrays -> as networks take them, on their device."""
    if kept.dtype == np.uint16:
        return torch.from_numpy(kept.astype(np.float32)).to(device).div_(DEEP / 2).sub_(1)
    x = torch.from_numpy(np.array(kept, order="C")).to(device)  # a copy: arrays of Pillow cannot be written
    return (LABEL_MAPS if kept.ndim == LABEL_MAPS.ndim else IMAGES).normalize(x)


def from_network(output: Tensor, *, deep: bool) -> Array:
    """What a network gives -> arrays, of 16 bits if `deep`. Raises: DataError: it is not finite."""
    if output.is_floating_point() and not output.isfinite().all():
        raise DataError("the output is not finite: the model has diverged; go back to an earlier checkpoint")
    if deep and output.is_floating_point():
        levels = placement.to_cpu((output.float() + 1) * (DEEP / 2)).clamp(0, DEEP).round()
        return levels.numpy().astype(np.uint16)
    return placement.to_cpu(modality_of(output, (IMAGES, LABEL_MAPS)).denormalize(output)).numpy()


def _margin(game: TakesInputs) -> int:
    return -(-(game.reach or 0) // game.multiple) * game.multiple


def _plan(game: TakesInputs, height: int, width: int, side: int) -> list[tuple[Span, Span]]:
    """The tiles of a picture whose sides are multiples: one if it is small enough."""
    if height * width <= SLACK * side * side:
        return [(Span(0, height, 0, height), Span(0, width, 0, width))]
    if game.reach is None:
        most = f"about {side} x {side} pixels"
        raise UsageError(f"{width} x {height} pixels: this model looks at the whole picture, up to {most}; make it smaller")
    return list(_cross(*(split_axis(length, side, _margin(game), game.multiple) for length in (height, width))))


def _cross(rows: list[Span], columns: list[Span]) -> Iterator[tuple[Span, Span]]:
    for row in rows:
        for column in columns:
            yield row, column


def _is_out_of_memory(error: Exception) -> bool:
    words = str(error)
    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or "allocate memory" in words or "out of memory" in words
