"""Wasserstein distances on the line, the Laplacian pyramid, and distances of patches."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest
import scipy.ndimage
import scipy.stats
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from ganvas.metrics.sliced_wasserstein import pyramid, sliced_wasserstein, sliced_wasserstein_by_side, wasserstein_1d

numbers = st.lists(st.floats(-100, 100), min_size=1, max_size=9).map(lambda row: torch.tensor(row, dtype=torch.float64))


def normal(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def uniform(seed: int, *shape: int) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


@given(numbers, numbers)
def test_wasserstein_1d_agrees_with_scipy(a: Tensor, b: Tensor) -> None:
    value = wasserstein_1d(a, b)
    assert value == pytest.approx(scipy.stats.wasserstein_distance(a, b), rel=1e-9, abs=1e-9)
    assert wasserstein_1d(b, a) == pytest.approx(value, rel=1e-12, abs=1e-12)
    assert wasserstein_1d(a, a.flip(0)) == 0


@given(numbers, st.floats(-50, 50))
def test_wasserstein_of_a_shift_is_the_shift(a: Tensor, shift: float) -> None:
    assert wasserstein_1d(a, a + shift) == pytest.approx(abs(shift), abs=1e-9)
    assert wasserstein_1d(a, torch.cat([a, a]) + shift) == pytest.approx(abs(shift), abs=1e-9)


def test_wasserstein_of_equal_sizes_is_the_mean_difference_of_sorted_numbers() -> None:
    a, b = normal(0, 100).double(), normal(1, 100).double()
    assert wasserstein_1d(a, b) == pytest.approx((a.sort().values - b.sort().values).abs().mean().item(), rel=1e-12)


def test_wasserstein_of_gaussians() -> None:
    """W1 of N(0, 1) and N(0, s^2) is |s - 1| E|Z| = |s - 1| sqrt(2 / pi): quantiles instead of samples."""
    quantiles = torch.tensor([NormalDist().inv_cdf((i + 0.5) / 4000) for i in range(4000)])
    assert wasserstein_1d(quantiles, 3 * quantiles) == pytest.approx(2 * math.sqrt(2 / math.pi), rel=1e-3)


def reference_pyramid(images: np.ndarray, levels: int) -> list[np.ndarray]:
    """The same in SciPy: cv2.pyrDown and cv2.pyrUp are a 5x5 binomial filter, mirrored at the edge."""
    row = np.array([1, 4, 6, 4, 1]) / 16
    blur = np.outer(row, row)[None, None]
    out = [images.astype(np.float64)]
    for _ in range(levels - 1):
        down = scipy.ndimage.convolve(out[-1], blur, mode="mirror")[:, :, ::2, ::2]
        up = np.zeros_like(out[-1])
        up[:, :, ::2, ::2] = down
        out[-1] = out[-1] - scipy.ndimage.convolve(up, 4 * blur, mode="mirror")
        out.append(down)
    return out


def test_the_pyramid_agrees_with_scipy() -> None:
    images = normal(0, 3, 2, 64, 64)
    found = pyramid(images)
    assert [level.shape[-1] for level in found] == [64, 32, 16]
    for level, expected in zip(found, reference_pyramid(images.numpy(), 3), strict=True):
        np.testing.assert_allclose(level, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("height", "width", "sides"), [(28, 28, [28]), (32, 32, [32, 16]), (31, 47, [31, 16]), (64, 40, [40, 20]), (16, 16, [16])]
)
def test_levels_by_size(height: int, width: int, sides: list[int]) -> None:
    images = normal(0, 4, 1, height, width)
    assert [min(level.shape[2:]) for level in pyramid(images)] == sides
    assert list(sliced_wasserstein_by_side(images, images + 1, patches=2, directions=2)) == sides


def test_a_constant_has_no_detail() -> None:
    *details, rest = pyramid(torch.full((1, 3, 128, 128), 200, dtype=torch.uint8))
    assert all(torch.equal(level, torch.zeros_like(level)) for level in details)
    assert torch.equal(rest, torch.full((1, 3, 16, 16), 200.0))


def test_golden_uniform_against_normal() -> None:
    """256 images of 32 x 32 x 3: 0.014 at side 32, 0.020 at 16, to 15 %.

    Source: tensorflow/gan, eval/sliced_wasserstein_test.py: 64 patches, 147 directions. TF-GAN normalises each patch by
    itself, PGGAN and we a channel over all patches; for white noise that is the same to within its tolerance.
    """
    levels = sliced_wasserstein_by_side(uniform(0, 256, 3, 32, 32), normal(1, 256, 3, 32, 32), patches=64, directions=147)
    assert list(levels) == [32, 16]
    assert list(levels.values()) == pytest.approx([0.014, 0.020], rel=0.15)


def test_the_distance_is_the_mean_of_the_levels() -> None:
    a, b = uniform(0, 20, 1, 64, 64), normal(1, 20, 1, 64, 64)
    levels = sliced_wasserstein_by_side(a, b, patches=16, directions=8)
    assert sliced_wasserstein(a, b, patches=16, directions=8) == pytest.approx(sum(levels.values()) / 3)


def test_the_distance_is_symmetric_and_zero_for_a_set_and_itself() -> None:
    a, b = uniform(0, 30, 1, 32, 32), normal(1, 20, 1, 32, 32)
    distance = sliced_wasserstein(a, b, patches=8, directions=16)
    assert distance > 0
    assert sliced_wasserstein(b, a, patches=8, directions=16) == pytest.approx(distance, rel=1e-6)
    assert sliced_wasserstein(a, a, patches=8, directions=16) == 0
    assert sliced_wasserstein(a, b, patches=8, directions=16, seed=1) != distance


def test_bytes_and_floats_measure_alike_and_brightness_does_not_count() -> None:
    a, b = ((256 * uniform(seed, 20, 3, 32, 32)).to(torch.uint8) for seed in (0, 1))
    distance = sliced_wasserstein(a, b, patches=16, directions=16)
    assert sliced_wasserstein(a / 127.5 - 1, b, patches=16, directions=16) == pytest.approx(distance, rel=1e-3)
    tinted = torch.tensor([0.25, 1.0, 4.0])[:, None, None] * b + torch.tensor([30.0, 0.0, -9.0])[:, None, None]
    assert sliced_wasserstein(a, tinted, patches=16, directions=16) == pytest.approx(distance, rel=1e-3)


def test_patches_of_one_colour_are_compared_as_numbers() -> None:
    """Patch i is (c_i, ..., c_i), so the distance is W1 of the normalised c times E |sum of a direction|.

    In 49 dimensions that is 7 E |u_1| = 7 Gamma(49/2) / (sqrt(pi) Gamma(25)), u uniform on the sphere.
    """
    a, b = normal(0, 40), normal(1, 30).square()
    images = [x[:, None, None, None].expand(-1, 1, 16, 16) for x in (a, b)]
    one, other = ((x - x.mean()) / x.std(correction=0) for x in (a, b))
    expected = 7 * math.exp(math.lgamma(24.5) - math.lgamma(25)) / math.sqrt(math.pi) * wasserstein_1d(one, other)
    found = [sliced_wasserstein(*images, patches=3, directions=4000, seed=seed) for seed in (0, 1)]
    assert found == pytest.approx([expected] * 2, rel=0.05)
    assert found[0] != found[1]  # the seed draws the directions too


def test_a_blur_shows_at_the_finest_level() -> None:
    """What is blurred lacks fine detail only. The set's contrast is divided out, but the patches' shape is not."""
    sharp = uniform(0, 150, 1, 64, 64)
    blurred = torch.nn.functional.avg_pool2d(sharp, 3, stride=1, padding=1)
    fresh = sliced_wasserstein_by_side(sharp, uniform(1, 150, 1, 64, 64), patches=32, directions=64)
    found = sliced_wasserstein_by_side(sharp, blurred, patches=32, directions=64)
    assert found[64] > 3 * fresh[64]
    assert found[64] > found[16]


def test_images_without_contrast_are_measured() -> None:
    """Their patches are all zero, not 0 / 0: the distance is the mean |projection| of the others."""
    flat, noise = torch.full((20, 1, 32, 32), 0.3), normal(0, 20, 1, 32, 32)
    assert sliced_wasserstein(flat, flat + 0.1, patches=8, directions=8) < 1e-4
    assert sliced_wasserstein(flat, noise, patches=8, directions=64) == pytest.approx(math.sqrt(2 / math.pi), rel=0.1)
