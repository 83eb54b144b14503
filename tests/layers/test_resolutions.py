"""Sides of a pyramid, and its last doubling."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ganvas.errors import UsageError
from ganvas.layers.resolutions import list_resolutions, subpixel_layers


@pytest.mark.parametrize(
    ("resolution", "expected"), [(8, [8, 4]), (28, [28, 14, 7]), (32, [32, 16, 8, 4]), (128, [128, 64, 32, 16, 8, 4])]
)
def test_sides_halve_down_to_few_pixels(resolution: int, expected: list[int]) -> None:
    assert list_resolutions(resolution) == expected


@pytest.mark.parametrize("resolution", [1, 4, 7, 30, 100])
def test_a_side_that_cannot_be_halved_is_said(resolution: int) -> None:
    with pytest.raises(UsageError, match="use 28, 32, 64 or 128"):
        list_resolutions(resolution)


def test_the_last_doubling_gives_each_pixel_four_of_its_own_channels() -> None:
    """arXiv:1609.05158 eq. 4: pixel (2i + a, 2j + b) of channel c is channel 4c + 2a + b at (i, j)."""
    layers = nn.Sequential(*subpixel_layers(5, 3)).eval()
    x = torch.randn(2, 5, 7, 7, generator=torch.Generator().manual_seed(1))
    before, after = layers[:-1](x), layers(x)
    assert after.shape == (2, 3, 14, 14)
    for a in (0, 1):
        for b in (0, 1):
            assert torch.equal(after[:, :, a::2, b::2], before[:, 2 * a + b :: 4])
