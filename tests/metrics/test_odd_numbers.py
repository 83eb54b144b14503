"""Huge, tiny, constant and stray numbers: a measure gives the value of the formula, or one clear line; never a wrong number."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from ganvas.errors import UsageError
from ganvas.metrics.connected_parts import largest_component
from ganvas.metrics.kernel_distance import feature_scale, kernel_distance
from ganvas.metrics.nearest_neighbours import k_nearest, nearest
from ganvas.metrics.precision_recall import precision_recall, support_measures
from ganvas.metrics.psnr import psnr
from ganvas.metrics.sharpness import sharpness
from ganvas.metrics.sliced_wasserstein import sliced_wasserstein


def normal(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def by_hand(real: Tensor, fake: Tensor, k: int = 3, k_coverage: int = 5) -> tuple[float, float, float, float]:
    """The four measures by their definitions, from all differences."""

    def distances(a: Tensor, b: Tensor) -> Tensor:
        return (a[:, None] - b[None]).square().sum(-1)

    between = distances(real, fake)
    radius, wide, of_fake = (distances(x, x).sort(1).values[:, each] for x, each in ((real, k), (real, k_coverage), (fake, k)))
    inside = between < wide[:, None]
    return (
        (between <= radius[:, None]).any(0).double().mean().item(),
        (between <= of_fake[None]).any(1).double().mean().item(),
        inside.sum().item() / (k_coverage * len(fake)),
        inside.any(1).double().mean().item(),
    )


@pytest.mark.parametrize("d", [1, 2, 64])
@pytest.mark.parametrize("far", [0.0, 1e5, 1e9, 1e100])
@pytest.mark.parametrize("who", ["real", "fake"])
def test_one_stray_sample_does_not_hide_the_others(d: int, far: float, who: str) -> None:
    """A grid as wide as the stray one would put all others into one place: coverage 0, and every distance 0."""
    real, fake = normal(0, 120, d), 0.3 + normal(1, 150, d)
    (real if who == "real" else fake)[7] += far
    assert support_measures(real, fake) == pytest.approx(by_hand(real, fake))
    exact = (real[:, None] - fake[None]).square().sum(-1).sqrt()
    torch.testing.assert_close(nearest(real, fake)[0], exact.min(1).values, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(k_nearest(real, fake, 4)[0], exact.sort(1).values[:, :4], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("factor", [1e-160, 1e-30, 1e30, 1e160, 1e300])
def test_the_unit_of_the_features_does_not_matter(factor: float) -> None:
    a, b = normal(0, 200, 4), 0.3 + normal(1, 200, 4)
    assert support_measures(factor * a, factor * b) == support_measures(a, b)
    expected = kernel_distance(b, a, scale=feature_scale(a))
    assert kernel_distance(factor * b, factor * a, scale=feature_scale(factor * a)) == pytest.approx(expected, rel=1e-6)


def test_points_at_both_ends_of_float64() -> None:
    ends = torch.tensor([[-1.7e308], [-1.6e308], [1.6e308], [1.7e308]], dtype=torch.float64)
    assert precision_recall(ends, ends, k=1) == (1, 1)


def test_the_scale_of_nothing_is_one() -> None:
    """Features that are all 0, as of a network whose units are all dead, are no reason for a division by 0."""
    zeros = torch.zeros(50, 4)
    assert feature_scale(zeros) == 1
    assert kernel_distance(zeros, zeros, scale=feature_scale(zeros)) == (0, 0)
    assert feature_scale(torch.tensor([[3.0, -4.0]])).item() == pytest.approx(math.sqrt(12.5))


def test_cubes_that_are_infinite_are_no_distance() -> None:
    with pytest.raises(UsageError, match=r"kernel distance: expected features near 1, found .*e\+200, too large"):
        kernel_distance(1e200 * (5 + normal(0, 50, 4)), normal(1, 50, 4), scale=torch.ones(()))


@pytest.mark.parametrize("kind", [torch.bool, torch.int8, torch.int16, torch.complex64])
def test_pictures_are_bytes_or_floats(kind: torch.dtype) -> None:
    """One byte a pixel is not enough: True would be 1 of 255, and int8 has no 255."""
    images = torch.ones(2, 1, 16, 16).to(kind)
    for call in (lambda: sharpness(images), lambda: psnr(images, images), lambda: sliced_wasserstein(images, images)):
        with pytest.raises(UsageError, match="expected uint8 or floating point images, found torch"):
            call()


def test_pictures_beyond_float32_are_refused() -> None:
    images = 1e60 * normal(0, 4, 1, 16, 16)
    with pytest.raises(UsageError, match="expected finite numbers"):
        sliced_wasserstein(images, images)


def test_features_are_real_numbers() -> None:
    wave = torch.complex(normal(0, 50, 4), normal(1, 50, 4))
    for measure in (support_measures, kernel_distance):
        with pytest.raises(UsageError, match=r"expected real numbers, found torch\.complex128; take the real part"):
            measure(wave, wave)


@pytest.mark.parametrize("k", [0, 50, 2.5, 3.0, True, "3"])
def test_a_number_of_neighbours_is_a_whole_number(k: object) -> None:
    with pytest.raises(UsageError, match=r"k: expected a whole number from 1 to 49, found"):
        support_measures(normal(0, 50, 2), normal(1, 60, 2), k=k)  # type: ignore[arg-type]


def test_whole_numbers_of_numpy_are_whole_numbers() -> None:
    a, b = normal(0, 50, 2), normal(1, 60, 2)
    assert support_measures(a, b, k=np.int64(3)) == support_measures(a, b, k=3)  # type: ignore[arg-type]


def test_no_solids_have_no_parts() -> None:
    assert largest_component(torch.zeros(0, 4, 4, 4, dtype=torch.bool)).tolist() == []
