"""Fréchet and kernel distance against closed forms, published goldens and independent float64 code."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
import scipy.linalg
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.kid import KernelInceptionDistance

from ganvas.errors import UsageError
from ganvas.metrics.confidence import student_quantile
from ganvas.metrics.frechet import frechet_distance, frechet_from_moments, moments
from ganvas.metrics.kernel_distance import kernel_distance, paired_mmd, polynomial_mmd

seeds = st.integers(0, 10_000)
DISTANCES = {"frechet": frechet_distance, "polynomial_mmd": polynomial_mmd}
distances = pytest.mark.parametrize("distance", DISTANCES.values(), ids=DISTANCES.keys())


def normal(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def rotation(seed: int, d: int) -> Tensor:
    return torch.linalg.qr(normal(seed, d, d)).Q


class AsTheyAre(nn.Module):
    """A network whose features are its input."""

    def __init__(self, d: int) -> None:
        super().__init__()
        self.num_features = d

    def forward(self, x: Tensor) -> Tensor:
        return x


def test_golden_two_points() -> None:
    """Source: google/compare_gan, metrics/fid_score_test.py: 89.091 to 1e-4; exactly 980 / 11 by hand."""
    real, fake = torch.ones(100, 2), 9 * torch.ones(100, 2)
    real[:50, 0], fake[50:, 0] = 2, 2
    assert frechet_distance(real, fake) == pytest.approx(980 / 11, abs=1e-9)


@pytest.mark.parametrize("d", [256, pytest.param(2048, marks=pytest.mark.slow)])
def test_golden_means_apart(d: int) -> None:
    """Means 0 and 1, covariances I_2048: exactly 2048. Source: mseitzer/pytorch-fid, tests/test_fid_score.py."""
    one, identity = torch.ones(d), torch.eye(d)
    assert frechet_from_moments(0 * one, identity, one, identity) == pytest.approx(d, abs=1e-9)


@given(seeds, st.integers(1, 8))
def test_gaussians_whose_covariances_commute(seed: int, d: int) -> None:
    """|dm|^2 + sum (sqrt l1 - sqrt l2)^2 for eigenvalues l1, l2 in one basis. Source: arXiv:1706.08500 eq. 6."""
    basis, shift, (first, second) = rotation(seed, d), normal(seed + 1, d), normal(seed + 2, 2, d).square()
    found = frechet_from_moments(0 * shift, basis * first @ basis.T, shift, basis * second @ basis.T)
    expected = shift.square().sum() + (first.sqrt() - second.sqrt()).square().sum()
    assert found == pytest.approx(expected.item(), rel=1e-9, abs=1e-12)


def test_frechet_agrees_with_the_matrix_root_and_torchmetrics() -> None:
    a, b = normal(0, 300, 24) @ normal(1, 24, 24), 2 + normal(2, 200, 24) @ normal(3, 24, 24)
    m1, m2, c1, c2 = a.numpy().mean(0), b.numpy().mean(0), np.cov(a.numpy().T), np.cov(b.numpy().T)
    by_root = np.square(m1 - m2).sum() + np.trace(c1 + c2 - 2 * scipy.linalg.sqrtm(c1 @ c2).real)
    theirs = FrechetInceptionDistance(feature=AsTheyAre(24)).set_dtype(torch.float64)
    theirs.update(a, real=True)
    theirs.update(b, real=False)
    assert frechet_distance(a, b) == pytest.approx(by_root, rel=1e-6)
    assert frechet_distance(a, b) == pytest.approx(theirs.compute().item(), rel=1e-6)


def test_moments_are_those_of_numpy() -> None:
    a = normal(0, 50, 5)
    mean, covariance = moments(a.float())
    np.testing.assert_allclose(mean, a.float().double().numpy().mean(0), rtol=1e-12)
    np.testing.assert_allclose(covariance, np.cov(a.float().double().numpy().T), rtol=1e-12)


@pytest.mark.parametrize(("n", "d"), [(500, 20), (300, 640)], ids=["full rank", "fewer samples than features"])
def test_a_set_has_no_distance_to_itself(n: int, d: int) -> None:
    """Features of very different spread. Roots of eigenvalues that are rounding errors would leave 1e-7 of the variance."""
    a = 30 * normal(0, n, d) @ (normal(1, d, d) * torch.logspace(0, -3, d, dtype=torch.float64))
    for other in (a, a.flip(0)):
        assert 0 <= frechet_distance(a, other) < 1e-11 * a.var(0).sum().item()


@pytest.mark.parametrize(("d", "n", "bias"), [(16, 500, 0.3366), (64, 2000, 1.1046)])
def test_bias_of_finite_samples(d: int, n: int, bias: float) -> None:
    """tr(S)(1/n + 1/m) + d(d+1)/4 (1/(n-1) + 1/(m-1)) for S = I, to first order: within 2 %."""
    assert 2 * d / n + d * (d + 1) / 2 / (n - 1) == pytest.approx(bias, abs=1e-4)
    draws = [frechet_distance(normal(2 * i, n, d), normal(2 * i + 1, n, d)) for i in range(40)]
    assert sum(draws) / 40 == pytest.approx(bias, rel=0.02)


def naive_mmd(a: Tensor, b: Tensor) -> float:
    """The definition, pair by pair."""

    def k(x: Tensor, y: Tensor) -> float:
        return float((x @ y / len(x) + 1) ** 3)

    n, m = len(a), len(b)
    within_a = sum(k(a[i], a[j]) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
    within_b = sum(k(b[i], b[j]) for i in range(m) for j in range(m) if i != j) / (m * (m - 1))
    return within_a + within_b - 2 * sum(k(x, y) for x in a for y in b) / (n * m)


def test_polynomial_mmd_is_its_definition() -> None:
    a, b = normal(0, 9, 3), 1 + normal(1, 6, 3)
    assert polynomial_mmd(a, b) == pytest.approx(naive_mmd(a, b), rel=1e-12)


@given(seed=seeds, n=st.integers(2, 9), d=st.integers(1, 5))
def test_paired_mmd_is_its_definition(seed: int, n: int, d: int) -> None:
    """The mean of h over all pairs of different rows. Source: Gretton et al. 2012, JMLR 13, lemma 6."""
    a, b = normal(seed, n, d), normal(seed + 1, n, d)

    def k(x: Tensor, y: Tensor) -> float:
        return float((x @ y / d + 1) ** 3)

    pairs = [(i, j) for i in range(n) for j in range(n) if i != j]
    expected = sum(k(a[i], a[j]) + k(b[i], b[j]) - k(a[i], b[j]) - k(a[j], b[i]) for i, j in pairs) / len(pairs)
    assert paired_mmd(a, b) == pytest.approx(expected, rel=1e-9, abs=1e-9)
    assert paired_mmd(a, a) == pytest.approx(0, abs=1e-9)


def test_paired_mmd_wants_partners() -> None:
    with pytest.raises(UsageError, match="as many rows in a and b, found 3 and 2"):
        paired_mmd(torch.ones(3, 2), torch.ones(2, 2))


def test_polynomial_mmd_agrees_with_torchmetrics() -> None:
    a, b = normal(0, 120, 16), 0.3 + 1.2 * normal(1, 120, 16)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it keeps all features
        theirs = KernelInceptionDistance(feature=AsTheyAre(16), subsets=1, subset_size=120).set_dtype(torch.float64)
    theirs.update(a, real=True)
    theirs.update(b, real=False)
    assert polynomial_mmd(a, b) == pytest.approx(theirs.compute()[0].item(), rel=1e-6)


def shifted(s: float, d: int) -> float:
    """KID of N(0, I) and N(delta, I), s = |delta|^2, from the moments of x.y."""
    return 3 * s / d + 3 * s**2 / d**2 + (s**3 + 6 * s**2 + (3 * d + 6) * s) / d**3


@pytest.mark.parametrize(
    ("shift", "scale", "population", "printed"),
    [
        (0.75, 1.0, shifted(2.25, 4), 3.9221),  # N(0, I_4) against N(delta, I_4), |delta|^2 = 2.25
        (0.0, 2.0, 3 * (4 - 1) ** 2 / 4, 6.75),  # N(0, I_4) against N(0, c I_4), c = 4: 3 (c - 1)^2 / d
        (0.0, 1.0, 0.0, 0.0),
    ],
)
def test_polynomial_mmd_is_unbiased(shift: float, scale: float, population: float, printed: float) -> None:
    """The mean of 3,000 distances between sets of only 8 and 6 points is the population's. A biased one is far off."""
    assert population == pytest.approx(printed, abs=5e-5)
    a, b = normal(0, 3000, 8, 4), shift + scale * normal(1, 3000, 6, 4)
    draws = torch.tensor([polynomial_mmd(x, y) for x, y in zip(a, b, strict=True)])
    assert abs(draws.mean().item() - population) < 4 * draws.std().item() / math.sqrt(3000)


def test_one_block_is_the_whole_distance_and_its_error_is_unknown() -> None:
    a, b = normal(0, 60, 4), normal(1, 50, 4)
    value, interval = kernel_distance(a, b, block=60, least=1)
    assert value == pytest.approx(polynomial_mmd(a, b), rel=1e-9)
    assert interval is None
    assert kernel_distance(a[:3], b[:3])[1] is None  # too few rows for two blocks


@pytest.mark.parametrize(("block", "least", "blocks"), [(60, 1, 10), (600, 10, 10), (300, 1, 2), (25, 10, 24)])
def test_the_interval_is_students_of_the_blocks(block: int, least: int, blocks: int) -> None:
    """Over 150 draws of equal laws the half-width over t is the standard deviation of the distance, to within 15 %."""
    draws = [kernel_distance(normal(2 * i, 600, 8), normal(2 * i + 1, 600, 8), block, least=least) for i in range(150)]
    values, intervals = torch.tensor(draws).T
    error = (intervals / student_quantile(blocks - 1)).square().mean().sqrt().item()
    assert error == pytest.approx(values.std().item(), rel=0.15)
    assert abs(values.mean().item()) < 4 * values.std().item() / math.sqrt(150)
    assert values.min() < 0 < values.max()


def test_blocks_are_disjoint_and_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[list[float], list[float]]] = []
    monkeypatch.setattr(
        "ganvas.metrics.kernel_distance.polynomial_mmd", lambda a, b: seen.append((a[:, 0].tolist(), b[:, 0].tolist())) or 0.0
    )
    for block, least, blocks in ((20, 1, 5), (20, 10, 10)):
        seen.clear()
        kernel_distance(torch.arange(95.0)[:, None], torch.arange(40.0)[:, None], block, seed=3, least=least)
        for side, n in enumerate((95, 40)):
            rows = [row for pair in seen for row in pair[side]]
            assert len(rows) == len(set(rows)) == n
            assert rows != sorted(rows)
        assert len(seen) == blocks
    seen.clear()
    kernel_distance(torch.arange(95.0)[:, None], torch.arange(5.0)[:, None], block=20)
    assert [tuple(map(len, pair)) for pair in seen] == [(20, 3), (20, 2)]  # at most a block; 2 rows at least


def test_the_seed_decides_the_blocks() -> None:
    a, b = normal(0, 100, 4), normal(1, 100, 4)
    assert kernel_distance(a, b, block=20, seed=1) == kernel_distance(a, b, block=20, seed=1)
    assert kernel_distance(a, b, block=20, seed=1) != kernel_distance(a, b, block=20, seed=2)


@distances
@given(seed=seeds)
def test_distances_are_symmetric_and_ignore_order_and_rotation(distance: object, seed: int) -> None:
    assert callable(distance)
    a, b, turn = normal(seed, 12, 3), 0.5 + 2 * normal(seed + 1, 15, 3), rotation(seed + 2, 3)
    value = distance(a, b)
    assert distance(b, a) == pytest.approx(value, rel=1e-9, abs=1e-9)
    assert distance(a.flip(0), b.roll(4, 0)) == pytest.approx(value, rel=1e-9, abs=1e-9)
    assert distance(a @ turn, b @ turn) == pytest.approx(value, rel=1e-9, abs=1e-9)


@given(seeds, st.floats(-50, 50), st.floats(0.1, 10))
def test_frechet_moves_with_its_space(seed: int, shift: float, scale: float) -> None:
    """A common shift changes nothing, a scale c multiplies by c^2, a shift of one set adds |shift|^2."""
    a, b = normal(seed, 12, 3), normal(seed + 1, 15, 3)
    value = frechet_distance(a, b)
    assert value >= 0
    assert frechet_distance(a + shift, b + shift) == pytest.approx(value, rel=1e-6, abs=1e-9)
    assert frechet_distance(scale * a, scale * b) == pytest.approx(scale**2 * value, rel=1e-6, abs=1e-9)
    assert frechet_distance(a, a + shift) == pytest.approx(3 * shift**2, rel=1e-6, abs=1e-9)
