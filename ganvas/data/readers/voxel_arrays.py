"""Voxel shapes of a user: arrays of cubes, of occupancies of any range."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ganvas.data.levels import Span, choose_levels, doubt_levels
from ganvas.errors import DataError

Array = NDArray[np.generic]

MAX_SIDE = 256  # voxels
MAX_VOXELS = 1 << 32  # in all solids together


def find_voxels(array: Array, named: bool) -> Array | None:
    """The solids [N, D, H, W] in an array [N, D, H, W], [N, 1, D, H, W] or [N, D, H, W, 1] of cubes; None: there are none.

    A cube of 1, 3 or 4 voxels is taken for an image, unless the array is `named` voxels.
    """
    if array.ndim == 5 and array.shape[1] == 1:
        array, named = array[:, 0], True
    elif array.ndim == 5 and array.shape[4] == 1:
        array, named = array[..., 0], True
    cube = array.ndim == 4 and array.shape[1] == array.shape[2] == array.shape[3]
    return array if cube and (named or not {array.shape[1], array.shape[3]} & {1, 3, 4}) else None


def read_voxels(array: Array, what: str) -> tuple[Tensor, tuple[str, ...]]:
    """Solids [N, S, S, S] of numbers -> uint8 [N, 1, S, S, S], 255 where filled; and what is doubtful.

    Raises:
        DataError: no solids, too many or too large ones, or no finite numbers.
    """
    if min(array.shape) < 1 or array.dtype.kind not in "biuf":
        raise DataError(f"{what}: expected voxels [N, D, H, W] of numbers, found {array.dtype} {list(array.shape)}")
    if array.shape[1] < 2:
        raise DataError(f"{what}: {len(array):,} solids of one voxel; expected at least 2 a side")
    if array.shape[1] > MAX_SIDE or array.size > MAX_VOXELS:
        most = f"at most {MAX_SIDE} a side, and {MAX_VOXELS:,} in all"
        raise DataError(f"{what}: {len(array):,} solids of {array.shape[1]} voxels; expected {most}; make them smaller")
    span = Span.join(Span.of(np.asarray(solid)) for solid in array)
    if span is None or not np.isfinite((span.low, span.high)).all():
        raise DataError(f"{what}: holds numbers that are not finite; remove these solids")
    levels = choose_levels(span)
    voxels = torch.empty(len(array), 1, *array.shape[1:], dtype=torch.uint8)
    for i, solid in enumerate(array):
        voxels[i, 0] = torch.from_numpy(levels.to_bytes(np.asarray(solid)))
    filled = torch.stack([(solid > 127).any() for solid in voxels])
    doubts = tuple(doubt.replace("pictures are", "voxels are") for doubt in doubt_levels(span, levels))
    if not filled.all() and not doubts:
        doubts = (f"{what}: {int((~filled).sum()):,} of {len(filled):,} solids are empty",)
    return voxels, doubts


def reduce_voxels(voxels: Tensor, side: int | None) -> tuple[Tensor, tuple[str, ...]]:
    """Solids [N, 1, S, S, S] with `side` voxels a side, if S is a multiple of it: filled where one voxel of a block was."""
    found = voxels.shape[-1]
    if side is None or side == found:
        return voxels, ()
    if found % side or found < side:
        return voxels, (f"the solids have {found} voxels a side: the model takes {found}, not {side}",)
    reduced = torch.cat(
        [torch.nn.functional.max_pool3d(part.float(), found // side).to(torch.uint8) for part in voxels.split(64)]
    )
    return reduced, (f"the solids have {found} voxels a side and were reduced to {side}",)
