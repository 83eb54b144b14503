"""PSNR against its closed form and torchmetrics."""

from __future__ import annotations

import pytest
import torch
from torchmetrics.functional.image import peak_signal_noise_ratio

from ganvas.errors import UsageError
from ganvas.metrics.psnr import psnr, psnr_within


def test_a_constant_difference_has_a_closed_form() -> None:
    a = torch.full((2, 3, 5, 4), 100, dtype=torch.uint8)
    b = torch.stack([a[0] + 51, a[1]])  # a fifth of the range, and nothing
    assert psnr(a, b)[0] == pytest.approx(20 * torch.tensor(5.0).log10().item())
    assert psnr(a, b)[1] == float("inf")


def test_bytes_and_floats_agree_with_torchmetrics() -> None:
    random = torch.Generator().manual_seed(0)
    a, b = torch.randint(0, 256, (2, 300, 3, 8, 8), generator=random, dtype=torch.uint8)
    found = psnr(a, b)
    assert found.dtype == torch.float64
    torch.testing.assert_close(psnr(a.double() / 255, b.double() / 255), found)
    for i in (0, 299):  # on both sides of a chunk
        assert found[i].item() == pytest.approx(peak_signal_noise_ratio(a[i].double(), b[i].double(), data_range=255.0).item())


@pytest.mark.parametrize(
    ("a", "b", "says"),
    [
        (torch.zeros(2, 1, 4, 4), torch.zeros(2, 1, 4, 5), "pairs of one shape"),
        (torch.full((1, 1, 2, 2), -1.0), torch.zeros(1, 1, 2, 2), r"floats from 0 to 1, found -1 to -1"),
        (torch.full((1, 1, 2, 2), float("nan")), torch.zeros(1, 1, 2, 2), "finite"),
        (torch.zeros(4, 4), torch.zeros(4, 4), r"images \[N, C, H, W\]"),
    ],
)
def test_wrong_images_are_refused(a: torch.Tensor, b: torch.Tensor, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        psnr(a, b)


def test_only_pixels_within_count() -> None:
    random = torch.Generator().manual_seed(0)
    a, b = torch.randint(0, 256, (2, 300, 3, 8, 8), generator=random, dtype=torch.uint8)
    where = torch.zeros(300, 1, 8, 8)
    where[:, :, 2:5, 1:7] = 1
    torch.testing.assert_close(psnr_within(a, b, where), psnr(a[..., 2:5, 1:7], b[..., 2:5, 1:7]))
    torch.testing.assert_close(psnr_within(a, b, torch.ones(300, 1, 8, 8)), psnr(a, b))
    torch.testing.assert_close(psnr_within(a.double() / 255, b.double() / 255, where), psnr_within(a, b, where))
    assert psnr_within(a, a.where(where > 0, 0), where).isinf().all()
    where[7] = 0
    with pytest.raises(UsageError, match="at least one pixel of each pair"):
        psnr_within(a, b, where)
