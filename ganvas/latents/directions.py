"""Directions worth walking in: read off the weights, found in a cloud of codes, or the difference of two kinds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from ganvas.errors import UsageError


@dataclass(frozen=True)
class Directions:
    """Orthonormal directions `vectors` [k, d], the strongest first, and the share [k] of the whole that each accounts for.

    The sign of an eigenvector is nobody's choice, so one is fixed: its largest entry is positive. All float64.
    """

    vectors: Tensor
    shares: Tensor


def strongest_directions(weights: Iterable[Tensor]) -> Directions:
    """The directions n that matrices A [features, d] lengthen most: the eigenvectors of the sum of A^T A, by eigenvalue.

    A step in n changes the features by A n, whatever the code it starts from; |A n|^2 is the eigenvalue. The share is of the
    sum of all eigenvalues. No data is needed. Source: arXiv:2007.06600 sec. 3 (SeFa).

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
    """The directions in which a cloud of codes [N, d] varies most; the share is of its whole variance.

    Source: arXiv:2004.02546 sec. 2.2 (GANSpace).

    Raises:
        UsageError: fewer than two codes, or one that is not finite.
    """
    if points.ndim != 2 or len(points) < 2:
        raise UsageError(f"principal: expected at least two codes [N, d], got shape {list(points.shape)}")
    centred = points.detach().double().cpu()
    centred = centred - centred.mean(0)
    return _eigenvectors(centred.T @ centred / (len(points) - 1), "the codes")


def class_difference(points: Tensor, labels: Tensor, towards: int, away: int) -> Tensor:
    """From the mean of the codes [N, d] of one class to that of another, scaled to length 1: [d], float64.

    Where both classes are Gaussian and equally wide in all directions, it is the best one to tell them apart by.
    The operation is arXiv:1511.06434 sec. 6.3.2's: the mean of one kind minus the mean of the other.

    Raises:
        UsageError: a class without a code, or two classes with one mean.
    """
    means = []
    for name in (towards, away):
        chosen = points[labels == name]
        if not len(chosen):
            raise UsageError(f"class {name}: none of {len(points):,} samples is one; choose another, or train longer")
        means.append(chosen.detach().double().cpu().mean(0))
    step: Tensor = means[0] - means[1]
    if not (length := step.norm()):
        raise UsageError(f"classes {towards} and {away} have the same mean: there is no way from one to the other")
    return step.div(length)


def spread_along(points: Tensor, vector: Tensor) -> float:
    """The standard deviation of codes [N, d] along a unit vector [d]: how far a step is that the model is used to."""
    return float((points.double().cpu() @ vector.double()).std())


def _eigenvectors(symmetric: Tensor, of: str) -> Directions:
    """Of a matrix [d, d] without negative eigenvalues; the largest first."""
    if not symmetric.isfinite().all():
        raise UsageError(f"{of} are not finite: the model has diverged")
    values, columns = torch.linalg.eigh(symmetric)
    values, vectors = values.flip(0).clamp(min=0), columns.T.flip(0)
    largest = vectors.gather(1, vectors.abs().argmax(1, keepdim=True))
    return Directions(vectors * largest.sign(), values / values.sum().clamp(min=torch.finfo(values.dtype).tiny))
