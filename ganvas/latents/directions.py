"""Latent directions: SeFa (from the weights), GANSpace (PCA of codes), and the difference of two classes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from ganvas.errors import UsageError


@dataclass(frozen=True)
class Directions:
    """Orthonormal directions `vectors` [k, d], the strongest first, and the share [k] of the sum of eigenvalues of each.

    The sign of an eigenvector is arbitrary; here its largest entry is positive. All float64.
    """

    vectors: Tensor
    shares: Tensor


def strongest_directions(weights: Iterable[Tensor]) -> Directions:
    """SeFa: the eigenvectors n of the sum of A^T A, A [features, d], by eigenvalue.

    A step along n changes the features by A n, from every code alike; |A n|^2 is the eigenvalue. The share is that of the
    sum of all eigenvalues. No data is needed. Source: arXiv:2007.06600 sec. 3.

    Raises:
        UsageError: no matrix, matrices for codes of different sizes, or one that is not finite.
    """
    matrices = [weight.detach().double().cpu() for weight in weights]
    if not matrices or any(matrix.ndim != 2 or matrix.shape[1] != matrices[0].shape[1] for matrix in matrices):
        shapes = [list(matrix.shape) for matrix in matrices]
        raise UsageError(f"strongest: expected matrices [features, d] of one d, got shapes {shapes}")
    stacked = torch.cat(matrices)
    return _eigenvectors(stacked.T @ stacked, "the weights")


def principal_directions(points: Tensor) -> Directions:
    """GANSpace: the principal components of codes [N, d]; the share is that of the total variance.

    Source: arXiv:2004.02546 sec. 2.2.

    Raises:
        UsageError: fewer than two codes, or one that is not finite.
    """
    if points.ndim != 2 or len(points) < 2:
        raise UsageError(f"principal: expected at least two codes [N, d], got shape {list(points.shape)}")
    centred = points.detach().double().cpu()
    centred = centred - centred.mean(0)
    return _eigenvectors(centred.T @ centred / (len(points) - 1), "the codes")


def class_difference(points: Tensor, labels: Tensor, towards: int, away: int) -> Tensor:
    """The mean of the codes [N, d] of class `towards` minus that of class `away`, scaled to length 1: [d], float64.

    If both classes are Gaussian with the same round covariance, no other direction separates them better.
    Source: arXiv:1511.06434 sec. 6.3.2.

    Raises:
        UsageError: a class without a code, or two classes with one mean.
    """
    means = []
    for name in (towards, away):
        chosen = points[labels == name]
        if not len(chosen):
            raise UsageError(f"class {name}: found in none of {len(points):,} samples; choose another, or train longer")
        means.append(chosen.detach().double().cpu().mean(0))
    step: Tensor = means[0] - means[1]
    if not (length := step.norm()):
        raise UsageError(f"classes {towards} and {away} have the same mean: there is no direction between them; choose others")
    return step.div(length)


def spread_along(points: Tensor, vector: Tensor) -> float:
    """The standard deviation of codes [N, d] along a unit vector [d]: the unit of a step in this direction."""
    return float((points.double().cpu() @ vector.double()).std())


def _eigenvectors(symmetric: Tensor, of: str) -> Directions:
    """The eigenvectors of a positive semidefinite matrix [d, d], by eigenvalue, the largest first."""
    if not symmetric.isfinite().all():
        raise UsageError(f"{of} are not finite: the model has diverged")
    values, columns = torch.linalg.eigh(symmetric)
    values, vectors = values.flip(0).clamp(min=0), columns.T.flip(0)
    largest = vectors.gather(1, vectors.abs().argmax(1, keepdim=True))
    return Directions(vectors * largest.sign(), values / values.sum().clamp(min=torch.finfo(values.dtype).tiny))
