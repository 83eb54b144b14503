"""What kind of sample a tensor holds. The one place that asks for the number of dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from ganvas.errors import DataError

Kind = Literal["points", "images", "voxels", "text"]
BY_RANK: dict[int, Kind] = {1: "points", 3: "images", 4: "voxels"}  # dimensions of one sample


def kind_of_shape(shape: Sequence[int]) -> Kind:
    """The kind of one sample: (D,) points, (C, H, W) images, (C, D, H, W) voxels.

    Raises:
        DataError: there is no sample of so many dimensions.
    """
    if len(shape) not in BY_RANK:
        raise DataError(f"sample: expected a shape (D,), (C, H, W) or (C, D, H, W), found {list(shape)}; reshape the data")
    return BY_RANK[len(shape)]


def kind_of(batch: Tensor) -> Kind:
    """The kind of the samples of a batch [N, ...], as they are kept or as a network draws them; text is int64 [N, L].

    Raises:
        DataError: there is no sample of so many dimensions.
    """
    if batch.dtype == torch.int64 and batch.ndim == 2:
        return "text"
    return kind_of_shape(batch.shape[1:])


def is_grid(batch: Tensor) -> bool:
    """Whether a batch [N, ...] holds pixels or voxels."""
    return kind_of(batch) in ("images", "voxels")
