"""What training asks of data: the batch at a position of an endless order, as named fields.

A position is a count of samples since the start of the run. What lies there is a pure function of (seed, position), so that
a resumed run sees the same batches, and each rank its own part of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from torch import Tensor

from ganvas.core.facts import Facts
from ganvas.core.modality import Batch, Modality
from ganvas.data.table import Skipped


@runtime_checkable
class Dataset(Protocol):
    """A finite set of samples. `batch` and `rows` give fields as they are kept: `Modality.normalized` comes on the device."""

    @property
    def name(self) -> str:
        """What a person calls the data."""

    @property
    def modalities(self) -> Mapping[str, Modality]:
        """Each field of a batch and its kind: {"real": IMAGES, "label": LABELS}."""

    @property
    def modality(self) -> Modality:
        """The kind of the samples: of the first field."""

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes; () where there are no labels."""

    @property
    def facts(self) -> Facts:
        """What the settings of a game depend on."""

    @property
    def fingerprint(self) -> str:
        """Equal for equal contents, wherever they lie."""

    @property
    def skipped(self) -> tuple[Skipped, ...]:
        """The files that were left out, and why."""

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits that the place of the data has: ("train", "test") or ("train",)."""

    def __len__(self) -> int:
        """The number of positions in one epoch."""

    def batch(self, seed: int, start: int, count: int) -> Batch:
        """The fields [count, ...] at the positions start .. start+count-1: those of a row mirrored and cropped alike."""

    def rows(self, index: Tensor) -> Batch:
        """The fields [N, ...] of the samples int64 [N], neither mirrored nor cropped."""

    def samples(self, index: Tensor) -> Batch:
        """The same as networks take them, on the CPU."""

    def hold_out(self, share: float) -> tuple[Dataset, Dataset | None]:
        """The data without a random `share` of its samples, and these; None where they are too few to measure with."""
