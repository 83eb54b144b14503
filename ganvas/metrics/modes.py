"""Mode coverage: captured modes, high-quality samples, reverse KL, for mixtures of Gaussians and Stacked-MNIST."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ganvas.errors import UsageError
from ganvas.metrics.checks import require_matrices, require_matrix

RADIUS = 3.0  # standard deviations from a centre within which a sample is of high quality
ENOUGH = 10  # samples in a mode from which its spread is measured
STACKED = 1000  # classes of three digits
CHUNK = 10_000


@dataclass(frozen=True)
class Modes:
    """Mode coverage of a mixture.

    captured: modes that are the nearest one of at least one high-quality sample
    modes: the number of modes
    high_quality: the share of samples within 3 sd of the nearest centre; 98.89 % for a perfect sampler in 2-D, not 100 %
    spread: standard deviation of the samples of a mode over the true one, mean over captured modes; 1 is perfect
    reverse_kl: KL(histogram of high-quality samples || uniform) in nats; log(modes) if there is no such sample
    """

    captured: int
    modes: int
    high_quality: float
    spread: float
    reverse_kl: float


def mixture_modes(points: Tensor, centres: Tensor, sd: float) -> Modes:
    """points [N, d] against K isotropic Gaussians of equal weight: centres [K, d], standard deviation sd.

    `spread` uses high-quality samples only, so samples between the modes do not count. Without samples beyond 3 sd a perfect
    mode is narrower, in 2-D by a factor of 0.974; the spread is divided by it, so a perfect sampler has 1.0 for every d.
    Above 1 it is too small: in 2-D it cannot exceed 1.54, while `high_quality` falls. Modes with fewer than 10 samples are
    left out; 0.0 means that no mode had enough.

    The `reverse_kl` of a perfect sampler is not 0 but about `kl_floor(K, N)`: 0.0014 for 8 modes and 0.0048 for 25 modes
    with the usual 2,500 samples.

    Raises:
        UsageError: another number of dimensions, different d, a NaN, fewer than 2 points, or sd not above 0.

    Source: arXiv:1705.07761 sec. 5.1 (VEEGAN: captured, 3 sd, 2,500 samples); arXiv:1712.04086 sec. 4.1 (reverse KL).
    """
    points, centres = require_matrices(require_matrix(points, "points"), centres, ("points", "centres"), at_least=1)
    if not 0 < sd < math.inf:
        raise UsageError(f"sd: expected a finite number above 0, found {sd}; pass the true standard deviation of a mode")
    near = [torch.cdist(rows, centres, compute_mode="donot_use_mm_for_euclid_dist").min(1) for rows in points.split(CHUNK)]
    distance, mode = torch.cat([each.values for each in near]), torch.cat([each.indices for each in near])
    good = distance <= RADIUS * sd
    counts = mode[good].bincount(minlength=len(centres))
    within = [points[good & (mode == m)] for m in range(len(centres)) if counts[m] >= ENOUGH]
    spreads = [math.sqrt(each.var(0).mean().item() / _truncated_variance(each.shape[1])) / sd for each in within]
    return Modes(
        captured=int((counts > 0).sum()),
        modes=len(centres),
        high_quality=good.double().mean().item(),
        spread=sum(spreads) / len(spreads) if spreads else 0.0,
        reverse_kl=_reverse_kl(counts),
    )


@dataclass(frozen=True)
class StackedModes:
    """Mode coverage of Stacked-MNIST: how many of 1,000 classes have a sample, and KL(histogram || uniform) in nats."""

    captured: int
    modes: int
    reverse_kl: float


def stacked_modes(classes: Tensor) -> StackedModes:
    """classes [N, 3], the digit 0..9 that a classifier predicts for each channel -> the coverage of the modes 000..999.

    With the usual 26,000 samples a uniform sampler has a KL of 0.0192 (`kl_floor(1000, 26_000)`), and MNIST itself, whose
    digits are not equally frequent, 0.0238. Report both, and the accuracy of the classifier.

    Raises:
        UsageError: another shape, no sample, or a value that is no digit.

    Source: arXiv:1705.07761 sec. 5.2, arXiv:1712.04086 sec. 4.2.
    """
    if classes.ndim != 2 or classes.shape[1] != 3 or len(classes) == 0 or classes.is_floating_point():
        found = f"{classes.dtype} {list(classes.shape)}"
        raise UsageError(f"classes: expected whole digits [N, 3], one a channel, found {found}; take the argmax of logits")
    if classes.min() < 0 or classes.max() > 9:
        found = f"{classes.min().item()} to {classes.max().item()}"
        raise UsageError(f"classes: expected digits from 0 to 9, found {found}; the classifier must have 10 classes")
    numbers = classes.long() @ torch.tensor([100, 10, 1], device=classes.device)
    counts = numbers.bincount(minlength=STACKED)
    return StackedModes(int((counts > 0).sum()), STACKED, _reverse_kl(counts))


def kl_floor(modes: int, samples: int) -> float:
    """The reverse KL of a perfect sampler, about (modes - 1) / (2 samples), in nats. Source: Miller 1955."""
    return (modes - 1) / (2 * samples)


def _reverse_kl(counts: Tensor) -> float:
    """KL(counts / sum || uniform) in nats, of counts [K]."""
    if counts.sum() == 0:
        return math.log(len(counts))
    p = counts.double() / counts.sum()
    return max(math.log(len(counts)) + p.xlogy(p).sum().item(), 0.0)


def _truncated_variance(d: int) -> float:
    """The variance of a coordinate of a standard normal in d dimensions, truncated to the ball of radius 3."""
    half = torch.tensor([d / 2, d / 2 + 1], dtype=torch.float64)
    inside, weighted = torch.special.gammainc(half, torch.full_like(half, RADIUS**2 / 2)).tolist()
    return float(weighted / inside)
