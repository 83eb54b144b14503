"""KL and Jensen-Shannon divergence of points from a distribution in one or two dimensions, by histograms.

The histogram has side**D equal cells, and one more for all points outside. If the density of the data is known, the masses
are exact; otherwise a large sample is counted. Both divergences are biased upwards by the finite number of samples: report
the divergence of a perfect sampler with as many samples (the floor).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ganvas.errors import UsageError
from ganvas.metrics.checks import require_matrix


@dataclass(frozen=True)
class Divergences:
    """kl: KL(data || samples) in nats. js: Jensen-Shannon, 0 to ln 2. covered: mass of the data in cells with a sample."""

    kl: float
    js: float
    covered: float


@dataclass(frozen=True)
class Cells:
    """`side` cells along each of `dims` axes, from `low` to `high`."""

    low: float
    high: float
    side: int
    dims: int

    def counts(self, points: Tensor) -> Tensor:
        """points [N, dims] -> the number in each cell, float64 [side**dims + 1]; the last is for points outside.

        Raises:
            UsageError: points of other dimensions, or a NaN.
        """
        points = require_matrix(points, "points", at_least=1)
        if points.shape[1] != self.dims:
            raise UsageError(f"points: expected {self.dims} numbers each, found {points.shape[1]}")
        place = ((points - self.low) / (self.high - self.low) * self.side).floor()
        outside = ((place < 0) | (place >= self.side)).any(1)
        cell = place[:, 0] if self.dims == 1 else place[:, 0] * self.side + place[:, 1]
        cell = cell.masked_fill(outside, self.side**self.dims).long()
        return cell.bincount(minlength=self.side**self.dims + 1).double()

    def masses(self, centres: Tensor, sd: float) -> Tensor:
        """The exact mass in each cell [side**dims + 1] of K isotropic Gaussians of equal weight, centres [K, dims]."""
        edges = torch.linspace(self.low, self.high, self.side + 1, dtype=torch.float64)
        below = torch.special.ndtr((edges - centres.double()[:, :, None]) / sd)  # [K, dims, side + 1]
        within = below.diff(dim=2)
        joint = within[:, 0] if self.dims == 1 else (within[:, 0, :, None] * within[:, 1, None, :]).flatten(1)
        inside = joint.mean(0)
        return torch.cat([inside, (1 - inside.sum()).clamp_min(0)[None]])


def divergences(data: Tensor, counts: Tensor) -> Divergences:
    """The divergences of counts [K] of samples from data [K], masses or counts.

    One more sample, spread over all cells, keeps KL finite for cells without a sample: at most ln((N + 1) K).
    """
    p = data / data.sum()
    q = (counts + 1 / len(counts)) / (counts.sum() + 1)
    middle = (p + q) / 2
    kl = (p.xlogy(p) - p.xlogy(q)).sum()
    js = 0.5 * (p.xlogy(p) - p.xlogy(middle)).sum() + 0.5 * (q.xlogy(q) - q.xlogy(middle)).sum()
    return Divergences(max(0.0, kl.item()), max(0.0, js.item()), p[counts > 0].sum().item())
