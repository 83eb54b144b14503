"""Directions against closed forms: known matrices, known covariances, known means."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from ganvas.errors import UsageError
from ganvas.latents.directions import class_difference, principal_directions, spread_along, strongest_directions

seeds, sizes = st.integers(0, 10_000), st.integers(2, 12)


def normal(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def rotation(seed: int, d: int) -> Tensor:
    """An orthogonal matrix [d, d]."""
    return torch.linalg.qr(normal(seed, d, d)).Q


def upright(vectors: Tensor) -> Tensor:
    """Rows with their largest entry positive."""
    return vectors * vectors.gather(1, vectors.abs().argmax(1, keepdim=True)).sign()


@given(seeds, sizes)
def test_the_strongest_directions_are_right_singular_vectors(seed: int, d: int) -> None:
    """A = U diag(s) V^T lengthens the rows of V^T by s; their shares are s^2 / sum s^2."""
    s = torch.arange(d, 0, -1, dtype=torch.float64)
    right, left = rotation(seed, d), rotation(seed + 1, d + 3)[:, :d]
    found = strongest_directions([left @ torch.diag(s) @ right])
    torch.testing.assert_close(found.vectors, upright(right))
    torch.testing.assert_close(found.shares, s.square() / s.square().sum())


def test_layers_count_by_how_much_they_amplify() -> None:
    """One layer looks at the first axis, a stronger one at the second, a third at both alike."""
    first, second, both = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 2.0]]), torch.eye(2)
    found = strongest_directions([first, second, both])
    torch.testing.assert_close(found.vectors, torch.tensor([[0.0, 1.0], [1.0, 0.0]], dtype=torch.float64))
    torch.testing.assert_close(found.shares, torch.tensor([5 / 7, 2 / 7], dtype=torch.float64))


@given(seeds, sizes)
def test_principal_components_of_a_known_covariance(seed: int, d: int) -> None:
    """2 d points at +-sd_k along the k-th of d axes have these axes as components, with variances as sd^2."""
    axes, sd = rotation(seed, d), torch.arange(d, 0, -1, dtype=torch.float64)
    points = torch.cat([sd[:, None] * axes, -sd[:, None] * axes]) + normal(seed + 1, d)
    found = principal_directions(points)
    torch.testing.assert_close(found.vectors, upright(axes))
    torch.testing.assert_close(found.shares, sd.square() / sd.square().sum())
    torch.testing.assert_close(spread_along(points, found.vectors[0]), float((2 * sd[0] ** 2 / (2 * d - 1)).sqrt()))


@given(seeds, st.integers(2, 30), sizes)
def test_directions_are_orthonormal_and_their_signs_are_fixed(seed: int, n: int, d: int) -> None:
    points = normal(seed, n, d)
    for found, again in (
        (principal_directions(points), principal_directions(-points)),
        (strongest_directions([points]), strongest_directions([-points])),
    ):
        torch.testing.assert_close(found.vectors @ found.vectors.T, torch.eye(d, dtype=torch.float64))
        assert torch.equal(found.vectors, again.vectors)
        assert (found.vectors.gather(1, found.vectors.abs().argmax(1, keepdim=True)) > 0).all()
        assert found.shares.sum().item() == pytest.approx(1)
        assert (found.shares.diff() <= 1e-12).all()
        assert (found.shares >= 0).all()


def test_points_without_spread_have_no_shares() -> None:
    assert principal_directions(torch.ones(5, 3)).shares.tolist() == [0, 0, 0]


@given(seeds, sizes)
def test_from_class_to_class(seed: int, d: int) -> None:
    way = normal(seed, d)
    cloud = normal(seed + 1, 10, d)
    points, labels = torch.cat([cloud, cloud + way, cloud - 7 * way]), torch.arange(3).repeat_interleave(10)
    torch.testing.assert_close(class_difference(points, labels, 1, 0), way / way.norm())
    torch.testing.assert_close(class_difference(points, labels, 0, 1), -class_difference(points, labels, 1, 0))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: strongest_directions([]), "expected matrices"),
        (lambda: strongest_directions([torch.ones(3, 2), torch.ones(3, 4)]), r"of one d, got shapes \[\[3, 2\], \[3, 4\]\]"),
        (lambda: strongest_directions([torch.full((3, 2), torch.nan)]), "the weights are not finite"),
        (lambda: principal_directions(torch.ones(1, 3)), "at least two codes"),
        (lambda: principal_directions(torch.full((4, 3), torch.inf)), "the codes are not finite"),
        (lambda: class_difference(torch.ones(4, 2), torch.zeros(4), 0, 1), "class 1: found in none of 4 samples"),
        (lambda: class_difference(torch.ones(4, 2), torch.arange(4) % 2, 0, 1), "the same mean"),
    ],
)
def test_a_wrong_request_is_one_clear_line(call: object, message: str) -> None:
    assert callable(call)
    with pytest.raises(UsageError, match=message):
        call()
