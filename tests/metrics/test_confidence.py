"""Intervals are as wide as the numbers really vary."""

from __future__ import annotations

import math

import pytest
import scipy.stats
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from ganvas.errors import UsageError
from ganvas.metrics.confidence import Halves, jackknife, mean_interval, student_quantile, wilson
from ganvas.metrics.frechet import frechet_distance


def normal(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def mean(x: Tensor) -> float:
    return x.mean().item()


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 9, 10, 19, 30, 99])
def test_student_agrees_with_scipy(freedom: int) -> None:
    assert student_quantile(freedom) == pytest.approx(scipy.stats.t.ppf(0.975, freedom), rel=1e-9)


@given(st.integers(2, 12), st.integers(0, 100))
def test_with_a_row_a_group_it_is_the_textbook_interval_of_a_mean(n: int, seed: int) -> None:
    """t s / sqrt(n), exactly. Source: Efron 1982 sec. 3.1."""
    x = normal(seed, n)
    assert jackknife(mean, x, groups=n) == pytest.approx(student_quantile(n - 1) * x.std().item() / math.sqrt(n), rel=1e-9)


def test_the_half_width_is_that_of_the_true_sampling_deviation() -> None:
    """A Fréchet distance of 200 against 300 samples, drawn 150 times: half-width over t is its standard deviation."""
    draws = [(2 * normal(2 * i, 200, 4), 1 + normal(2 * i + 1, 300, 4)) for i in range(150)]
    true = torch.tensor([frechet_distance(a, b) for a, b in draws]).std().item()
    errors = torch.tensor([jackknife(frechet_distance, a, b) / student_quantile(9) for a, b in draws[:60]])
    assert errors.square().mean().sqrt().item() == pytest.approx(true, rel=0.2)


def test_the_correction_removes_what_pairs_of_samples_count_twice() -> None:
    """Of equal laws a Fréchet distance varies by pairs only: the plain jackknife is 1.4 times too wide, the other is not."""
    draws = [(normal(2 * i, 200, 8), normal(2 * i + 1, 200, 8)) for i in range(150)]
    true = torch.tensor([frechet_distance(a, b) for a, b in draws]).std().item()
    plain, corrected = (
        torch.tensor([jackknife(frechet_distance, a, b, corrected=each) for a, b in draws[:50]]) / student_quantile(9)
        for each in (False, True)
    )
    assert 1.3 < plain.square().mean().sqrt().item() / true < 1.7
    assert 0.9 < corrected.square().mean().sqrt().item() / true < 1.3
    assert (corrected >= 0.7 * plain).all()  # at most half of the variance is subtracted
    assert (corrected <= plain).all()


def test_the_correction_leaves_a_mean_alone() -> None:
    x = normal(0, 200)
    assert jackknife(mean, x, corrected=True) == pytest.approx(jackknife(mean, x), rel=0.01)
    with pytest.raises(UsageError, match="groups: expected a whole number at least 5, found 4"):
        jackknife(mean, x, groups=4, corrected=True)


def test_the_interval_of_a_mean_is_students() -> None:
    assert mean_interval(torch.tensor([1.0, 3.0])) == (2, pytest.approx(student_quantile(1)))  # 12.7, and not 1.96
    assert mean_interval(torch.tensor([5.0])) == (5, None)


def test_halves_are_disjoint_complete_and_random() -> None:
    seen: list[tuple[Tensor, Tensor]] = []
    Halves.of(lambda a, b: seen.append((a, b)) or (0.0,), torch.arange(31), torch.arange(50), splits=3)
    assert len(seen) == 6
    for first, second in zip(seen[::2], seen[1::2], strict=True):
        for one, other, n in zip(first, second, (31, 50), strict=True):
            assert torch.cat([one, other]).sort().values.tolist() == list(range(n))
            assert abs(len(one) - len(other)) <= 1
    assert not torch.equal(seen[0][0], seen[2][0])
    for sets, splits in (((), 10), ((torch.zeros(1),), 10), ((torch.zeros(9),), 1)):
        with pytest.raises(UsageError):
            Halves.of(lambda *_: (0.0,), *sets, splits=splits)


def test_halves_of_a_mean_give_its_textbook_interval() -> None:
    """The second statistic is a share: it has no more than the variance of independent samples, so Wilson's is nearly all."""
    x = normal(0, 400)
    halves = Halves.of(lambda rows: (mean(rows), mean((rows > 0).double())), x, splits=200)
    assert halves.interval(0) == pytest.approx(student_quantile(200) * x.std().item() / 20, rel=0.15)
    share = mean((x > 0).double())
    assert 0.99 * wilson(share, 400) <= halves.share_interval(1, share, 400) < 1.1 * wilson(share, 400)


def test_the_known_part_of_a_share_interval_is_known() -> None:
    """If the halves vary no more than independent samples do, nothing is estimated: no Student's t of ten splits."""
    quiet = Halves(torch.tensor([0.5]), torch.tensor([0.0]), 10)
    assert quiet.share_interval(0, 0.5, 400) == pytest.approx(wilson(0.5, 400))
    wild = Halves(torch.tensor([0.5]), torch.tensor([20.0]), 10)
    assert wild.share_interval(0, 0.5, 400) == pytest.approx(student_quantile(10) * math.sqrt(10), rel=0.02)
    sure = Halves(torch.tensor([0.5]), torch.tensor([0.002]), 10)  # the whole set has a share of 1, the halves have not
    assert 0 < sure.share_interval(0, 1.0, 400) < 0.1


@pytest.mark.parametrize("groups", [4, 10])
def test_the_interval_covers_the_truth_nineteen_times_in_twenty(groups: int) -> None:
    """Of 600 intervals of the mean of skewed numbers, 95 % hold the true mean: between 92 and 97 %, with Student's t."""
    random = torch.Generator().manual_seed(0)
    draws = torch.empty(600, 200, dtype=torch.float64).exponential_(generator=random)
    held = sum(abs(mean(x) - 1) < jackknife(mean, x, groups=groups) for x in draws)
    assert 0.92 < held / 600 < 0.97


@pytest.mark.parametrize("arrange", [lambda x: x.sort().values, lambda x: x.sort().values.view(10, -1).T.flatten()])
def test_sorted_and_periodic_rows_are_dealt_fairly(arrange: object) -> None:
    """Rows sorted by class, or classes that follow each other by ten, would fall into one group each without dealing."""
    assert callable(arrange)
    x = torch.arange(10.0).repeat(100) + 0.01 * normal(0, 1000)
    expected = student_quantile(9) * x.std().item() / math.sqrt(1000)
    assert expected / 2 < jackknife(mean, arrange(x)) < 2 * expected


def test_rows_of_two_sets_go_together() -> None:
    """Images and their labels: the difference of pairs is constant in every sample, so nothing is uncertain."""
    x = normal(0, 100)
    assert jackknife(lambda a, b: mean(a - b), x, x + 3) == pytest.approx(0, abs=1e-12)


def test_every_set_loses_a_tenth_each_time() -> None:
    seen: list[tuple[int, int]] = []
    jackknife(lambda a, b: seen.append((len(a), len(b))) or 0.0, torch.arange(100), torch.arange(37))
    assert [n for n, _ in seen] == [90] * 10
    assert sorted(m for _, m in seen) == [33] * 7 + [34] * 3


def test_every_row_is_left_out_once() -> None:
    left: list[float] = []
    x = torch.arange(53.0)
    jackknife(lambda a: left.extend(set(x.tolist()) - set(a.tolist())) or 0.0, x)
    assert sorted(left) == x.tolist()


@given(st.integers(1, 500), st.data())
def test_binomial_agrees_with_scipy(n: int, data: st.DataObject) -> None:
    count = data.draw(st.integers(0, n))
    interval = scipy.stats.binomtest(count, n).proportion_ci(method="wilson")
    arm = max(interval.high - count / n, count / n - interval.low)
    assert wilson(count / n, n) == pytest.approx(arm, rel=1e-6)


@pytest.mark.parametrize("n", [100, 500, 2000])
@pytest.mark.parametrize("share", [0.5, 0.9, 0.98, 0.99, 0.995, 0.998])
def test_the_interval_of_a_share_covers_it(n: int, share: float) -> None:
    """By the exact binomial: half of the width alone covers 98 % of 100 samples in 87 %, and 99.8 % of 2,000 in 91 %."""
    count = range(n + 1)
    chance = scipy.stats.binom.pmf(count, n, share)
    held = [abs(k / n - share) <= wilson(k / n, n) for k in count]
    assert chance[held].sum() > 0.94


def test_no_freedom_is_no_interval() -> None:
    with pytest.raises(UsageError, match="degrees of freedom: expected a whole number at least 1, found 0"):
        student_quantile(0)


def test_binomial_is_sure_of_nothing() -> None:
    assert wilson(0.0, 100) > 0.01
    assert wilson(1.0, 100) == pytest.approx(wilson(0.0, 100))
    assert wilson(0.5, 10_000) == pytest.approx(0.0098, abs=1e-4)
