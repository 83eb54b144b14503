"""Memorization: a statistical test whether generated samples are copies of training samples."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ganvas.errors import UsageError
from ganvas.metrics.nearest_neighbours import _rows, nearest

HELD_OUT = 20  # with fewer held-out samples the test has no power
NEAR = 0.01  # the share of held-out samples that counts as near to the training set
FACTOR = 5  # copies are reported if this many times as many fakes are near as expected,
DOUBT = 1e-3  # and if the probability of that by chance is below this


@dataclass(frozen=True)
class Memorization:
    """How near fakes are to training samples, compared with held-out reals.

    median_ratio: median distance of the fakes over that of the held-out reals; 1 for new samples of the same distribution
    share: the share of fakes as near to a training sample as the nearest 1 % of the held-out reals
    expected: that share for new samples of the same distribution, about 0.01
    p_value: the probability of at least this share for new samples
    copies: five times as many fakes are near as expected, and the p-value is below 0.001
    verdict: the result as a sentence
    """

    median_ratio: float
    share: float
    expected: float
    p_value: float
    copies: bool
    verdict: str


def memorization(fakes: Tensor, train: Tensor, held_out: Tensor, rows: Tensor | None = None) -> Memorization:
    """Does a generator copy its training samples? fakes [N, ...], train [M, ...], held_out [H, ...] of one shape and type.

    `rows` [K]: use only these rows of `train`.

    If the generator has learnt the distribution, fakes and held-out reals are exchangeable. Then the share of fakes that are
    not farther than the j-th nearest of H held-out reals is j / (H + 1) on average, and their number is exactly
    beta-binomial with parameters j and H + 1 - j. A smooth or simple fake is nearer to all samples, copied or not; so the
    factor of five is required too.

    Raises:
        UsageError: fewer than 2 samples or 20 held-out ones, different shapes, bytes against floats, a NaN, or more than half
            of the held-out samples are training samples.

    Source: arXiv:2004.05675 sec. 3 (the comparison with held-out samples).
    Differs: counts the near tail instead of ranking all distances, because blurred fakes shift all distances.
    """
    for each, name, least in ((fakes, "fakes", 2), (train, "train", 2), (held_out, "held-out", HELD_OUT)):
        _rows(each, name, least)
    of_fakes, of_reals = nearest(fakes, train, rows=rows)[0], nearest(held_out, train, rows=rows)[0]
    if (same := int((of_reals == 0).sum())) > len(of_reals) / 2:
        raise UsageError(
            f"held-out: expected samples that are not in the training set, found {same:,} of {len(of_reals):,} in it; "
            "hold out others"
        )
    limit = of_reals.sort().values[max(1, int(NEAR * (len(of_reals) + 1))) - 1]
    j, count = int((of_reals <= limit).sum()), int((of_fakes <= limit).sum())
    share, expected = count / len(of_fakes), j / (len(of_reals) + 1)
    p_value = _tail(count, len(of_fakes), j, len(of_reals) + 1 - j)
    ratio = of_fakes.median().item() / of_reals.median().item()
    many = share > FACTOR * expected
    copies = many and p_value < DOUBT
    meaning = "the generator repeats training samples" if copies else "no sign of copying"
    if many and not copies:
        meaning = "too few samples to tell copying from chance"
    verdict = (
        f"{share:.1%} of {len(of_fakes):,} fakes are as near to a training sample as the nearest {expected:.1%} of held-out "
        f"reals, median distance {ratio:.2f} of theirs: {meaning}."
    )
    return Memorization(ratio, share, expected, p_value, copies, verdict)


def _tail(count: int, n: int, alpha: int, beta: int) -> float:
    """P(X >= count) for a beta-binomial X with n trials and parameters alpha, beta."""
    k = torch.arange(count, n + 1, dtype=torch.float64)
    ways = math.lgamma(n + 1) - (k + 1).lgamma() - (n - k + 1).lgamma()
    odds = (k + alpha).lgamma() + (n - k + beta).lgamma() - math.lgamma(n + alpha + beta)
    whole_beta = math.lgamma(alpha) + math.lgamma(beta) - math.lgamma(alpha + beta)
    return min((ways + odds - whole_beta).exp().sum().item(), 1.0)
