"""A finite table of samples, and how rows of it become a batch."""

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
from ganvas.errors import DataError
from ganvas.utils.seeds import mix


class Skipped(NamedTuple):
    """A file that was left out, and why."""

    name: str
    reason: str


@dataclass(frozen=True, eq=False)
class TableDataset:
    """A finite table of samples: the fields of one row belong together.

    `fields` holds the samples as kept, e.g. "real" uint8 [N, C, H, W] (perhaps a memory map), float32 points [N, D], or
    "text" int64 [N, L]; `fields["label"]`, where there is one, is int64 [N]. The kind of each field is found from its type
    and rank, or given in `kinds`: clips must be, as they look like voxels.
    """

    name: str
    fields: Mapping[str, Tensor]
    classes: tuple[str, ...] = ()  # names of the classes; () = no labels
    skipped: tuple[Skipped, ...] = ()
    flip: bool = False  # mirror half of the samples, at random
    fingerprint: str = ""  # equal for equal contents, wherever they lie
    index: Tensor | None = None  # int64: the rows of the table that belong to this source; None: all
    alphabet: str = ""  # of text: symbol k is its k-th letter; "": the number itself
    vocabulary: int = 0  # of text: how many symbols there are, the end of a line included
    splits: tuple[str, ...] = ("train",)  # of the place that the samples come from
    kinds: Mapping[str, Modality] = field(default_factory=dict)  # field -> modality, where the tensor does not tell

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
        """The field that the samples are in, where there are several the first: "real", "text", "a", ...

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
        """All samples of the main field, as kept; also those that `index` leaves out."""
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
        """What the settings of a game depend on."""
        shapes = {name: tuple(tensor.shape[1:]) for name, tensor in self.fields.items()}
        return Facts(self.modality, self.shape, shapes, len(self.classes), self.alphabet, self.vocabulary)

    @property
    def resolution(self) -> int:
        """The width of images in pixels, of solids in voxels. Raises: DataError: the samples are no grid."""
        return self._grid_shape()[-1]

    @property
    def channels(self) -> int:
        """1 for grey images and label maps, 3 for color. Raises: DataError: the samples are no grid."""
        return self._grid_shape()[-self.modality.space - 1] if self.modality.scaled else 1

    @property
    def dims(self) -> int:
        """The numbers in one point.

        Raises:
            DataError: the samples are no points.
        """
        if self.modality is not POINTS:
            raise DataError(f"{self.name!r} holds {self.modality.name}; expected points: use a point source such as 'ring'")
        return self.shape[0]

    def batch(self, seed: int, start: int, count: int) -> Batch:
        """The fields at the positions start .. start+count-1 of the endless order of `seed`, as kept.

        Returns:
            each field [count, ...]; all fields of a row are mirrored alike where `flip` is set.
        """
        batch = self.rows(order.rows(seed, start, count, len(self)))
        if self.flip:  # on bytes: a quarter of the memory traffic
            mirrored = order.flips(seed, start, count)
            batch = {name: self.modalities[name].mirror(x, mirrored) for name, x in batch.items()}
        return batch

    def rows(self, index: Tensor) -> Batch:
        """The fields [N, ...] of the samples int64 [N], as kept, not mirrored."""
        table = index if self.index is None else self.index[index]
        return {name: tensor.index_select(0, table) for name, tensor in self.fields.items()}

    def samples(self, index: Tensor) -> Batch:
        """The fields [N, ...] of the samples int64 [N], as networks take them, not mirrored, on the CPU."""
        return normalize_batch(self.rows(index), self.modalities)

    def hold_out(self, share: float, most: int = 1_000) -> tuple[Self, Self | None]:
        """The source without a random `share` of its samples (at most `most`), and these; None where they are under 20.

        The same samples at every call; both share the memory of the whole. The held-out samples are never mirrored: they
        are there to measure with.
        """
        count = min(most, int(share * len(self)))
        if count < 20:
            return self, None
        table = torch.arange(len(self.table)) if self.index is None else self.index
        shuffled = torch.randperm(len(table), generator=torch.Generator().manual_seed(mix("held out")))
        held_out, rest = shuffled[:count].sort().values, shuffled[count:].sort().values
        return replace(self, index=table[rest]), replace(self, index=table[held_out], flip=False)

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


def fingerprint(fields: Mapping[str, Tensor], classes: tuple[str, ...] = ()) -> str:
    """16 hexadecimal digits of the SHA-256 of names, types, shapes and contents."""
    digest = hashlib.sha256(repr(classes).encode())
    for name, tensor in sorted(fields.items()):
        digest.update(f"{name} {tensor.dtype} {list(tensor.shape)}".encode())
        digest.update(tensor.contiguous().numpy().data)
    return digest.hexdigest()[:16]
