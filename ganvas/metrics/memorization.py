"""Memorization: a statistical test whether generated samples are copies of training samples."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ganvas.errors import UsageError
from ganvas.metrics.nearest_neighbours import _rows, nearest

HELD_OUT = 20  # with fewer held-out samples, of a class too, the test has no power
NEAR = 0.01  # the share of held-out samples that counts as near to the training set
FACTOR = 5  # copies are reported if this many times as many fakes are near as expected,
FEW_FACTOR = 2  # or this many times as many are nearer than any held-out sample, which finds few copies among many fakes,
DOUBT = 5e-4  # and if the probability of that by chance is below this, for each of the two
SMOOTH = 0.5  # down to this ratio of medians, shorter distances are taken for smoothness when few copies are looked for


@dataclass(frozen=True)
class Memorization:
    """How near fakes are to training samples, compared with held-out reals of the same class.

    median_ratio: median distance of the fakes over that of the held-out reals; 1 for new samples of the same distribution
    share: the share of fakes as near to a training sample as the nearest 1 % of the held-out reals; if only few fakes are
        copies, the share that is nearer than all held-out reals
    expected: that share for new samples of the same distribution, about 0.01
    p_value: the probability of at least this share for new samples
    copies: many more fakes are near than expected, and the p-value is small
    verdict: the result as a sentence
    """

    median_ratio: float
    share: float
    expected: float
    p_value: float
    copies: bool
    verdict: str


@dataclass(frozen=True)
class _Class:
    """Distances to the nearest training sample: fakes [n] and held-out reals [h], sorted, in units of the reals' median."""

    fakes: Tensor
    reals: Tensor

    @classmethod
    def of(cls, fakes: Tensor, reals: Tensor) -> _Class:
        unit = reals.median()
        unit = unit if unit > 0 else torch.ones_like(unit)
        return cls(fakes / unit, (reals / unit).sort().values)


def memorization(
    fakes: Tensor, train: Tensor, held_out: Tensor, rows: Tensor | None = None, labels: Tensor | None = None
) -> Memorization:
    """Does a generator copy its training samples? fakes [N, ...], train [M, ...], held_out [H, ...] of one shape and type.

    `rows` [K]: use only these rows of `train`. `labels` [M]: the classes of `train`; then fakes are compared with held-out
    reals of the same class, where the class of a sample is that of its nearest training sample. Without it a generator of one
    simple class would be accused: the samples of that class are nearer to each other than those of others.

    If the generator has learnt the distribution of a class, fakes and held-out reals are exchangeable. Then the share of
    fakes that are not farther than the j-th nearest of h held-out reals is j / (h + 1) on average, and their number is
    exactly beta-binomial with parameters j and h + 1 - j. The counts of the classes are added. There are two tests: of the
    nearest hundredth of the reals, and of the nearest one alone, in which two or three copies among 100 fakes stand out. A
    smooth or simple fake is nearer to all samples, copied or not. So the first test also requires a factor of five, and the
    second first enlarges the distances of the fakes until their median is that of the reals, at most by two.

    Raises:
        UsageError: fewer than 2 samples or 20 held-out ones, different shapes, bytes against floats, a NaN, other labels than
            one for each training sample, or more than half of the held-out samples are training samples.

    Source: arXiv:2004.05675 sec. 3 (the comparison with held-out samples).
    Differs: counts the near tail instead of ranking all distances, because blurred fakes shift all distances.
    """
    for each, name, least in ((fakes, "fakes", 2), (train, "train", 2), (held_out, "held-out", HELD_OUT)):
        _rows(each, name, least)
    if labels is not None and labels.shape != (len(train),):
        raise UsageError(f"labels: expected one for each of {len(train):,} training samples, found {list(labels.shape)}")
    of_fakes, of_reals = nearest(fakes, train, rows=rows), nearest(held_out, train, rows=rows)
    if (same := int((of_reals[0] == 0).sum())) > len(held_out) / 2:
        raise UsageError(
            f"held-out: expected samples that are not in the training set, found {same:,} of {len(held_out):,} in it; "
            "hold out others"
        )
    if labels is None:
        classes = [_Class.of(of_fakes[0], of_reals[0])]
    else:
        known = labels if rows is None else labels[rows]
        classes = _split_classes(*of_fakes, *of_reals, known)
    ratio = torch.cat([each.fakes for each in classes]).median().item()
    near, few = _count_near(classes, NEAR, 1.0), _count_near(classes, 0.0, 1 / min(max(ratio, SMOOTH), 1.0))
    many = near.share > FACTOR * near.expected
    copies = many and near.p_value < DOUBT
    some = not copies and few.share > FEW_FACTOR * few.expected and few.p_value < DOUBT
    meaning = "the generator repeats training samples" if copies else "no sign of copying"
    if some:
        near, meaning = few, "the generator repeats some training samples"
    elif many and not copies:
        meaning = "too few samples to tell copying from chance"
    verdict = (
        f"{near.share:.1%} of {len(of_fakes[0]):,} fakes are as near to a training sample as the nearest "
        f"{near.expected:.1%} of held-out reals{'' if labels is None else ' of their class'}, "
        f"median distance {ratio:.2f} of theirs: {meaning}."
    )
    return Memorization(ratio, near.share, near.expected, near.p_value, copies or some, verdict)


def _split_classes(of_fakes: Tensor, near_fakes: Tensor, of_reals: Tensor, near_reals: Tensor, labels: Tensor) -> list[_Class]:
    """The distances by the class of the nearest training sample. Classes with few held-out samples form one together."""
    fakes, reals = labels[near_fakes.to(labels.device)], labels[near_reals.to(labels.device)]
    known, counts = reals.unique(return_counts=True)
    large = known[counts >= HELD_OUT]
    groups = [(fakes == each, reals == each) for each in large]
    rest = (~torch.isin(fakes, large), ~torch.isin(reals, large))
    if rest[0].any() and rest[1].sum() < HELD_OUT:  # too few to compare with: all held-out reals stand in
        rest = (rest[0], torch.ones_like(rest[1]))
    return [_Class.of(of_fakes[mine], of_reals[theirs]) for mine, theirs in [*groups, rest] if mine.any()]


class _Count(NamedTuple):
    share: float
    expected: float
    p_value: float


def _count_near(classes: Sequence[_Class], near: float, enlarge: float) -> _Count:
    """The share of fakes as near as the nearest share `near` of the reals of their class (0: as the nearest one alone)."""
    count, expected, n = 0, 0.0, 0
    chances = torch.ones(1, dtype=torch.float64)
    for each in classes:
        h = len(each.reals)
        limit = each.reals[max(1, int(near * (h + 1))) - 1]
        j = int((each.reals <= limit).sum())
        count += int((each.fakes * enlarge <= limit).sum())
        expected += len(each.fakes) * j / (h + 1)
        n += len(each.fakes)
        chances = _add(chances, _chances(len(each.fakes), j, h + 1 - j))
    return _Count(count / n, expected / n, min(chances[count:].sum().item(), 1.0))


def _chances(n: int, alpha: int, beta: int) -> Tensor:
    """The probabilities [n + 1] of a beta-binomial number with n trials and parameters alpha, beta."""
    k = torch.arange(n + 1, dtype=torch.float64)
    ways = math.lgamma(n + 1) - (k + 1).lgamma() - (n - k + 1).lgamma()
    odds = (k + alpha).lgamma() + (n - k + beta).lgamma() - math.lgamma(n + alpha + beta)
    whole_beta = math.lgamma(alpha) + math.lgamma(beta) - math.lgamma(alpha + beta)
    return (ways + odds - whole_beta).exp()


def _add(a: Tensor, b: Tensor) -> Tensor:
    """The probabilities of the sum of two independent numbers, from those of each: [n + 1], [m + 1] -> [n + m + 1]."""
    return F.conv1d(a[None, None], b.flip(0)[None, None], padding=len(b) - 1)[0, 0]
