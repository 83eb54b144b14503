"""Precision and recall, density and coverage of features, by k-nearest-neighbour balls.

Every function takes (real, fake), in that order: swapping them swaps precision and recall.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ganvas.metrics.checks import require_integer, require_row_sets
from ganvas.metrics.nearest_neighbours import CHUNK, Lattice, blocks


def precision_recall(real: Tensor, fake: Tensor, k: int = 3) -> tuple[float, float]:
    """Precision and recall of features real [N, d] and fake [M, d].

    Precision is the share of fakes in the support of the reals, recall the share of reals in the support of the fakes. The
    support of a set is the union of a ball around each sample, with the distance to its k-th neighbour as radius, boundary
    included. Copies of one typical real have precision 1 and recall near 0. Two sets of one distribution do not score 1 but
    about 0.5 if there are many features: report the score of reals against other reals.

    Raises:
        UsageError: k is not in 1 .. samples - 1, another number of dimensions, different d, or a NaN.

    Source: arXiv:1904.06991 sec. 3, eq. 1-2.
    """
    real, fake, lattice = _choose_lattice(real, fake, k)
    of_real, of_fake = _radii(real, k, lattice), _radii(fake, k, lattice)
    precise = torch.zeros(len(fake), dtype=torch.bool, device=fake.device)
    recalled = []
    for squared, radius in zip(blocks(real, fake, lattice=lattice), of_real.split(CHUNK), strict=True):
        precise |= (squared <= radius[:, None]).any(0)
        recalled.append((squared <= of_fake).any(1))
    return precise.double().mean().item(), torch.cat(recalled).double().mean().item()


def density_coverage(real: Tensor, fake: Tensor, k: int = 5) -> tuple[float, float]:
    """Density and coverage of features real [N, d] and fake [M, d].

    Density is the mean number of balls of reals that contain a fake, over k: 1 for equal distributions, above 1 if fakes
    concentrate in dense regions. Coverage is the share of reals with a fake in their ball, boundary excluded; for equal
    distributions 1 - prod_{i=1..k} (N - i)/(N + M - i) on average, which tends to 1 - 2^-k.

    Raises:
        UsageError: k is not in 1 .. samples - 1, another number of dimensions, different d, or a NaN.

    Source: arXiv:2002.09797 eq. 3-4, sec. 4.1 (the average), clovaai/generative-evaluation-prdc (the strict edge).
    """
    real, fake, lattice = _choose_lattice(real, fake, k)
    inside, covered = 0, 0
    for squared, radius in zip(blocks(real, fake, lattice=lattice), _radii(real, k, lattice).split(CHUNK), strict=True):
        hits = (squared < radius[:, None]).sum(1)
        inside += int(hits.sum())
        covered += int((hits > 0).sum())
    return inside / (k * len(fake)), covered / len(real)


def _choose_lattice(real: Tensor, fake: Tensor, k: int) -> tuple[Tensor, Tensor, Lattice]:
    real, fake = require_row_sets(real, fake)
    require_integer(k, "k", 1, min(len(real), len(fake)) - 1)
    return real, fake, Lattice.over(real, fake)


def _radii(points: Tensor, k: int, lattice: Lattice) -> Tensor:
    """The squared distance [N] of each point to its k-th neighbour. The smallest of k + 1 is 0: the point itself."""
    return torch.cat([squared.topk(k + 1, largest=False).values[:, k] for squared in blocks(points, points, lattice=lattice)])
