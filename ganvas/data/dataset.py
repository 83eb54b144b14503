"""The Dataset protocol: batches of named fields at positions of an endless order.

A position is the number of samples since the start of the run. The sample at a position is a pure function of (seed,
position), so that a resumed run gets the same batches, and each rank gets its share of them.
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
    """A finite set of samples. `batch` and `rows` return stored fields: `Modality.normalize` is applied on the device."""

    @property
    def name(self) -> str:
        """The name of the data in messages."""

    @property
    def modalities(self) -> Mapping[str, Modality]:
        """Each field of a batch and its kind: {"real": IMAGES, "label": LABELS}."""

    @property
    def modality(self) -> Modality:
        """The kind of the samples: of the first field."""

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes; () if there are no labels."""

    @property
    def facts(self) -> Facts:
        """The facts on which settings of a game depend."""

    @property
    def fingerprint(self) -> str:
        """A hash of the contents, independent of their path."""

    @property
    def skipped(self) -> tuple[Skipped, ...]:
        """The skipped files, with reasons."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is doubtful about the data, a sentence each."""

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits that the source has: ("train", "test") or ("train",)."""

    def __len__(self) -> int:
        """The number of positions in one epoch."""

    def batch(self, seed: int, start: int, count: int) -> Batch:
        """The fields [count, ...] at positions start .. start+count-1; all fields of a row have the same flip and crop."""

    def rows(self, index: Tensor) -> Batch:
        """The stored fields [N, ...] of the samples with indices int64 [N], without flips and crops."""

    def samples(self, index: Tensor) -> Batch:
        """The fields of `rows`, normalized, on the CPU."""

    def hold_out(self, share: float) -> tuple[Dataset, Dataset | None]:
        """The data without a random `share` of its samples, and that share; None if it is too small to measure with."""
