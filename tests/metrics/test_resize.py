"""Resizing is antialiased bicubic, as Pillow's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from ganvas.errors import UsageError
from ganvas.metrics.resize import enlarge, resize, shrink


def bytes_of(seed: int, *shape: int) -> Tensor:
    return torch.randint(0, 256, shape, generator=torch.Generator().manual_seed(seed), dtype=torch.uint8)


@pytest.mark.parametrize("side", [7, 16, 28, 45, 64])
def test_bytes_agree_with_pillow(side: int) -> None:
    """Pillow's filters are the right ones, on floats: on bytes it cuts and rounds between its passes. arXiv:2104.11222."""
    image = bytes_of(0, 1, 1, 28, 28)
    picture = Image.fromarray(image[0, 0].float().numpy()).resize((side, side), Image.Resampling.BICUBIC)
    ours = resize(image, side)
    assert ours.dtype == torch.uint8
    assert np.abs(ours[0, 0].numpy() - np.asarray(picture).clip(0, 255)).max() < 0.501


def test_floats_agree_with_pillow() -> None:
    image = torch.randn(1, 1, 30, 30, generator=torch.Generator().manual_seed(0))
    theirs = np.asarray(Image.fromarray(image[0, 0].numpy()).resize((12, 12), Image.Resampling.BICUBIC))
    np.testing.assert_allclose(resize(image, 12)[0, 0], theirs, atol=1e-5)


def test_the_same_size_changes_nothing() -> None:
    image = bytes_of(0, 2, 3, 20, 20)
    assert torch.equal(resize(image, 20), image)


def test_a_ramp_stays_a_ramp_away_from_the_edge() -> None:
    """Bicubic interpolation of a linear function is exact."""
    ramp = torch.arange(16.0, dtype=torch.float64).expand(1, 1, 16, 16)
    expected = (torch.arange(32, dtype=torch.float64) + 0.5) / 2 - 0.5
    torch.testing.assert_close(resize(ramp, 32)[0, 0, 16, 6:-6], expected[6:-6])


def test_a_checkerboard_is_reduced_to_grey() -> None:
    """Without antialiasing, some of its squares would be picked and others lost."""
    board = (torch.arange(64)[:, None] + torch.arange(64)) % 2 * 2.0 - 1
    assert resize(board[None, None], 16).abs().max() < 0.05


def test_bytes_do_not_overshoot() -> None:
    edge = torch.zeros(1, 1, 8, 8, dtype=torch.uint8)
    edge[..., 4:] = 255
    resized = resize(edge, 32)
    assert resized[0, 0, 16, 0] == 0
    assert resized[0, 0, 16, -1] == 255
    assert resized[0, 0, 16].sort().values.equal(resized[0, 0, 16].sort().values.clamp(0, 255))
    assert resize(edge.float(), 32).max() > 255


@pytest.mark.parametrize(("height", "width", "scale"), [(8, 12, 2), (9, 14, 2), (16, 13, 4)])
def test_super_resolution_shrinks_by_the_same_filter_after_a_crop(height: int, width: int, scale: int) -> None:
    image = bytes_of(1, 1, 1, height, width)
    small = shrink(image, scale)
    assert small.shape == (1, 1, height // scale, width // scale)
    whole = image[0, 0, : height // scale * scale, : width // scale * scale]
    theirs = Image.fromarray(whole.float().numpy()).resize((width // scale, height // scale), Image.Resampling.BICUBIC)
    assert np.abs(small[0, 0].numpy() - np.asarray(theirs).clip(0, 255)).max() < 0.501


def test_enlarging_is_bicubic_too() -> None:
    image = bytes_of(2, 1, 1, 5, 7)
    theirs = Image.fromarray(image[0, 0].float().numpy()).resize((14, 10), Image.Resampling.BICUBIC)
    assert np.abs(enlarge(image, 2)[0, 0].numpy() - np.asarray(theirs).clip(0, 255)).max() < 0.501
    flat = torch.full((1, 3, 6, 6), 77, dtype=torch.uint8)
    assert torch.equal(enlarge(shrink(flat, 3), 3), flat)


def test_an_image_smaller_than_the_scale_is_refused() -> None:
    with pytest.raises(UsageError, match="at least 4 x 4 pixels"):
        shrink(bytes_of(0, 1, 1, 3, 9), 4)
