"""Modes of mixtures and of Stacked-MNIST: a perfect sampler has the numbers that theory gives it."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from ganvas.metrics.modes import kl_floor, mixture_modes, stacked_modes

RING = torch.tensor([[math.cos(math.tau * i / 8), math.sin(math.tau * i / 8)] for i in range(8)], dtype=torch.float64)
GRID = torch.cartesian_prod(*[torch.arange(-4.0, 5.0, 2.0, dtype=torch.float64)] * 2)
HQ = 1 - math.exp(-4.5)  # P(|x| < 3 s) in 2-D


def sample(seed: int, centres: Tensor, sd: float, n: int, modes: int | None = None) -> Tensor:
    """n points of the even mixture of the first `modes` centres."""
    random = torch.Generator().manual_seed(seed)
    which = torch.randint(modes or len(centres), (n,), generator=random)
    return centres[which] + sd * torch.randn(n, centres.shape[1], generator=random, dtype=torch.float64)


@pytest.mark.parametrize(("centres", "sd"), [(RING, 0.01), (GRID, 0.05)], ids=["ring", "grid"])
def test_a_perfect_sampler(centres: Tensor, sd: float) -> None:
    """All modes, 98.89 % high quality and not more, spread 1, KL near its floor; 25,000 samples.

    Source: arXiv:1712.04086 (radius 1, sd 0.01; grid -4 .. 4, sd 0.05).
    """
    found = mixture_modes(sample(0, centres, sd, 25_000), centres, sd)
    assert found.captured == found.modes == len(centres)
    assert pytest.approx(0.98889, abs=1e-5) == HQ
    assert found.high_quality == pytest.approx(HQ, abs=4 * math.sqrt(HQ * (1 - HQ) / 25_000))
    assert found.spread == pytest.approx(1, abs=0.01)
    assert found.reverse_kl < 3 * kl_floor(len(centres), 25_000)


@pytest.mark.parametrize("d", [1, 2, 3, 6])
def test_the_spread_of_perfect_modes_is_one_in_any_dimension(d: int) -> None:
    """Without dividing out what the cut at 3 sd takes away, it would be 0.974 in 2-D and 0.92 in 6-D."""
    centres = torch.cat([torch.zeros(1, d), torch.full((1, d), 100.0)]).double()
    assert mixture_modes(sample(0, centres, 0.5, 20_000), centres, 0.5).spread == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("ratio", [0.0, 0.3, 0.5, 0.8])
def test_the_spread_of_narrow_modes_is_their_ratio(ratio: float) -> None:
    """Narrow modes are all of high quality: only the spread tells. It is cut nowhere, hence divided by 0.974."""
    found = mixture_modes(sample(0, GRID, 0.05 * ratio, 20_000), GRID, 0.05)
    assert found.high_quality > 0.998
    assert found.spread == pytest.approx(ratio / 0.97440, abs=0.01)


def test_the_spread_is_taken_round_the_mode_s_own_mean() -> None:
    """A generator that puts every sample of a mode on one point beside its centre has no spread."""
    points = GRID[torch.arange(1000) % 25] + torch.tensor([0.05, -0.05])
    assert mixture_modes(points, GRID, 0.05).spread == pytest.approx(0, abs=1e-6)


def test_wide_modes_lose_quality_and_their_spread_ends_at_its_bound() -> None:
    """A disc without edges has variance (3 sd)^2 / 4 a coordinate: sqrt(2.25 / 0.94945) = 1.539."""
    found = mixture_modes(10 * torch.rand(200_000, 2, generator=torch.Generator().manual_seed(0)).double() - 5, GRID, 0.2)
    assert found.spread == pytest.approx(1.539, abs=0.02)
    assert found.high_quality == pytest.approx(25 * math.pi * 0.36 / 100, abs=0.005)


def test_strays_between_the_modes_do_not_pass_for_width() -> None:
    strays = 10 * torch.rand(3000, 2, generator=torch.Generator().manual_seed(0)).double() - 5
    found = mixture_modes(torch.cat([sample(0, GRID, 0.05, 7000), strays]), GRID, 0.05)
    assert found.high_quality == pytest.approx(0.7 * HQ, abs=0.02)
    assert found.spread == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize("modes", [1, 5, 20, 25])
def test_lost_modes_are_counted(modes: int) -> None:
    """KL(uniform on k of K || uniform on K) = log(K / k)."""
    found = mixture_modes(sample(0, GRID, 0.05, 20_000, modes), GRID, 0.05)
    assert found.captured == modes
    assert found.reverse_kl == pytest.approx(math.log(25 / modes), abs=0.003)


def test_seven_modes_are_not_eight() -> None:
    """linspace(0, 2 pi, 8) names one angle twice, as the code of Unrolled GAN and GDPP does: one centre gets nothing."""
    doubled = torch.stack([torch.linspace(0, math.tau, 8).cos(), torch.linspace(0, math.tau, 8).sin()], 1).double()
    assert mixture_modes(sample(0, doubled, 0.01, 5000), RING, 0.01).captured < 8


def test_no_sample_of_high_quality() -> None:
    found = mixture_modes(torch.full((100, 2), 9.0), GRID, 0.05)
    assert (found.captured, found.high_quality, found.spread) == (0, 0, 0)
    assert found.reverse_kl == pytest.approx(math.log(25))


def test_a_mode_is_captured_by_one_sample_within_three_sd() -> None:
    points = torch.tensor([[0.0, 0.149], [0.0, 0.151], [2.0, 2.0]], dtype=torch.float64)
    found = mixture_modes(points, GRID, 0.05)
    assert found.captured == 2
    assert found.high_quality == pytest.approx(2 / 3)
    assert found.spread == 0  # too few samples of any mode


def test_order_of_samples_and_centres_does_not_count() -> None:
    points = sample(0, GRID, 0.05, 500)
    a, b = mixture_modes(points, GRID, 0.05), mixture_modes(points.flip(0), GRID.flip(0), 0.05)
    assert (a.captured, a.high_quality) == (b.captured, b.high_quality)
    assert (a.spread, a.reverse_kl) == pytest.approx((b.spread, b.reverse_kl))


@pytest.mark.parametrize(("centres", "sd", "floor"), [(RING, 0.01, 0.0014), (GRID, 0.05, 0.0048)], ids=["ring", "grid"])
def test_the_floor_of_the_reverse_kl(centres: Tensor, sd: float, floor: float) -> None:
    """(K - 1) / (2 N): 0.0014 and 0.0048 at 2,500 samples; here the mean of 100 perfect samplers, within 10 % or so."""
    assert kl_floor(len(centres), 2500) == pytest.approx(floor, abs=5e-5)
    draws = torch.tensor([mixture_modes(sample(i, centres, sd, 2500), centres, sd).reverse_kl for i in range(100)])
    assert abs(draws.mean().item() - kl_floor(len(centres), 2500)) < 4 * draws.std().item() / 10


def digits(seed: int, n: int) -> Tensor:
    return torch.randint(10, (n, 3), generator=torch.Generator().manual_seed(seed))


def test_every_class_once_is_uniform() -> None:
    found = stacked_modes(torch.cartesian_prod(*[torch.arange(10)] * 3))
    assert (found.captured, found.modes) == (1000, 1000)
    assert found.reverse_kl == pytest.approx(0, abs=1e-12)


def test_the_place_of_a_digit_counts() -> None:
    rows = torch.tensor([[1, 2, 3], [3, 2, 1], [2, 1, 3], [1, 2, 3]])
    found = stacked_modes(rows)
    assert found.captured == 3
    assert found.reverse_kl == pytest.approx(math.log(1000) - 1.5 * math.log(2))  # entropy of 1/2, 1/4, 1/4


def test_the_floor_of_stacked_mnist() -> None:
    """0.0192 for a uniform sampler and 26,000 samples, sd 0.0009. Source: 26,000 is VEEGAN's, arXiv:1705.07761."""
    draws = torch.tensor([stacked_modes(digits(i, 26_000)).reverse_kl for i in range(40)])
    assert kl_floor(1000, 26_000) == pytest.approx(0.0192, abs=5e-5)
    assert draws.mean().item() == pytest.approx(0.0192 + 0.0003, abs=0.0006)
    assert draws.std().item() == pytest.approx(0.0009, abs=0.0003)


def test_the_floor_of_real_digits() -> None:
    """MNIST's 60,000 digits are not even: three channels add 3 x 0.00143, so real data has 0.0238 (of 26,000 samples)."""
    counts = torch.tensor([5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]).double()
    p = counts / counts.sum()
    assert (p * (10 * p).log()).sum().item() == pytest.approx(0.00143, abs=1e-5)
    random = torch.Generator().manual_seed(0)
    draws = [stacked_modes(torch.multinomial(p, 78_000, True, generator=random).view(-1, 3)).reverse_kl for _ in range(40)]
    assert sum(draws) / 40 == pytest.approx(0.0238, abs=0.0006)


def test_one_channel_that_never_changes() -> None:
    rows = digits(0, 50_000)
    rows[:, 1] = 7
    found = stacked_modes(rows)
    assert found.captured == 100
    assert found.reverse_kl == pytest.approx(math.log(10), abs=0.003)
