"""Precision, recall, density and coverage: definitions, conventions, closed forms."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from ganvas.metrics.nearest_neighbours import Lattice, blocks
from ganvas.metrics.precision_recall import density_coverage, precision_recall


def normal(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def by_definition(real: Tensor, fake: Tensor, k: int) -> tuple[float, float, float, float]:
    """Precision, recall, density and coverage from whole matrices of distances, in NumPy."""

    def apart(a: Tensor, b: Tensor) -> np.ndarray:
        return np.linalg.norm(a.numpy()[:, None] - b.numpy()[None], axis=-1)

    of_real, of_fake = (np.sort(apart(x, x), axis=1)[:, k] for x in (real, fake))
    d = apart(real, fake)
    precision, recall = (d <= of_real[:, None]).any(0).mean(), (d <= of_fake[None]).any(1).mean()
    return precision, recall, (d < of_real[:, None]).sum() / (k * len(fake)), (d.min(1) < of_real).mean()


@pytest.mark.parametrize(("n", "m", "d", "k"), [(130, 90, 3, 3), (60, 140, 50, 5), (40, 40, 1, 1), (700, 600, 8, 4)])
def test_agree_with_their_definition(n: int, m: int, d: int, k: int) -> None:
    real, fake = normal(1, n, d), 0.3 + 1.2 * normal(2, m, d)
    assert precision_recall(real, fake, k) + density_coverage(real, fake, k) == pytest.approx(by_definition(real, fake, k))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("offset", [0.0, 1000.0])
def test_a_set_fits_itself_exactly(dtype: torch.dtype, offset: float) -> None:
    """All four are exactly 1, also with the strict edge, as distances are exact: far from 0 rounding would spoil that."""
    real = (offset + normal(0, 600, 24)).to(dtype)
    assert precision_recall(real, real) == (1, 1)
    assert density_coverage(real, real) == (1, 1)


@pytest.mark.parametrize(("n", "m", "k"), [(300, 300, 5), (200, 100, 3)])
def test_coverage_of_equal_laws(n: int, m: int, k: int) -> None:
    """1 - prod_{i=1..k} (N - i)/(N + M - i), density 1, whatever the law. Source: arXiv:2002.09797 sec. 4.1."""
    draws = [density_coverage(normal(2 * i, n, 6), normal(2 * i + 1, m, 6), k) for i in range(60)]
    density, coverage = torch.tensor(draws).mean(0).tolist()
    expected = 1.0
    for i in range(1, k + 1):
        expected *= (n - i) / (n + m - i)
    assert coverage == pytest.approx(1 - expected, abs=0.006)
    assert density == pytest.approx(1, abs=0.02)
    if (n, k) == (300, 5):
        assert 1 - expected == pytest.approx(0.96953, abs=1e-5)


@pytest.mark.slow
def test_golden_of_many_dimensions() -> None:
    """N(0, I_1000), 10,000 each, k = 5: P .4772, R .4705, D 1.0555, C .9735. Source: clovaai/generative-evaluation-prdc."""
    real, fake = normal(0, 10_000, 1000), normal(1, 10_000, 1000)
    assert precision_recall(real, fake, k=5) == pytest.approx((0.4772, 0.4705), abs=0.02)
    assert density_coverage(real, fake) == pytest.approx((1.0555, 0.9735), abs=0.05)


def test_a_collapsed_generator_is_precise_and_recalls_nothing() -> None:
    """The arguments are (real, fake). torch-fidelity had the two exchanged before 0.4.0, its issue 58."""
    real = normal(0, 500, 8)
    collapsed = 0.01 * normal(1, 500, 8)  # in the middle of the reals
    precision, recall = precision_recall(real, collapsed)
    density, coverage = density_coverage(real, collapsed)
    assert precision == 1
    assert recall < 0.02
    assert density > 1
    assert coverage < 0.5


def test_a_generator_of_junk_beside_the_data_is_imprecise_and_recalls_all() -> None:
    real = normal(0, 500, 8)
    fake = torch.cat([real + 0.01 * normal(1, 500, 8), 100 + normal(2, 500, 8)])
    precision, recall = precision_recall(real, fake)
    density, coverage = density_coverage(real, fake)
    assert precision == 0.5
    assert recall == 1
    assert density == pytest.approx(0.55, abs=0.01)  # half of them in a ball of their own and in about 4.5 others, over 5
    assert coverage == 1


def test_a_lost_mode_is_seen_by_recall_and_coverage() -> None:
    modes = torch.tensor([-10.0, 10.0]).double()[torch.arange(600) % 2, None]
    real, fake = modes + normal(0, 600, 2), 10 + normal(1, 600, 2)
    assert precision_recall(real, fake)[0] > 0.95
    assert precision_recall(real, fake)[1] == pytest.approx(0.5, abs=0.02)
    assert density_coverage(real, fake)[1] == pytest.approx(0.5, abs=0.02)


@given(st.integers(0, 1000))
def test_exchanging_the_sets_exchanges_precision_and_recall(seed: int) -> None:
    a, b = normal(seed, 20, 3), 0.5 + normal(seed + 1, 25, 3)
    assert precision_recall(a, b) == precision_recall(b, a)[::-1]


@given(st.integers(0, 1000), st.sampled_from([0.25, 8.0]))
def test_only_the_order_of_distances_counts(seed: int, scale: float) -> None:
    """Order of rows, shift, scale and reflection change nothing."""
    real, fake = normal(seed, 20, 3), 0.5 + normal(seed + 1, 25, 3)
    moved = [scale * x.flip(0, 1) - 2 for x in (real, fake)]
    assert precision_recall(*moved) == precision_recall(real, fake)
    assert density_coverage(*moved) == density_coverage(real, fake)


def test_the_edge_belongs_to_precision_but_not_to_density() -> None:
    """Reals 0, 1, 2, 3 on a line with k = 1 have radius 1: a fake at 4 lies on the edge of the last ball."""
    real, fake = torch.arange(4.0)[:, None], torch.tensor([[4.0], [100.0]])
    assert precision_recall(real, fake, k=1)[0] == 0.5
    assert density_coverage(real, fake, k=1) == (0, 0)


def test_identical_samples_do_not_hide_each_other() -> None:
    """With more than k copies of each real a ball shrinks to a point: fakes on it are inside, unless the edge is out."""
    real = normal(0, 5, 3).repeat(6, 1)
    assert precision_recall(real, real, k=3) == (1, 1)
    assert density_coverage(real, real, k=3) == (0, 0)
    assert precision_recall(real, real + 1e-3, k=3) == (0, 0)


def test_distances_are_exact_and_do_not_depend_on_chunks() -> None:
    """Squared distances on the lattice are whole numbers: those of integer arithmetic, in any chunks, and both ways."""
    points = 1e4 + normal(0, 300, 70)
    placed = Lattice.over(points).place(points)
    wholes = placed.long()
    assert torch.equal(wholes.double(), placed)
    exact = (wholes[:, None] - wholes[None]).square().sum(-1)
    for chunk in (1, 7, 64, 500):
        squared = torch.cat(list(blocks(placed, placed, chunk)))
        assert torch.equal(squared.long(), exact)
    assert exact.max() > 2**45  # the lattice uses the digits that there are
    assert exact.double().sqrt().mul(Lattice.over(points).unit).numpy() == pytest.approx(
        torch.cdist(points, points, compute_mode="donot_use_mm_for_euclid_dist").numpy(), rel=1e-6, abs=1e-12
    )


@pytest.mark.parametrize("d", [1, 2, 3, 64, 1000, 1280])
def test_the_lattice_leaves_no_room_for_rounding(d: int) -> None:
    """At opposite corners of the cube the partial sums are largest: 4 d 4^bits, which must not exceed 2^53."""
    corners = torch.tensor([[-0.999999] * d, [0.999999] * d], dtype=torch.float64)
    placed = Lattice.over(corners).place(corners)
    bound = 4 * placed[0].square().sum().item()
    assert 2**49 < bound <= 2**53
    squared = torch.cat(list(blocks(placed, placed)))
    assert squared.tolist() == [[0, bound], [bound, 0]]


def test_a_point_without_extent() -> None:
    same = torch.full((10, 3), 7.5)
    assert precision_recall(same, same) == (1, 1)
    for a, b in itertools.pairwise((same, same + 1, same)):
        assert precision_recall(a, b) == (0, 0)
