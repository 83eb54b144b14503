"""Paired data: several fields of one row, such as an image and its label map, or a small image and the large one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from ganvas.core.facts import Facts
from ganvas.core.fields import FIELDS, check_size, unknown_field
from ganvas.core.modality import Batch
from ganvas.data import order
from ganvas.data.table import TableDataset
from ganvas.errors import DataError, UsageError


@dataclass(frozen=True, eq=False)
class PairedDataset(TableDataset):
    """A table with several fields in each row. All fields of a row get the same flip and the same crop.

    The height and width of each field are those of the smallest field times an integer; a crop of `crop` pixels in the
    smallest field is larger by this factor in the others.

    Raises:
        DataError: fewer than two fields of samples, a field that is not in the vocabulary, or sizes that do not fit.
        UsageError: the crop is larger than the samples.
    """

    crop: int = 0  # side of a random square crop in pixels of the smallest field; 0: no crop

    def __post_init__(self) -> None:
        names = [name for name in self.fields if name != "label"]
        if len(names) < 2:
            raise DataError(f"{self.name!r}: expected two or more fields of samples, found {names}; give each row a pair")
        for name in names:
            if name not in FIELDS:
                raise unknown_field(name)
        if len(set(map(len, self.fields.values()))) > 1:
            sizes = {name: len(x) for name, x in self.fields.items()}
            raise DataError(f"{self.name!r}: expected as many rows in each field, found {sizes}; leave out what has no partner")
        check_size({name: self.fields[name] for name in self._grids})
        height, width = self._smallest
        for name in self._grids:
            size = tuple(self.fields[name].shape[-2:])
            scale = size[0] // max(1, height)
            if (height * scale, width * scale) != size:
                raise DataError(
                    f"{self.name!r}, field {name!r}: expected {height} x {width} pixels times a whole number, "
                    f"found {size[0]} x {size[1]}; bring the fields to one size"
                )
        if self.crop and not (self._grids and 0 < self.crop <= min(height, width)):
            raise UsageError(f"crop {self.crop}: expected 1 to {min(height, width)} pixels of the smallest field; choose less")

    @cached_property
    def _grids(self) -> tuple[str, ...]:
        """The fields with height and width."""
        return tuple(name for name, modality in self.modalities.items() if modality.space == 2)

    @cached_property
    def _smallest(self) -> tuple[int, int]:
        """The height and width of the smallest field."""
        sizes = [(self.fields[name].shape[-2], self.fields[name].shape[-1]) for name in self._grids]
        return min(sizes, default=(0, 0))

    @property
    def facts(self) -> Facts:
        """The facts on which settings of a game depend; the shapes are those of a crop."""
        facts = super().facts
        if not self.crop:
            return facts
        shapes = dict(facts.shapes)
        for name in self._grids:
            side = self.crop * (shapes[name][-1] // self._smallest[1])
            shapes[name] = (*shapes[name][:-2], side, side)
        return replace(facts, shape=shapes[self.main], shapes=shapes)

    def batch(self, seed: int, start: int, count: int) -> Batch:
        """The stored fields at positions start .. start+count-1; all fields of a row have the same flip and crop."""
        batch = super().batch(seed, start, count)
        if not self.crop:
            return batch
        height, width = self._smallest
        top, left = order.crops(seed, start, count, (height - self.crop, width - self.crop))
        return self._cut(batch, top, left)

    def rows(self, index: Tensor) -> Batch:
        """The stored fields [N, ...] of the samples with indices int64 [N], not mirrored; with a crop, their centers."""
        rows = super().rows(index)
        if not self.crop:
            return rows
        height, width = self._smallest
        top, left = (torch.full_like(index, (side - self.crop) // 2) for side in (height, width))
        return self._cut(rows, top, left)

    def _cut(self, rows: Batch, top: Tensor, left: Tensor) -> Batch:
        """The crops of all fields at the places int64 [N], in pixels of the smallest field."""
        width = self._smallest[1]
        for name in self._grids:
            scale = rows[name].shape[-1] // width
            rows[name] = self.modalities[name].crop(rows[name], top * scale, left * scale, self.crop * scale)
        return rows
