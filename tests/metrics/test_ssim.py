"""SSIM and MS-SSIM against their closed form, SciPy and torchmetrics; the diversity of a class."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torchmetrics.functional.image import structural_similarity_index_measure

from ganvas.metrics.ssim import WEIGHTS, diversity, ms_ssim, ssim


def images(seed: int, *shape: int) -> Tensor:
    """Smooth random images in [0, 1], float64."""
    noise = torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return F.avg_pool2d(noise, 3, stride=1, padding=1, count_include_pad=False)


def by_scipy(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    """SSIM and its contrast factor of one grey image each, as tensorflow/models msssim.py computes them."""
    at = np.arange(11) - 5
    window = np.exp(-(at[:, None] ** 2 + at[None] ** 2) / (2 * 1.5**2))
    window /= window.sum()

    def blur(x: np.ndarray) -> np.ndarray:
        return scipy.signal.convolve2d(x, window, mode="valid")

    m, n = blur(a), blur(b)
    contrast = (2 * (blur(a * b) - m * n) + 0.0009) / (blur(a * a) - m * m + blur(b * b) - n * n + 0.0009)
    return ((2 * m * n + 0.0001) / (m * m + n * n + 0.0001) * contrast).mean(), contrast.mean()


def halved(x: np.ndarray) -> np.ndarray:
    return (x[::2, ::2] + x[1::2, ::2] + x[::2, 1::2] + x[1::2, 1::2]) / 4


@given(st.floats(0, 1), st.floats(0, 1))
def test_ssim_of_constants(a: float, b: float) -> None:
    """(2ab + C1) / (a^2 + b^2 + C1), C1 = 0.0001. Source: Wang et al. 2004 eq. 6 and 13."""
    x, y = torch.full((1, 1, 12, 12), a, dtype=torch.float64), torch.full((1, 1, 12, 12), b, dtype=torch.float64)
    expected = (2 * a * b + 1e-4) / (a * a + b * b + 1e-4)
    assert ssim(x, y).item() == pytest.approx(expected, rel=1e-9)
    assert ms_ssim(x, y).item() == pytest.approx(expected, rel=1e-9)  # one scale only


@pytest.mark.parametrize("side", [11, 28, 32, 64, 176])
def test_an_image_is_like_itself(side: int) -> None:
    x = images(0, 3, 2, side, side)
    assert ssim(x, x).tolist() == pytest.approx([1, 1, 1])
    assert ms_ssim(x, x).tolist() == pytest.approx([1, 1, 1])


def test_ssim_agrees_with_scipy_and_torchmetrics() -> None:
    a, b = images(0, 4, 1, 28, 40), images(1, 4, 1, 28, 40)
    expected = [by_scipy(x.numpy()[0], y.numpy()[0])[0] for x, y in zip(a, b, strict=True)]
    assert ssim(a, b).tolist() == pytest.approx(expected, rel=1e-9)
    _, places = structural_similarity_index_measure(a, b, data_range=1.0, return_full_image=True)
    inside = places[:, :, 5:-5, 5:-5].mean((1, 2, 3))  # torchmetrics pads; the rest of the field does not
    assert ssim(a, b).tolist() == pytest.approx(inside.tolist(), rel=1e-6)


@pytest.mark.parametrize(
    ("side", "scales"), [(21, 1), (22, 2), (28, 2), (43, 2), (44, 3), (64, 3), (88, 4), (175, 4), (176, 5)]
)
def test_ms_ssim_has_the_scales_that_fit(side: int, scales: int) -> None:
    """The product of contrasts and of the last scale's SSIM, with renormalised weights. Source: Wang et al. 2003 eq. 7."""
    side -= side % 2 ** (scales - 1)  # halves without remainder, for `halved`
    a, b = images(0, 1, 1, side, side), images(1, 1, 1, side, side)
    x, y, expected = a.numpy()[0, 0], b.numpy()[0, 0], 1.0
    weights = np.array(WEIGHTS[:scales])
    if scales < 5:
        weights /= weights.sum()
    for scale, weight in enumerate(weights, 1):
        index, contrast = by_scipy(x, y)
        expected *= max(index if scale == scales else contrast, 0) ** weight
        x, y = halved(x[: len(x) // 2 * 2, : len(x) // 2 * 2]), halved(y[: len(y) // 2 * 2, : len(y) // 2 * 2])
    assert ms_ssim(a, b).item() == pytest.approx(expected, rel=1e-9)


def test_ms_ssim_agrees_with_torchmetrics() -> None:
    """All five scales and three channels, assembled from torchmetrics' parts without its padding at the last scale."""
    a, b = images(0, 2, 3, 176, 176), images(1, 2, 3, 176, 176)
    x, y, expected = a, b, torch.ones(2, dtype=torch.float64)
    for scale, weight in enumerate(WEIGHTS, 1):
        if scale < 5:
            part = structural_similarity_index_measure(x, y, data_range=1.0, return_contrast_sensitivity=True)[1]
        else:
            places = structural_similarity_index_measure(x, y, data_range=1.0, return_full_image=True)[1]
            part = places[:, :, 5:-5, 5:-5].mean((1, 2, 3))
        expected = expected * part.clamp(min=0) ** weight
        x, y = F.avg_pool2d(x, 2), F.avg_pool2d(y, 2)
    assert ms_ssim(a, b).tolist() == pytest.approx(expected.tolist(), rel=1e-6)


def test_bytes_and_floats_are_the_same_images() -> None:
    a, b = (torch.randint(0, 256, (3, 1, 28, 28), generator=torch.Generator().manual_seed(s)).to(torch.uint8) for s in (0, 1))
    assert torch.equal(ms_ssim(a, b), ms_ssim(a.double() / 255, b.double() / 255))
    assert torch.equal(ssim(a, b), ssim(a.double() / 255, b.double() / 255))


@given(st.integers(0, 500))
def test_similarity_is_symmetric_at_most_one_and_turns_with_the_image(seed: int) -> None:
    a, b = images(seed, 1, 1, 24, 24), images(seed + 1, 1, 1, 24, 24)
    for measure in (ssim, ms_ssim):
        value = measure(a, b).item()
        assert value <= 1
        assert measure(b, a).item() == pytest.approx(value)
        assert measure(a.mT.flip(2), b.mT.flip(2)).item() == pytest.approx(value)


def test_a_negative_is_as_unlike_as_can_be() -> None:
    a = images(0, 1, 1, 32, 32)
    assert ssim(a, 1 - a).item() < 0
    assert ms_ssim(a, 1 - a).item() == 0


def test_more_noise_is_less_alike() -> None:
    a, noise = images(0, 1, 1, 44, 44), torch.randn(1, 1, 44, 44, generator=torch.Generator().manual_seed(1)).double()
    values = [ms_ssim(a, (a + level * noise).clamp(0, 1)).item() for level in (0.0, 0.02, 0.05, 0.1, 0.3)]
    assert values == sorted(values, reverse=True)


def test_pairs_do_not_depend_on_the_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = images(0, 7, 1, 22, 22), images(1, 7, 1, 22, 22)
    whole = ms_ssim(a, b)
    monkeypatch.setattr("ganvas.metrics.ssim.NUMBERS", 2 * 22 * 22)
    torch.testing.assert_close(ms_ssim(a, b), whole, rtol=1e-12, atol=0)


def test_copies_have_no_diversity() -> None:
    one = images(0, 1, 1, 22, 22)
    assert diversity(one.expand(20, 1, 22, 22), pairs=50) == pytest.approx(1)
    assert diversity(images(1, 20, 1, 22, 22), pairs=50) < 0.9


def test_an_image_is_never_compared_with_itself() -> None:
    """With two images there is one pair, however many are asked for."""
    two = images(0, 2, 1, 22, 22)
    assert diversity(two, pairs=40) == pytest.approx(ms_ssim(two[:1], two[1:]).item())


def test_every_pair_of_a_class_comes_up() -> None:
    few = images(0, 4, 1, 22, 22)
    first, second = torch.triu_indices(4, 4, 1)
    assert diversity(few, pairs=4000) == pytest.approx(ms_ssim(few[first], few[second]).mean().item(), abs=0.01)


def test_classes_are_compared_within_and_count_equally() -> None:
    """Class 7 holds copies, class 3 two images: whatever the sizes, the mean is half way between 1 and that pair."""
    copies, two = images(0, 1, 1, 22, 22).expand(6, 1, 22, 22), images(1, 2, 1, 22, 22)
    labels = torch.tensor([7, 3, 7, 7, 3, 7, 7, 7])
    mixed = torch.empty(8, 1, 22, 22, dtype=torch.float64)
    mixed[labels == 7], mixed[labels == 3] = copies, two
    expected = (1 + ms_ssim(two[:1], two[1:]).item()) / 2
    assert diversity(mixed, labels, pairs=30) == pytest.approx(expected)


def test_the_seed_decides_the_pairs() -> None:
    many = images(0, 30, 1, 22, 22)
    assert diversity(many, pairs=5, seed=1) == diversity(many, pairs=5, seed=1)
    assert diversity(many, pairs=5, seed=1) != diversity(many, pairs=5, seed=2)
