"""Precision and recall, density and coverage of features, by k-nearest-neighbour balls.

Every function takes (real, fake), in that order: swapping them swaps precision and recall.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

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
    return support_measures(real, fake, k, k)[:2]


def density_coverage(real: Tensor, fake: Tensor, k: int = 5) -> tuple[float, float]:
    """Density and coverage of features real [N, d] and fake [M, d].

    Density is the mean number of balls of reals that contain a fake, over k: 1 for equal distributions, above 1 if fakes
    concentrate in dense regions. Coverage is the share of reals with a fake in their ball, boundary excluded; for equal
    distributions 1 - prod_{i=1..k} (N - i)/(N + M - i) on average, which tends to 1 - 2^-k.

    Raises:
        UsageError: k is not in 1 .. samples - 1, another number of dimensions, different d, or a NaN.

    Source: arXiv:2002.09797 eq. 3-4, sec. 4.1 (the average), clovaai/generative-evaluation-prdc (the strict edge).
    """
    return support_measures(real, fake, k, k)[2:]


class SupportMeasures(NamedTuple):
    """The four measures of how far the supports of two sets agree."""

    precision: float
    recall: float
    density: float
    coverage: float


def support_measures(real: Tensor, fake: Tensor, k: int = 3, k_coverage: int = 5) -> SupportMeasures:
    """`precision_recall` with k neighbours and `density_coverage` with k_coverage, from one computation of all distances.

    Raises:
        UsageError: as of these two.
    """
    real, fake = require_row_sets(real, fake)
    for each, name in ((k, "k"), (k_coverage, "k of coverage")):
        require_integer(each, name, 1, min(len(real), len(fake)) - 1)
    lattice = Lattice.over(real, fake)
    of_real, of_fake = _radii(real, (k, k_coverage), lattice), _radii(fake, (k,), lattice)[:, 0]
    precise = torch.zeros(len(fake), dtype=torch.bool, device=fake.device)
    recalled, inside, covered = 0, 0, 0
    for squared, radii in zip(blocks(real, fake, lattice=lattice), of_real.split(CHUNK), strict=True):
        precise |= (squared <= radii[:, :1]).any(0)
        recalled += int((squared <= of_fake).any(1).sum())
        hits = (squared < radii[:, 1:]).sum(1)
        inside += int(hits.sum())
        covered += int((hits > 0).sum())
    return SupportMeasures(
        precise.double().mean().item(), recalled / len(real), inside / (k_coverage * len(fake)), covered / len(real)
    )


def _radii(points: Tensor, neighbors: Sequence[int], lattice: Lattice) -> Tensor:
    """The squared distances [N, len(neighbors)] of each point to its k-th neighbors.

    The smallest of k + 1 distances is 0: the point itself.
    """
    count, which = max(neighbors) + 1, list(neighbors)
    return torch.cat(
        [
            squared.topk(count, largest=False, sorted=True).values[:, which]
            for squared in blocks(points, points, lattice=lattice)
        ]
    )
