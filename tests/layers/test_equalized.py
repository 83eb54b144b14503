"""Equalised learning rate: unit variance out for unit variance in, and one pace for every layer."""

from __future__ import annotations

import pytest
import torch

from ganvas.layers.equalized import EqualConv, EqualLinear, leaky_relu


@pytest.mark.parametrize("inputs", [16, 64])
def test_variance_does_not_depend_on_the_width(inputs: int) -> None:
    """He's constant doubles it, for the leaky ReLU to halve about; a gain of 1 keeps it."""
    torch.manual_seed(0)
    with torch.no_grad():
        y = EqualConv(inputs, 256, 3)(torch.randn(64, inputs, 6, 6))[:, :, 1:-1, 1:-1]
        assert float(y.var()) == pytest.approx(2, rel=0.15)
        assert float(leaky_relu(y).square().mean()) == pytest.approx(1.04, rel=0.15)
        assert float(EqualLinear(inputs, 256, gain=1.0)(torch.randn(512, inputs)).var()) == pytest.approx(1, rel=0.15)


def test_stored_weights_have_unit_variance_and_are_scaled_in_use() -> None:
    torch.manual_seed(0)
    layer = EqualConv(16, 32, 3)
    assert float(layer.weight.detach().std()) == pytest.approx(1, rel=0.05)
    assert layer.scale == pytest.approx((2 / (16 * 9)) ** 0.5)
    x = torch.randn(2, 16, 5, 5)
    expected = torch.nn.functional.conv2d(x, layer.weight * (2 / (16 * 9)) ** 0.5, padding=1)
    torch.testing.assert_close(layer(x), expected)


def test_rate_changes_the_pace_and_not_the_start() -> None:
    """An equal move of the stored weights moves the output `rate` times as far."""
    x = torch.randn(5, 8)
    torch.manual_seed(1)
    fast = EqualLinear(8, 3, bias=1.0)
    torch.manual_seed(1)
    slow = EqualLinear(8, 3, rate=0.01, bias=1.0)
    before = fast(x)
    torch.testing.assert_close(slow(x), before)
    with torch.no_grad():
        for layer in (fast, slow):
            for weight in layer.parameters():
                weight += 0.5
    torch.testing.assert_close(slow(x) - before, 0.01 * (fast(x) - before), atol=1e-5, rtol=1e-3)
