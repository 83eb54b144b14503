"""Gated convolutions: one gate for all features of a pixel; a block starts as its input."""

from __future__ import annotations

import pytest
import torch

from ganvas.layers.gated import GatedConv, GatedResidual


def test_a_closed_gate_lets_nothing_through() -> None:
    layer, x = GatedConv(3, 5), torch.randn(2, 3, 8, 8)
    open_ = layer(x)
    assert open_.shape == (2, 5, 8, 8)
    with torch.no_grad():
        layer.gate.weight.zero_()
        layer.gate.bias.fill_(-100)  # type: ignore[union-attr]
    assert layer(x).abs().max() < 1e-6
    with torch.no_grad():
        layer.gate.bias.fill_(100)  # type: ignore[union-attr]
    torch.testing.assert_close(layer(x), torch.nn.functional.silu(layer.features(x)))


@pytest.mark.parametrize("dilation", [1, 2, 8])
def test_a_block_starts_as_its_input(dilation: int) -> None:
    block, x = GatedResidual(4, dilation), torch.randn(1, 4, 20, 20)
    assert torch.equal(block(x), x)
    torch.nn.init.normal_(block.steps[1].weight)  # type: ignore[arg-type]
    far = x.clone().requires_grad_()
    block(far)[0, :, 10, 10].sum().backward()
    assert far.grad is not None
    seen = far.grad.abs().sum(1)[0].nonzero()
    assert (seen - 10).abs().max() == dilation


def test_a_stride_halves_the_side() -> None:
    assert GatedConv(3, 6, stride=2)(torch.randn(1, 3, 12, 20)).shape == (1, 6, 6, 10)
