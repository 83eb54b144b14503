"""How far samples are from a known distribution on a line or in the plane, by counting them in cells.

The space is a box of side**D equal cells and one more for all that falls outside, so no sample is lost. Data whose density is
known have exact masses; of others a large sample is counted. Both divergences are biased upwards by the finite number of
samples: `of` a perfect sampler's counts is the floor to print beside them.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ganvas.errors import UsageError
from ganvas.metrics.checks import require_matrix


@dataclass(frozen=True)
class Divergences:
    """In nats. kl: KL(data || samples). js: Jensen-Shannon, from 0 to ln 2. covered: mass of data in cells with a sample."""

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
        """points [N, dims] -> how many lie in each cell, float64 [side**dims + 1], the last outside.

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
        """The exact mass of an even mixture of round Gaussians, centres [K, dims], in each cell [side**dims + 1]."""
        edges = torch.linspace(self.low, self.high, self.side + 1, dtype=torch.float64)
        below = torch.special.ndtr((edges - centres.double()[:, :, None]) / sd)  # [K, dims, side + 1]
        within = below.diff(dim=2)
        joint = within[:, 0] if self.dims == 1 else (within[:, 0, :, None] * within[:, 1, None, :]).flatten(1)
        inside = joint.mean(0)
        return torch.cat([inside, (1 - inside.sum()).clamp_min(0)[None]])


def divergences(data: Tensor, counts: Tensor) -> Divergences:
    """data [K], masses or counts, against counts [K] of samples.

    One sample's worth of mass, spread over all cells, keeps KL finite where no sample fell: at most ln((N + 1) K).
    """
    p = data / data.sum()
    q = (counts + 1 / len(counts)) / (counts.sum() + 1)
    middle = (p + q) / 2
    kl = (p.xlogy(p) - p.xlogy(q)).sum()
    js = 0.5 * (p.xlogy(p) - p.xlogy(middle)).sum() + 0.5 * (q.xlogy(q) - q.xlogy(middle)).sum()
    return Divergences(max(0.0, kl.item()), max(0.0, js.item()), p[counts > 0].sum().item())
