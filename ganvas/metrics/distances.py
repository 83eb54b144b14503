"""How far apart two sets of features are: Fréchet distance and polynomial kernel distance, in float64."""

from __future__ import annotations

import torch
from torch import Tensor

from ganvas.errors import UsageError
from ganvas.metrics.inputs import matrices, matrix, whole
from ganvas.seeds import mix

ROWS = 1000  # of a kernel matrix in memory at a time


def frechet(a: Tensor, b: Tensor) -> float:
    """Fréchet distance of features a [N, d] and b [M, d]: that of two Gaussians with their means and covariances.

    Biased upwards: for Gaussian features with covariance S, two samples of one law are apart by about
    tr(S) (1/N + 1/M), and for S = I by d(d + 1)/4 (1/(N - 1) + 1/(M - 1)) more. So compare equal N and M only, take many
    more samples than features, and print beside it the distance of as many reals to other reals.

    Raises:
        UsageError: fewer than 2 rows, another number of dimensions, different d, or a NaN.

    Source: arXiv:1706.08500 sec. 2, eq. 6. "FID" is this number for the features of Inception v3, and for no others.
    """
    a, b = matrices(a, b, ("a", "b"))
    return frechet_of(*moments(a), *moments(b))


def frechet_of(mean_a: Tensor, cov_a: Tensor, mean_b: Tensor, cov_b: Tensor) -> float:
    """|m1 - m2|^2 + tr(C1 + C2 - 2 (C1^1/2 C2 C1^1/2)^1/2) of means [d] and covariances [d, d].

    The trace of the last root is the sum of the singular values of C1^1/2 C2^1/2. Taking those spares the root of
    eigenvalues that are rounding errors, which counts for singular covariances: fewer samples than features.

    Raises:
        UsageError: shapes that do not belong together, or a NaN.

    Source: arXiv:1706.08500 eq. 6; Dowson and Landau 1982 eq. 4.
    """
    d = mean_a.numel()
    if mean_a.shape != (d,) or mean_b.shape != (d,) or cov_a.shape != (d, d) or cov_b.shape != (d, d):
        found = [list(each.shape) for each in (mean_a, cov_a, mean_b, cov_b)]
        raise UsageError(f"Fréchet distance: expected shapes [d], [d, d], [d], [d, d], found {found}; use one network for both")
    cov_a, cov_b = matrix(cov_a, "covariance of a", 1), matrix(cov_b, "covariance of b", 1)
    mean_a, mean_b = matrix(mean_a[None], "mean of a", 1)[0], matrix(mean_b[None], "mean of b", 1)[0]
    overlap = torch.linalg.svdvals(_root(cov_a).T @ _root(cov_b)).sum()
    distance = float((mean_a - mean_b).square().sum() + cov_a.trace() + cov_b.trace() - 2 * overlap)
    return max(distance, 0.0)  # of equal sets, rounding may leave -1e-14


def moments(features: Tensor) -> tuple[Tensor, Tensor]:
    """features [N, d] -> mean [d] and covariance [d, d] with the divisor N - 1, float64."""
    features = matrix(features, "features")
    return features.mean(0), torch.atleast_2d(features.T.cov())


def kernel(a: Tensor, b: Tensor, block: int = 1000, seed: int = 0, scale: Tensor | None = None) -> tuple[float, float]:
    """Kernel distance of features a [N, d] and b [M, d], unbiased, and its standard error.

    The mean of `polynomial_mmd` over disjoint blocks of at most `block` random rows of each set, drawn by `seed`. Being
    disjoint, the blocks are independent, and the error is their standard deviation over the root of their number; it is
    0.0, meaning unknown, where there is one block only. The distance of equal laws is 0 on average, so it may be
    negative. Published tables print it times 1000. `scale` [] divides the features, a block at a time.

    Raises:
        UsageError: fewer than 2 rows, another number of dimensions, different d, a NaN, or a block below 2.

    Source: arXiv:1801.01401 sec. 4 (KID), for the features of Inception v3.
    Differs: disjoint blocks instead of subsets drawn anew, whose spread says nothing about the error.
    """
    a, b = matrices(a, b, ("a", "b"))
    whole(block, "block", 2)
    n = min(-(-max(len(a), len(b)) // block), min(len(a), len(b)) // 2)
    orders = [[rows[:block] for rows in _order(x, seed).tensor_split(n)] for x in (a, b)]
    found = []
    for rows_a, rows_b in zip(*orders, strict=True):
        pair = (a[rows_a], b[rows_b])  # copies of these rows only
        found.append(polynomial_mmd(*(pair if scale is None else (part / scale for part in pair))))
    values = torch.tensor(found, dtype=torch.float64)
    return values.mean().item(), values.std().item() / n**0.5 if n > 1 else 0.0


def polynomial_mmd(a: Tensor, b: Tensor) -> float:
    """Unbiased squared MMD of a [N, d] and b [M, d] under the kernel (x.y / d + 1)^3, over all pairs of rows.

    Raises:
        UsageError: fewer than 2 rows, another number of dimensions, different d, or a NaN.

    Source: arXiv:1801.01401 eq. 4 and sec. 4.
    """
    a, b = matrices(a, b, ("a", "b"))
    return _among(a) + _among(b) - 2 * _total(a, b) / (len(a) * len(b))


def _among(x: Tensor) -> float:
    """The mean kernel of two different rows of x."""
    own = float((x.square().sum(1) / x.shape[1] + 1).pow(3).sum())
    return (_total(x, x) - own) / (len(x) * (len(x) - 1))


def _total(a: Tensor, b: Tensor) -> float:
    """The kernel summed over all pairs of a row of a and a row of b."""
    return sum(float((rows @ b.T).div_(a.shape[1]).add_(1).pow_(3).sum()) for rows in a.split(ROWS))


def _order(x: Tensor, seed: int) -> Tensor:
    """The numbers of the rows of x in an order that depends on the seed and on how many they are."""
    return torch.randperm(len(x), generator=torch.Generator().manual_seed(mix("kernel", seed, len(x)))).to(x.device)


def _root(covariance: Tensor) -> Tensor:
    """R [d, d] with R R^T = covariance."""
    values, vectors = torch.linalg.eigh(covariance)
    root: Tensor = vectors * values.clamp(min=0).sqrt()
    return root
