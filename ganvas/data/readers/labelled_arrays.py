"""Samples in arrays, with their names and their labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ganvas.data.collection import ArrayCollection
from ganvas.data.labels import label_samples
from ganvas.errors import DataError
from ganvas.utils.parsing import spell_count

Array = NDArray[np.generic]


class Numbered(Sequence[str]):
    """The names "#0", "#1", ... without a list of them."""

    def __init__(self, total: int) -> None:
        self.total = total

    def __len__(self) -> int:
        return self.total

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> list[str]: ...
    def __getitem__(self, at: int | slice) -> str | list[str]:
        return [f"#{i}" for i in range(self.total)[at]] if isinstance(at, slice) else f"#{range(self.total)[at]}"


def label_array_samples(
    samples: Tensor,
    doubts: tuple[str, ...],
    labels: Array | None,
    names: Sequence[str],
    what: str,
    splits: tuple[str, ...],
    trained: Array | None,
) -> ArrayCollection:
    """Points or voxels with their labels; points with other numbers than labels are read without them."""
    if labels is None:
        return ArrayCollection(samples, splits=splits, warnings=doubts)
    try:
        found = label_samples(labels, len(samples), names, what, trained)
    except DataError as error:
        if samples.ndim > 2:
            raise
        return ArrayCollection(samples, splits=splits, warnings=(*doubts, f"read without labels: {error}"))
    kept = [i for i, number in enumerate(found.numbers) if number is not None]
    numbers = [number for number in found.numbers if number is not None]
    doubts += found.doubts
    if len(kept) < len(samples):
        lost = spell_count(len(samples) - len(kept), "samples")
        doubts += (f"{what}: {lost} of no class of the training split left out",)
        samples = samples[kept]
    return ArrayCollection(samples, numbers, found.classes, "with labels", splits, doubts)
