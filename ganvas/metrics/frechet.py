"""Fréchet distance of two sets of features; with Inception features it is the FID. Source: arXiv:1706.08500."""

from __future__ import annotations

import torch
from torch import Tensor

from ganvas.errors import UsageError
from ganvas.metrics.checks import require_matrix, require_row_sets


def frechet_distance(a: Tensor, b: Tensor) -> float:
    """Fréchet distance of features a [N, d] and b [M, d]: that of two Gaussians with their means and covariances.

    It is biased upwards: for Gaussian features with covariance S, two sets from one distribution have a distance of about
    tr(S) (1/N + 1/M), and for S = I by d(d + 1)/4 (1/(N - 1) + 1/(M - 1)) more. So compare only equal N and M, use many
    more samples than features, and report the distance of as many reals to other reals (the floor).

    Raises:
        UsageError: fewer than 2 rows, another number of dimensions, different d, or a NaN.

    Source: arXiv:1706.08500 sec. 2, eq. 6. Only with the features of Inception v3 this number is called FID.
    """
    a, b = require_row_sets(a, b, ("a", "b"))
    return frechet_from_moments(*moments(a), *moments(b))  # one copy in float64 at a time


def frechet_from_moments(mean_a: Tensor, cov_a: Tensor, mean_b: Tensor, cov_b: Tensor) -> float:
    """|m1 - m2|^2 + tr(C1 + C2 - 2 (C1^1/2 C2 C1^1/2)^1/2) of means [d] and covariances [d, d].

    The trace of the last root is the sum of the singular values of C1^1/2 C2^1/2. This avoids square roots of eigenvalues
    that are rounding errors, which matters for singular covariances (fewer samples than features).

    Raises:
        UsageError: shapes that do not fit, or a NaN.

    Source: arXiv:1706.08500 eq. 6; Dowson and Landau 1982 eq. 4.
    """
    d = mean_a.numel()
    if mean_a.shape != (d,) or mean_b.shape != (d,) or cov_a.shape != (d, d) or cov_b.shape != (d, d):
        found = [list(each.shape) for each in (mean_a, cov_a, mean_b, cov_b)]
        raise UsageError(f"Fréchet distance: expected shapes [d], [d, d], [d], [d, d], found {found}; use one network for both")
    cov_a, cov_b = require_matrix(cov_a, "covariance of a", 1), require_matrix(cov_b, "covariance of b", 1)
    mean_a, mean_b = require_matrix(mean_a[None], "mean of a", 1)[0], require_matrix(mean_b[None], "mean of b", 1)[0]
    overlap = torch.linalg.svdvals(_root(cov_a).T @ _root(cov_b)).sum()
    distance = float((mean_a - mean_b).square().sum() + cov_a.trace() + cov_b.trace() - 2 * overlap)
    return max(distance, 0.0)  # for equal sets rounding may give -1e-14


def moments(features: Tensor) -> tuple[Tensor, Tensor]:
    """features [N, d] -> mean [d] and covariance [d, d] with the divisor N - 1, float64."""
    features = require_matrix(features, "features")
    return features.mean(0), torch.atleast_2d(features.T.cov())


def _root(covariance: Tensor) -> Tensor:
    """R [d, d] with R R^T = covariance."""
    values, vectors = torch.linalg.eigh(covariance)
    root: Tensor = vectors * values.clamp(min=0).sqrt()
    return root
