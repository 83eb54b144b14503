"""Unpaired data: two tables without pairs, such as horses and zebras. Source: Zhu et al. 2017, arXiv:1703.10593 sec. 3."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor

from ganvas.core.facts import Facts
from ganvas.core.modality import Batch, Modality, normalize_batch
from ganvas.data.table import Skipped, TableDataset
from ganvas.errors import DataError
from ganvas.utils.seeds import mix


@dataclass(frozen=True, eq=False)
class UnpairedDataset:
    """The samples of two tables as fields "a" and "b", each with its own order.

    An epoch has as many positions as the longer table has samples, each once; samples of the shorter table repeat, and their
    counts differ by at most one. Labels are left out.

    Raises:
        DataError: the tables have samples of different kinds, or one is empty.
    """

    a: TableDataset
    b: TableDataset
    names: Mapping[str, str] = field(default_factory=dict)  # what the user calls the domains: {"a": "day", "b": "night"}

    def __post_init__(self) -> None:
        if self.a.modality is not self.b.modality:
            raise DataError(
                f"{self.name}: expected samples of one kind, found {self.a.modality.name} and {self.b.modality.name}; "
                "choose two tables of one kind"
            )
        if not len(self.a) or not len(self.b):
            raise DataError(f"{self.name}: expected samples in both tables, found {len(self.a)} and {len(self.b)}; add some")

    @property
    def name(self) -> str:
        """Both names."""
        return f"{self.a.name} and {self.b.name}"

    @property
    def modality(self) -> Modality:
        """The kind of the samples of both tables."""
        return self.a.modality

    @property
    def modalities(self) -> Mapping[str, Modality]:
        """The kinds of "a" and "b"."""
        return {"a": self.a.modality, "b": self.b.modality}

    @property
    def classes(self) -> tuple[str, ...]:
        """Always (): a domain is a field, not a class."""
        return ()

    @property
    def facts(self) -> Facts:
        """The facts on which settings of a game depend: the shape is that of "a"."""
        return Facts(self.a.modality, self.a.shape, {"a": self.a.shape, "b": self.b.shape}, names=self.names)

    @property
    def fingerprint(self) -> str:
        """A hash of the contents of both."""
        return hashlib.sha256(f"{self.a.fingerprint}/{self.b.fingerprint}".encode()).hexdigest()[:16]

    @property
    def skipped(self) -> tuple[Skipped, ...]:
        """The skipped files of both."""
        return (*self.a.skipped, *self.b.skipped)

    @property
    def warnings(self) -> tuple[str, ...]:
        """The doubts about both."""
        return (*self.a.warnings, *self.b.warnings)

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits that both have."""
        return tuple(split for split in self.a.splits if split in self.b.splits)

    def __len__(self) -> int:
        return max(len(self.a), len(self.b))

    def batch(self, seed: int, start: int, count: int) -> Batch:
        """The stored fields {"a": [count, ...], "b": [count, ...]} at positions start .. start+count-1."""
        # One seed for each table: with a common seed two tables of equal length would form the same pairs in every epoch.
        return {
            name: table.batch(mix("unpaired", name, seed), start, count)[table.main]
            for name, table in (("a", self.a), ("b", self.b))
        }

    def rows(self, index: Tensor) -> Batch:
        """The stored samples with indices int64 [N] of both tables; the shorter table repeats."""
        return {name: table.rows(index % len(table))[table.main] for name, table in (("a", self.a), ("b", self.b))}

    def samples(self, index: Tensor) -> Batch:
        """The normalized samples with indices int64 [N] of both tables, on the CPU."""
        return normalize_batch(self.rows(index), self.modalities)

    def hold_out(self, share: float) -> tuple[UnpairedDataset, UnpairedDataset | None]:
        """The data without a random `share` of each table, and these shares; None if one table is too small.

        Of tables that hold the same things in the same order, such as emoji in two styles, other things are held out of each:
        what is made of one would be nearer to its own truth than any two sets of reals are to each other.
        """
        (a, held_a), (b, held_b) = self.a.hold_out(share), self.b.hold_out(share, backwards=True)
        if held_a is None or held_b is None:
            return self, None
        return UnpairedDataset(a, b, self.names), UnpairedDataset(held_a, held_b, self.names)
