"""Filters for samples that are to be training data: is it of its class, and is it new?

- agreement: a classifier of real pictures must see the class that was asked for;
- near duplicates: a sample as near to a picture of its class as to itself adds nothing. It is refused if its distance to
  the nearest real picture of the class, or to the nearest sample that was kept, is below a share of the usual distance: the
  median of the distances of the real pictures to their nearest neighbours.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ganvas.metrics.nearest_neighbours import k_nearest, nearest

NEAR = 0.5  # of the usual distance
MOST_KNOWN = 2_000  # pictures of a class that the usual distance is measured on


@dataclass
class Counts:
    """What became of the samples of one class."""

    drawn: int = 0
    kept: int = 0
    disagree: int = 0  # the classifier sees another class
    near_real: int = 0  # almost a real picture
    near_kept: int = 0  # almost a sample that was kept before

    @property
    def refused(self) -> int:
        """All that were refused."""
        return self.disagree + self.near_real + self.near_kept

    def text(self) -> str:
        """In words."""
        reasons = {
            "another class": self.disagree,
            "almost a real picture": self.near_real,
            "almost a sample before": self.near_kept,
        }
        why = ", ".join(f"{count:,} {reason}" for reason, count in reasons.items() if count)
        return f"{self.kept:,} of {self.drawn:,} kept" + (f" (refused: {why})" if why else "")


@dataclass
class Filter:
    """The filter of one class: its real pictures uint8 [m, C, H, W], and the limit in pixels' Euclidean distance."""

    real: Tensor
    near: float = NEAR
    counts: Counts = field(default_factory=Counts)

    def __post_init__(self) -> None:
        self.limit = self.near * usual_distance(self.real) if self.near else 0.0
        self._kept = self.real[:0]

    def choose(self, samples: Tensor, agreed: Tensor, most: int) -> Tensor:
        """The indices [k], k <= `most`, of the samples uint8 [n, C, H, W] to keep, in their order.

        `agreed` bool [n]: the classifier sees the class. Samples after the last that is kept are not counted. All pairs of
        the n samples are compared: a few hundred at a time.
        """
        n, nobody = len(samples), torch.zeros(len(samples), dtype=torch.bool)
        real = nearest(samples, self.real)[0] < self.limit if self.limit else nobody
        twins = nearest(samples, self._kept)[0] < self.limit if self.limit and len(self._kept) else nobody.clone()
        flat = samples.flatten(1).float()
        between = torch.cdist(flat, flat) < self.limit
        found: list[int] = []
        for i in range(n):
            if len(found) == most:
                break
            self.counts.drawn += 1
            if not agreed[i]:
                self.counts.disagree += 1
            elif real[i]:
                self.counts.near_real += 1
            elif twins[i]:
                self.counts.near_kept += 1
            else:
                found.append(i)
                twins |= between[i]
        self.counts.kept += len(found)
        rows = torch.tensor(found, dtype=torch.int64)
        self._kept = torch.cat([self._kept, samples[rows]])
        return rows


def usual_distance(real: Tensor) -> float:
    """The median distance of pictures uint8 [m, C, H, W] to their nearest neighbours among them; 0 of a single one."""
    if len(real) < 2:
        return 0.0
    known = real[:MOST_KNOWN]
    return float(k_nearest(known, known, 2)[0][:, 1].median())


def sum_counts(each: Iterable[Counts]) -> Counts:
    """The counts of all classes together."""
    total = Counts()
    for counts in each:
        for name in vars(total):
            setattr(total, name, getattr(total, name) + getattr(counts, name))
    return total
