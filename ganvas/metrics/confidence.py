"""Confidence intervals: half-widths of 95 % intervals by the jackknife, by random halves, and of a share by Wilson."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ganvas.errors import UsageError
from ganvas.metrics.checks import require_integer
from ganvas.utils.seeds import mix

LEVEL = 0.95
NORMAL = 1_000  # degrees of freedom from which on Student's distribution is taken for the normal one
Z = 1.959963984540054  # the normal quantile of 97.5 %
SUBTRACTED = 2 / 3  # of the correction of a jackknife


def jackknife(statistic: Callable[..., float], *sets: Tensor, groups: int = 10, corrected: bool = False) -> float:
    """The half-width of the 95 % interval of statistic(*sets), by a jackknife that leaves out one of `groups` at a time.

    Rows get a random group, always the same one for a set of n rows, so sorted rows do no harm, and row i of two sets of one
    length, such as images and labels, is in one group. The g-th group of every set is left out together; the interval uses
    Student's t with groups - 1 degrees of freedom. It is the error from the finite number of samples, not from another
    training run. It covers the expectation of the statistic at this number of samples. It is too wide for a statistic that
    draws random blocks, pairs or patches, because the draw differs for every group: compare disjoint parts instead.

    corrected: a jackknife counts the part of the variance that comes from pairs of samples twice. A distance between equal
        distributions has no other part, so its interval is 1.4 times too wide. Twice as many evaluations, which leave out two
        groups as well, measure that part and subtract it.

    Raises:
        UsageError: fewer than 2 groups (5 if corrected), no set, or fewer rows than groups.

    Source: Efron 1982 sec. 2 and 3; Kott 2001, J. Official Statistics 17:521 (a group at a time); Efron and Stein 1981,
    Ann. Statist. 9:586 (the correction).
    Differs: the correction uses neighbours in a ring of groups instead of all pairs. Two thirds of it are subtracted, and at
    most half of the variance: with ten groups it is about 1.2 times too large, and not exact (bench/intervals.py).
    """
    require_integer(groups, "groups", 5 if corrected else 2)
    if not sets or min(map(len, sets)) < groups:
        raise UsageError(f"jackknife: expected sets of at least {groups} rows, found {list(map(len, sets))}; draw more")
    dealt = [_deal(len(each), groups).to(each.device) for each in sets]

    def without(*left: int) -> float:
        kept = (torch.isin(group, torch.tensor(left).to(group.device), invert=True) for group in dealt)
        return statistic(*(each[rows] for each, rows in zip(sets, kept, strict=True)))

    values = torch.tensor([without(g) for g in range(groups)], dtype=torch.float64)
    variance = (groups - 1) ** 2 / groups * values.var().item()
    if corrected:
        both = torch.tensor([without(g, (g + 1) % groups) for g in range(groups)], dtype=torch.float64)
        of_pairs = (groups - 2) * both - (groups - 1) * (values + values.roll(-1))  # and a constant
        variance = max(variance - SUBTRACTED * of_pairs.var().item() / 2, variance / 2)
    return student_quantile(groups - 1) * math.sqrt(variance)


def mean_interval(values: Tensor) -> tuple[float, float | None]:
    """The mean of independent values [n] and the half-width of its 95 % interval, by Student's t; None for one value."""
    mean, n = values.mean().item(), len(values)
    return mean, student_quantile(n - 1) * values.std().item() / math.sqrt(n) if n > 1 else None


@dataclass(frozen=True)
class Halves:
    """The mean [K] and the variance [K] of K statistics of a random half of all sets."""

    mean: Tensor
    variance: Tensor
    splits: int

    @classmethod
    def of(cls, statistics: Callable[..., Sequence[float]], *sets: Tensor, splits: int = 10) -> Halves:
        """Split all sets at random into two halves, `splits` times; the two halves are independent.

        This is for statistics of nearest neighbours. A jackknife makes their intervals up to 1.9 times too wide, because a
        sample has an effect on its neighbours only, and a bootstrap repeats samples, which changes all distances to
        neighbours.

        Raises:
            UsageError: fewer than 2 splits, no set, or fewer than 2 rows.
        """
        require_integer(splits, "splits", 2)
        if not sets or min(map(len, sets)) < 2:
            raise UsageError(f"halves: expected sets of at least 2 rows, found {list(map(len, sets))}; draw more")
        values = []
        for split in range(splits):
            orders = [_shuffle(len(each), ("halves", place, split)).to(each.device) for place, each in enumerate(sets)]
            for half in range(2):
                rows = [order.tensor_split(2)[half] for order in orders]
                values.append(statistics(*(each[chosen] for each, chosen in zip(sets, rows, strict=True))))
        found = torch.tensor(values, dtype=torch.float64).view(splits, 2, -1)
        return cls(found.mean((0, 1)), (found[:, 0] - found[:, 1]).square().mean(0) / 2, splits)

    def interval(self, which: int) -> float:
        """The half-width of the 95 % interval of statistic `which` of the whole sets, whose variance is half as large."""
        return student_quantile(self.splits) * math.sqrt(self.variance[which].item() / 2)

    def share_interval(self, which: int, share: float, n: int) -> float:
        """The same if statistic `which` is a share of n samples, and `share` its value for the whole sets.

        The variance has two parts. One is that of n independent samples, which is known (`wilson`). The other comes from the
        neighbourhoods, which are random too; it is what the halves vary more than independent samples would.
        """
        half = min(max(self.mean[which].item(), 0.0), 1.0)
        more = max(self.variance[which].item() / 2 - half * (1 - half) / n, 0.0)
        known = _wilson_half(share, n) / Z
        variance = known**2 + more
        # The part from the halves is estimated, with as many degrees of freedom as there are splits; the other one is known.
        freedom = self.splits * max(0.5, variance / (more + half * (1 - half) / n)) ** 2 if more else math.inf
        return (student_quantile(int(freedom)) if freedom < NORMAL else Z) * math.sqrt(variance)


def wilson(share: float, n: int) -> float:
    """How far the 95 % Wilson interval of a share of n independent samples reaches from the share; it is not 0 at 0 or 1.

    The interval reaches farther towards a half. One number for both sides has to be the longer arm: half of the width would
    cover a true share of 98 % in 87 of 100 sets of 100 samples, because a set without a miss would be too sure.

    Raises:
        UsageError: a share outside 0 .. 1, or no sample.

    Source: Wilson 1927, J. Am. Stat. Assoc. 22:209.
    """
    return _wilson_half(share, n) + Z**2 / (n + Z**2) * abs(0.5 - share)


def _wilson_half(share: float, n: int) -> float:
    """Half of the width of the Wilson interval."""
    require_integer(n, "n", 1)
    if not 0 <= share <= 1:
        raise UsageError(f"share: expected 0 to 1, found {share}; divide the count by n")
    return Z / (1 + Z**2 / n) * math.sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))


def student_quantile(freedom: int) -> float:
    """The quantile t of Student's distribution with `freedom` degrees of freedom: P(|t'| > t) = 5 %.

    Raises:
        UsageError: less than one degree of freedom.
    """
    require_integer(freedom, "degrees of freedom", 1)
    low, high = 0.0, math.pi / 2
    for _ in range(60):
        angle = (low + high) / 2
        low, high = (angle, high) if _central_probability(angle, freedom) < LEVEL else (low, angle)
    return math.sqrt(freedom) * math.tan(low)


def _central_probability(angle: float, freedom: int) -> float:
    """P(|t| < sqrt(freedom) tan angle). Source: Abramowitz and Stegun 26.7.3-4, finite sums for integer degrees."""
    odd = freedom % 2
    term = math.cos(angle) if odd else 1.0
    total = 0.0
    for i in range(freedom // 2):
        total += term
        term *= math.cos(angle) ** 2 * (2 * i + 1 + odd) / (2 * i + 2 + odd)
    area = math.sin(angle) * total
    return 2 / math.pi * (angle + area) if odd else area


def _deal(n: int, groups: int) -> Tensor:
    """The random group [n] of each row: sizes differ by at most one; the same for every set of n rows."""
    return (torch.arange(n) * groups // n)[_shuffle(n, ("jackknife",))]


def _shuffle(n: int, purpose: tuple[str | int, ...]) -> Tensor:
    """The numbers 0 .. n - 1 in a random order [n], which depends on n and the purpose only."""
    return torch.randperm(n, generator=torch.Generator().manual_seed(mix(*purpose, n)))
