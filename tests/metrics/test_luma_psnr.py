"""PSNR and SSIM of luma: golden numbers of MATLAB's rgb2ycbcr, and the strip that does not count."""

from __future__ import annotations

import math

import pytest
import torch
from PIL import Image
from torch import Tensor

from ganvas.errors import UsageError
from ganvas.metrics.luma_psnr import luma, psnr_y, ssim_y
from ganvas.metrics.psnr import psnr
from ganvas.metrics.ssim import ssim


def one_color(*rgb: int, side: int = 1) -> Tensor:
    return torch.tensor(rgb, dtype=torch.uint8).view(1, 3, 1, 1).expand(1, 3, side, side)


@pytest.mark.parametrize(
    ("rgb", "y"),  # MATLAB: 255 * rgb2ycbcr(double([r g b]) / 255)
    [
        ((0, 0, 0), 16.0),
        ((255, 255, 255), 235.0),
        ((255, 0, 0), 81.481),
        ((0, 255, 0), 144.553),
        ((0, 0, 255), 40.966),
        ((128, 128, 128), 16 + 219 * 128 / 255),
    ],
)
def test_luma_of_known_colors(rgb: tuple[int, int, int], y: float) -> None:
    assert 255 * luma(one_color(*rgb)).item() == pytest.approx(y)


def test_luma_is_the_scaled_y_of_pillow() -> None:
    """Pillow's YCbCr has the same weights over the full range, 0 to 255; it rounds down."""
    image = torch.randint(0, 256, (3, 9, 9), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    y = Image.fromarray(image.permute(1, 2, 0).contiguous().numpy()).convert("YCbCr").getchannel("Y")
    full = torch.tensor(list(y.tobytes()), dtype=torch.float64).view(9, 9)
    assert (255 * luma(image[None])[0, 0] - (16 + full * 219 / 255)).abs().max() < 0.9


def test_grey_is_as_color_with_equal_channels() -> None:
    grey = torch.randint(0, 256, (2, 1, 5, 5), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    torch.testing.assert_close(luma(grey), luma(grey.expand(-1, 3, -1, -1)))


def test_a_difference_of_one_channel_counts_by_its_weight() -> None:
    a, b = one_color(10, 20, 30), one_color(10, 20, 81)  # blue differs by a fifth
    assert psnr_y(a, b).item() == pytest.approx(20 * math.log10(255 / (24.966 / 5)))
    assert psnr_y(a, a).item() == math.inf


def test_the_border_does_not_count() -> None:
    random = torch.Generator().manual_seed(0)
    a = torch.randint(0, 256, (2, 3, 17, 19), generator=random, dtype=torch.uint8)
    b = torch.randint(0, 256, (2, 3, 17, 19), generator=random, dtype=torch.uint8)
    b[..., 2:-2, 2:-2] = a[..., 2:-2, 2:-2]
    assert psnr_y(a, b, border=2).tolist() == [math.inf, math.inf]
    assert ssim_y(a, b, border=2).tolist() == pytest.approx([1, 1])
    assert (psnr_y(a, b, border=1) < 40).all()
    torch.testing.assert_close(psnr_y(a, b), psnr(luma(a), luma(b)))
    torch.testing.assert_close(ssim_y(a, b), ssim(luma(a), luma(b)))


@pytest.mark.parametrize(("border", "says"), [(3, "border: expected a whole number from 0 to 2"), (-1, "border")])
def test_a_border_that_leaves_nothing_is_refused(border: int, says: str) -> None:
    a = torch.zeros(1, 3, 6, 6, dtype=torch.uint8)
    with pytest.raises(UsageError, match=says):
        psnr_y(a, a, border)


def test_two_channels_have_no_luma() -> None:
    with pytest.raises(UsageError, match="expected 1 or 3 channels, found 2"):
        psnr_y(torch.zeros(1, 2, 4, 4), torch.zeros(1, 2, 4, 4))
