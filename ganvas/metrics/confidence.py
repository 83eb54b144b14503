"""Confidence intervals: half-widths of 95 % intervals by the jackknife, and of a share by Wilson."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from ganvas.errors import UsageError
from ganvas.metrics.checks import require_integer
from ganvas.utils.seeds import mix

LEVEL = 0.95
Z = 1.959963984540054  # the normal quantile of 97.5 %


def jackknife(statistic: Callable[..., float], *sets: Tensor, groups: int = 10) -> float:
    """The half-width of the 95 % interval of statistic(*sets), by a jackknife that leaves out one of `groups` at a time.

    Rows get a random group, always the same one for a set of n rows, so sorted rows do no harm, and row i of two sets of one
    length, such as images and labels, is in one group. The g-th group of every set is left out together; the interval uses
    Student's t with groups - 1 degrees of freedom. It is the error from the finite number of samples, not from another
    training run. It is too wide for a statistic that draws random blocks, pairs or patches, because the draw differs for
    every group: compare disjoint parts instead.

    Raises:
        UsageError: fewer than 2 groups, no set, or fewer rows than groups.

    Source: Efron 1982 sec. 2 and 3; Kott 2001, J. Official Statistics 17:521 (a group at a time).
    """
    require_integer(groups, "groups", 2)
    if not sets or min(map(len, sets)) < groups:
        raise UsageError(f"jackknife: expected sets of at least {groups} rows, found {list(map(len, sets))}; draw more")
    dealt = [_deal(len(each), groups).to(each.device) for each in sets]
    values = [statistic(*(each[group != g] for each, group in zip(sets, dealt, strict=True))) for g in range(groups)]
    mean = sum(values) / groups
    variance = (groups - 1) / groups * sum((value - mean) ** 2 for value in values)
    return student_quantile(groups - 1) * math.sqrt(variance)


def wilson(share: float, n: int) -> float:
    """The half-width of the 95 % Wilson interval of a share of n independent samples; it is not 0 at share 0 or 1.

    Raises:
        UsageError: a share outside 0 .. 1, or no sample.

    Source: Wilson 1927, J. Am. Stat. Assoc. 22:209.
    """
    require_integer(n, "n", 1)
    if not 0 <= share <= 1:
        raise UsageError(f"share: expected 0 to 1, found {share}; divide the count by n")
    return Z / (1 + Z**2 / n) * math.sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))


def student_quantile(freedom: int) -> float:
    """The quantile t of Student's distribution with `freedom` degrees of freedom: P(|t'| > t) = 5 %."""
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
    order = torch.randperm(n, generator=torch.Generator().manual_seed(mix("jackknife", n)))
    return (torch.arange(n) * groups // n)[order]
