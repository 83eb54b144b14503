"""Kernel distance of two sets of features: squared MMD with a polynomial kernel; with Inception features it is the KID."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ganvas.errors import UsageError
from ganvas.metrics.checks import require_integer, require_matrices, require_row_sets
from ganvas.metrics.confidence import mean_interval
from ganvas.utils.seeds import mix

ROWS = 1000  # of a kernel matrix in memory at a time
BLOCKS = 10  # at least: with 9 degrees of freedom the interval is 15 % wider than with a known error, with 1 it is 6 times


def kernel_distance(
    a: Tensor, b: Tensor, block: int = 1000, seed: int = 0, scale: Tensor | None = None, least: int = BLOCKS
) -> tuple[float, float | None]:
    """Kernel distance of features a [N, d] and b [M, d], unbiased, and the half-width of its 95 % interval.

    The mean of `polynomial_mmd` over disjoint blocks of at most `block` random rows of each set, chosen by `seed`; there are
    at least `least` blocks, unless that leaves fewer than 2 rows a block. Disjoint blocks are independent, so the interval of
    their mean is that of Student, with as many degrees of freedom as there are blocks, minus one. With one block it is None:
    not known. It covers the distance of the two distributions, which is 0 if they are equal; so the estimate may be negative.
    Papers report it times 1000. `scale` [] divides the features, block by block.

    Raises:
        UsageError: fewer than 2 rows, another number of dimensions, different d, a NaN, a block below 2, least below 1, or
            features so large that the cubes of their products are infinite.

    Source: arXiv:1801.01401 sec. 4 (KID), for the features of Inception v3.
    Differs: disjoint blocks instead of random subsets, whose standard deviation is no estimate of the error; and ten blocks
    also of few rows, because the error of fewer is not known well enough.
    """
    a, b = require_row_sets(a, b, ("a", "b"))
    require_integer(block, "block", 2)
    require_integer(least, "least", 1)
    n = min(max(-(-max(len(a), len(b)) // block), least), min(len(a), len(b)) // 2)
    orders = [[rows[:block] for rows in _order(x, seed).tensor_split(n)] for x in (a, b)]
    found = []
    for rows_a, rows_b in zip(*orders, strict=True):
        pair = (a[rows_a].double(), b[rows_b].double())  # copies of these rows only
        found.append(polynomial_mmd(*(pair if scale is None else (part / scale for part in pair))))
    values = torch.tensor(found, dtype=torch.float64)
    if not values.isfinite().all():
        most = max(float(x.abs().max()) for x in (a, b)) / (1 if scale is None else float(scale))
        raise UsageError(
            f"kernel distance: expected features near 1, found {most:.3g}, too large for its cubic kernel; "
            "the model has diverged: measure an earlier checkpoint"
        )
    return mean_interval(values)


def polynomial_mmd(a: Tensor, b: Tensor) -> float:
    """Unbiased squared MMD of a [N, d] and b [M, d] under the kernel (x.y / d + 1)^3, over all pairs of rows.

    Raises:
        UsageError: fewer than 2 rows, another number of dimensions, different d, or a NaN.

    Source: arXiv:1801.01401 eq. 4 and sec. 4.
    """
    a, b = require_matrices(a, b, ("a", "b"))
    return _mean_within(a) + _mean_within(b) - 2 * _kernel_sum(a, b) / (len(a) * len(b))


def paired_mmd(a: Tensor, b: Tensor) -> float:
    """`polynomial_mmd` of a [N, d] and b [N, d] whose rows belong together: outputs and their truths.

    A row and its partner are more alike than two independent rows of the two sets, which would make the distance too small.
    So the kernel is not taken between partners; if a is b, the result is 0.

    Raises:
        UsageError: see `polynomial_mmd`; or another number of rows.

    Source: Gretton et al. 2012, A kernel two-sample test, JMLR 13, lemma 6, the unbiased statistic of m = n samples.
    """
    a, b = require_matrices(a, b, ("a", "b"))
    if len(a) != len(b):
        raise UsageError(f"paired distance: expected as many rows in a and b, found {len(a):,} and {len(b):,}")
    partners = float(((a * b).sum(1) / a.shape[1] + 1).pow(3).sum())
    n = len(a)
    return _mean_within(a) + _mean_within(b) - 2 * (_kernel_sum(a, b) - partners) / (n * (n - 1))


def feature_scale(features: Tensor) -> Tensor:
    """The root mean square [] of all numbers of features [N, d], float64, `ROWS` rows at a time; 1 if all are 0.

    A power of two is taken out first, so that no square is infinite or 0.
    """
    largest = max(float(part.abs().max()) for part in features.split(ROWS))
    unit = math.ldexp(1.0, math.frexp(largest)[1] - 1)
    squares = torch.stack([(part.double() / unit).square().sum() for part in features.split(ROWS)])
    return (squares.sum() / features.numel()).sqrt() * unit if largest else squares.new_ones(())


def _mean_within(x: Tensor) -> float:
    """The mean of the kernel over all pairs of different rows of x."""
    own = float((x.square().sum(1) / x.shape[1] + 1).pow(3).sum())
    return (_kernel_sum(x, x) - own) / (len(x) * (len(x) - 1))


def _kernel_sum(a: Tensor, b: Tensor) -> float:
    """The sum of the kernel over all pairs of a row of a and a row of b."""
    return sum(float((rows @ b.T).div_(a.shape[1]).add_(1).pow_(3).sum()) for rows in a.split(ROWS))


def _order(x: Tensor, seed: int) -> Tensor:
    """A random order of the rows of x, from the seed and the number of rows."""
    return torch.randperm(len(x), generator=torch.Generator().manual_seed(mix("kernel", seed, len(x)))).to(x.device)
