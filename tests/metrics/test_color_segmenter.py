"""Classes found again by color: against SciPy's density, and where colors tell the classes apart or do not."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal
from torch import Tensor

from ganvas.errors import UsageError
from ganvas.metrics.color_segmenter import NOISE, ColorSegmenter, mean_colors

COLORS = torch.tensor([[20, 40, 90], [220, 190, 140], [40, 90, 40]])


def painted(n: int, spread: float, seed: int = 0, side: int = 12) -> tuple[Tensor, Tensor]:
    """Maps of three vertical stripes in random order, and pictures in the colors of the classes with noise."""
    random = torch.Generator().manual_seed(seed)
    order = torch.stack([torch.randperm(3, generator=random) for _ in range(n)])
    maps = order.repeat_interleave(side // 3, 1)[:, None].expand(n, side, side)
    noise = spread * torch.randn(n, 3, side, side, generator=random)
    return (COLORS[maps].movedim(-1, 1) + noise).clamp(0, 255).to(torch.uint8), maps.to(torch.uint8)


def test_clear_colors_are_found_and_equal_ones_are_not() -> None:
    images, maps = painted(20, 10)
    segmenter = ColorSegmenter.fit(images, maps)
    others, truth = painted(10, 10, seed=1)
    inside = torch.ones(12, dtype=torch.bool)  # but where the blur mixes the colors of two stripes
    inside[[3, 4, 7, 8]] = False
    assert (segmenter.segment(others) == truth)[..., inside].double().mean() > 0.99
    grey = torch.full_like(others, 128)
    assert len(segmenter.segment(grey).unique()) == 1  # one color has one class


def test_the_likeliest_class_is_that_of_scipy() -> None:
    images, maps = painted(6, 60)
    segmenter = ColorSegmenter.fit(images, maps)
    padded = np.pad(images.numpy().astype(float), ((0, 0), (0, 0), (1, 1), (1, 1)), mode="edge")
    blurred = sum(padded[:, :, i : i + 12, j : j + 12] for i in range(3) for j in range(3)) / 9
    pixels, labels = np.moveaxis(blurred, 1, -1).reshape(-1, 3), maps.numpy().ravel()
    scores = [
        multivariate_normal(pixels[labels == k].mean(0), np.cov(pixels[labels == k].T) + NOISE * np.eye(3)).logpdf(pixels)
        for k in range(3)
    ]
    assert (segmenter.segment(images).flatten().numpy() == np.argmax(scores, 0)).all()


def test_unknown_pixels_and_rare_classes_are_left_out() -> None:
    images, maps = painted(8, 5)
    maps[:, :4] = 255
    maps[0, 8, 0] = 9
    segmenter = ColorSegmenter.fit(images, maps)
    assert segmenter.classes == (0, 1, 2)
    assert set(segmenter.segment(images).unique().tolist()) <= {0, 1, 2}


def test_the_pictures_do_not_depend_on_the_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    images, maps = painted(5, 30)
    segmenter = ColorSegmenter.fit(images, maps)
    whole = segmenter.segment(images)
    monkeypatch.setattr("ganvas.metrics.color_segmenter.AT_A_TIME", 2 * 144)
    assert torch.equal(segmenter.segment(images), whole)
    again = ColorSegmenter.fit(images, maps)
    torch.testing.assert_close(again.means, segmenter.means)


def test_mean_colors_of_each_class() -> None:
    images, maps = painted(4, 0)
    maps[0, 0, 0] = 255
    found = mean_colors(images, maps)
    assert list(found) == [0, 1, 2]
    for k, color in enumerate(COLORS):
        assert found[k].tolist() == pytest.approx(color.tolist())


def test_what_does_not_fit_is_refused() -> None:
    images, maps = painted(2, 5)
    with pytest.raises(UsageError, match="one for each image"):
        ColorSegmenter.fit(images, maps[:1])
    with pytest.raises(UsageError, match="a class with at least 50 pixels"):
        ColorSegmenter.fit(images, torch.full_like(maps, 255))
    with pytest.raises(UsageError, match="expected 3 channels, found 1"):
        ColorSegmenter.fit(images, maps).segment(images[:, :1])
