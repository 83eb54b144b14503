"""Modulated convolution equals a convolution with each sample's own weights, one sample after another."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from ganvas.layers.modulated_conv import ModulatedConv, modulated_conv
from ganvas.layers.resample import upsample_blur


@pytest.mark.parametrize("kernel", [1, 3])
@pytest.mark.parametrize("demodulate", [True, False])
def test_equals_the_loop_over_samples(kernel: int, demodulate: bool) -> None:
    torch.manual_seed(0)
    x = torch.randn(5, 4, 6, 6, dtype=torch.float64)
    weight, style = torch.randn(3, 4, kernel, kernel, dtype=torch.float64), torch.randn(5, 4, dtype=torch.float64)
    expected = []
    for one, scale in zip(x, style, strict=True):
        own = weight * scale[None, :, None, None]
        if demodulate:
            own = own / (own.square().sum((1, 2, 3), keepdim=True) + 1e-8).sqrt()
        expected.append(F.conv2d(one[None], own, padding=kernel // 2))
    torch.testing.assert_close(modulated_conv(x, weight, style, demodulate), torch.cat(expected))
    torch.testing.assert_close(modulated_conv(x, weight, style, demodulate, gain=2.0), 2 * torch.cat(expected))


def test_it_doubles_the_side() -> None:
    x, weight, style = torch.randn(2, 4, 5, 6), torch.randn(3, 4, 3, 3), torch.randn(2, 4)
    torch.testing.assert_close(modulated_conv(x, weight, style, up=True), modulated_conv(upsample_blur(x), weight, style))


def test_demodulation_keeps_the_variance_whatever_the_style() -> None:
    torch.manual_seed(0)
    weight, x = torch.randn(32, 64, 3, 3), torch.randn(8, 64, 12, 12)
    y = modulated_conv(x, weight, 10 ** torch.randn(8, 64))[:, :, 1:-1, 1:-1]
    assert 0.7 < float(y.std()) < 1.3


def test_gradients_of_gradients_are_true() -> None:
    x, style = torch.randn(2, 2, 3, 3, dtype=torch.float64), torch.randn(2, 2, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(2, 2, 3, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(lambda s, w: modulated_conv(x, w, s), (style, weight))


def test_the_style_starts_near_one() -> None:
    layer = ModulatedConv(4, 6, 3, 3)
    assert torch.equal(layer.style(torch.zeros(2, 4)), torch.ones(2, 6))
