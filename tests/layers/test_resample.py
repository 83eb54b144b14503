"""Up and down by 2: against the filters written out, away from the border."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ganvas.layers.resample import downsample_blur, downsample_mean, upsample_blur, upsample_nearest


def kernel(*taps: float) -> Tensor:
    row = torch.tensor(taps, dtype=torch.float64)
    return (row[:, None] * row / row.sum() ** 2)[None, None]


def test_smooth_up_is_zero_insertion_and_the_binomial_filter() -> None:
    x = torch.randn(2, 1, 6, 6, dtype=torch.float64)
    inserted = F.conv_transpose2d(x, 4 * kernel(1, 3, 3, 1), stride=2, padding=1)
    torch.testing.assert_close(upsample_blur(x)[:, :, 2:-2, 2:-2], inserted[:, :, 2:-2, 2:-2])
    nearest = F.conv2d(upsample_nearest(x, 12), kernel(1, 2, 1), padding=1)
    torch.testing.assert_close(upsample_blur(x)[:, :, 2:-2, 2:-2], nearest[:, :, 2:-2, 2:-2])


def test_smooth_down_is_the_binomial_filter_and_every_second_pixel() -> None:
    x = torch.randn(2, 3, 8, 8)
    blurred = F.conv2d(F.pad(x.double().flatten(0, 1)[:, None], (1, 1, 1, 1)), kernel(1, 3, 3, 1))[:, :, ::2, ::2]
    torch.testing.assert_close(downsample_blur(x), blurred.unflatten(0, (2, 3))[:, :, 0].float(), atol=1e-6, rtol=1e-5)


def test_the_finest_checks_vanish_where_every_second_pixel_would_keep_them() -> None:
    checks = ((torch.arange(16)[:, None] + torch.arange(16)) % 2 * 2.0 - 1)[None, None]
    assert float(checks[:, :, ::2, ::2].abs().min()) == 1
    assert float(downsample_blur(checks)[:, :, 1:-1, 1:-1].abs().max()) < 1e-6


def test_shrunk_undoes_enlarged() -> None:
    x = torch.randn(2, 3, 4, 4)
    assert upsample_nearest(x, 4) is x
    torch.testing.assert_close(downsample_mean(upsample_nearest(x, 16), 4), x)


def test_second_derivatives_exist() -> None:
    for resample in (upsample_blur, downsample_blur):
        x = torch.randn(1, 2, 4, 4, requires_grad=True)
        (slope,) = torch.autograd.grad(resample(x).pow(3).sum(), x, create_graph=True)
        (second,) = torch.autograd.grad(slope.sum(), x)
        assert float(second.abs().sum()) > 0
