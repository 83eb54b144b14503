"""TableDataset: a data set in memory (or memory-mapped), with one tensor for each field."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple, Self

import torch
from torch import Tensor

from ganvas.core.facts import Facts
from ganvas.core.fields import FIELDS
from ganvas.core.modality import LABELS, MODALITIES, POINTS, TEXT, Batch, Modality, modality_of, normalize_batch
from ganvas.data import order
from ganvas.data.units import Units
from ganvas.errors import DataError
from ganvas.utils.seeds import mix


class Skipped(NamedTuple):
    """A file that was skipped, and the reason."""

    name: str
    reason: str


@dataclass(frozen=True, eq=False)
class TableDataset:
    """A finite table of samples: the fields of one row belong together.

    `fields` has the samples as stored, e.g. "real" uint8 [N, C, H, W] (possibly a memory map), float32 points [N, D], or
    "text" int64 [N, L]; `fields["label"]`, if there are labels, is int64 [N]. The modality of each field follows from its
    type and number of dimensions, or is given in `kinds`: for clips it must be, because voxels have the same.
    """

    name: str
    fields: Mapping[str, Tensor]
    classes: tuple[str, ...] = ()  # names of the classes; () = no labels
    skipped: tuple[Skipped, ...] = ()
    warnings: tuple[str, ...] = field(default=(), kw_only=True)  # what is doubtful about the data, a sentence each
    units: Units | None = field(default=None, kw_only=True)  # of points: batches are standardised, `fields` are not
    flip: bool = False  # mirror half of the samples, chosen at random
    fingerprint: str = ""  # a hash of the contents, independent of their path
    index: Tensor | None = None  # int64: the rows of the table that belong to this data set; None: all
    alphabet: str = ""  # for text: symbol k is its k-th letter; "": symbols are numbers
    vocabulary: int = 0  # for text: the number of symbols, the end of a line included
    splits: tuple[str, ...] = ("train",)  # the splits that the source has
    kinds: Mapping[str, Modality] = field(default_factory=dict)  # field -> modality, if the tensor does not decide it
    # int64 [rows of the table]: rows of one group, such as squares of one photograph, are held out together or not at all.
    groups: Tensor | None = field(default=None, kw_only=True)
    names: Mapping[str, str] = field(default_factory=dict, kw_only=True)  # as in `Facts`, and so are the next two
    legend: tuple[str, ...] = field(default=(), kw_only=True)
    colors: tuple[tuple[int, int, int], ...] = field(default=(), kw_only=True)

    def __len__(self) -> int:
        return len(self.table if self.index is None else self.index)

    @cached_property
    def modalities(self) -> Mapping[str, Modality]:
        """The kind of each field.

        Raises:
            DataError: a field is of no known kind, or not of the kind given for it.
        """
        return {name: self._modality(name, tensor) for name, tensor in self.fields.items()}

    @cached_property
    def main(self) -> str:
        """The field with the samples, the first one if there are several: "real", "text", "a", ...

        Raises:
            DataError: there is none.
        """
        for name in self.fields:
            if name != "label":
                return name
        raise DataError(f"{self.name!r}: expected a field of samples, found {', '.join(self.fields) or 'none'}; give one")

    @property
    def modality(self) -> Modality:
        """The kind of the samples."""
        return self.modalities[self.main]

    @property
    def table(self) -> Tensor:
        """All stored samples of the main field, also those that are not in `index`."""
        return self.fields[self.main]

    @property
    def is_text(self) -> bool:
        """Whether the samples are lines of text."""
        return self.modality is TEXT

    @property
    def is_grid(self) -> bool:
        """Whether the samples are pixels or voxels."""
        return self.modality.grid

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one sample."""
        return tuple(self.table.shape[1:])

    @property
    def facts(self) -> Facts:
        """The facts on which settings of a game depend."""
        shapes = {name: tuple(tensor.shape[1:]) for name, tensor in self.fields.items()}
        return Facts(
            self.modality,
            self.shape,
            shapes,
            len(self.classes),
            self.alphabet,
            self.vocabulary,
            self.names,
            self.legend,
            self.colors,
        )

    @property
    def resolution(self) -> int:
        """The width of images in pixels, of voxel shapes in voxels. Raises: DataError: the samples are no grid."""
        return self._grid_shape()[-1]

    @property
    def channels(self) -> int:
        """1 for grey images and label maps, 3 for color. Raises: DataError: the samples are no grid."""
        return self._grid_shape()[-self.modality.space - 1] if self.modality.scaled else 1

    @property
    def dims(self) -> int:
        """The number of coordinates of a point.

        Raises:
            DataError: the samples are no points.
        """
        if self.modality is not POINTS:
            raise DataError(f"{self.name!r} holds {self.modality.name}; expected points: use a point source such as 'ring'")
        return self.shape[0]

    def batch(self, seed: int, start: int, count: int) -> Batch:
        """The stored fields at positions start .. start+count-1 of the endless order of `seed`.

        Returns:
            each field [count, ...]; with `flip`, all fields of a row are mirrored or none.
        """
        batch = self._take(order.rows(seed, start, count, len(self)))
        if self.flip:  # on bytes: a quarter of the memory traffic
            mirrored = order.flips(seed, start, count)
            batch = {name: self.modalities[name].mirror(x, mirrored) for name, x in batch.items()}
        return batch

    def rows(self, index: Tensor) -> Batch:
        """The stored fields [N, ...] of the samples with indices int64 [N], not mirrored."""
        return self._take(index)

    def _take(self, index: Tensor) -> Batch:
        table = index if self.index is None else self.index[index]
        rows = {name: tensor.index_select(0, table) for name, tensor in self.fields.items()}
        return rows if self.units is None else rows | {self.main: self.units.standardize(rows[self.main])}

    def samples(self, index: Tensor) -> Batch:
        """The normalized fields [N, ...] of the samples with indices int64 [N], not mirrored, on the CPU."""
        return normalize_batch(self.rows(index), self.modalities)

    def in_units(self, center: tuple[float, ...], scale: tuple[float, ...]) -> Self:
        """The data with points in these units, as the settings of a run have them; () leaves the data as they are.

        Raises:
            DataError: the points have another number of coordinates.
        """
        if self.modality is not POINTS or not center:
            return self
        units = Units(center, scale)
        units.require(self.dims, self.name)
        return replace(self, units=units)

    def hold_out(self, share: float, most: int = 1_000, *, backwards: bool = False) -> tuple[Self, Self | None]:
        """The data without a random `share` of its samples (at most `most`), and that share; None if it is below 20 samples.

        Every call gives the same samples; both parts share the memory of the whole. Held-out samples are never mirrored,
        because they are used to measure. With `groups` whole groups are held out, as many as come nearest to the share, at
        least one of five; of fewer than five groups none. `backwards`: others, from the other end of the random order.
        """
        count = min(most, int(share * len(self)))
        if share > 0 and self.groups is not None:
            return self._hold_out_groups(self.groups, count, backwards)
        if count < 20:
            return self, None
        table = torch.arange(len(self.table)) if self.index is None else self.index
        shuffled = _shuffle(len(table), backwards)
        held_out, rest = shuffled[:count].sort().values, shuffled[count:].sort().values
        return replace(self, index=table[rest]), replace(self, index=table[held_out], flip=False)

    def _hold_out_groups(self, groups: Tensor, count: int, backwards: bool) -> tuple[Self, Self | None]:
        """As `hold_out`, of whole groups: about `count` samples."""
        table = torch.arange(len(self.table)) if self.index is None else self.index
        group = groups[table]
        values, sizes = group.unique(return_counts=True)
        shuffled = _shuffle(len(values), backwards)
        totals = sizes[shuffled].cumsum(0)
        chosen = shuffled[: max(1, int((totals - count).abs().argmin()) + 1)]
        held_out = torch.isin(group, values[chosen])
        if len(values) < 5 or int(held_out.sum()) < 20:
            return self, None
        return replace(self, index=table[~held_out]), replace(self, index=table[held_out], flip=False)

    def _modality(self, name: str, tensor: Tensor) -> Modality:
        kind = self.kinds.get(name)
        among = FIELDS[name].modalities if name in FIELDS else (*MODALITIES.values(), LABELS)
        try:
            return modality_of(tensor, among if kind is None else (kind,))
        except DataError as error:
            raise DataError(f"{self.name!r}, field {name!r}: {error}") from None

    def _grid_shape(self) -> torch.Size:
        if not self.is_grid:
            raise DataError(f"{self.name!r} holds {self.modality.name}, not images: use an image source such as 'mnist'")
        return self.table.shape


def _shuffle(count: int, backwards: bool) -> Tensor:
    """The numbers below `count` in a random order, always the same, or in that order backwards."""
    order = torch.randperm(count, generator=torch.Generator().manual_seed(mix("held out")))
    return order.flip(0) if backwards else order


def fingerprint(fields: Mapping[str, Tensor], classes: tuple[str, ...] = ()) -> str:
    """16 hexadecimal digits of the SHA-256 of names, types, shapes and contents."""
    digest = hashlib.sha256(repr(classes).encode())
    for name, tensor in sorted(fields.items()):
        digest.update(f"{name} {tensor.dtype} {list(tensor.shape)}".encode())
        digest.update(tensor.contiguous().numpy().data)
    return digest.hexdigest()[:16]
