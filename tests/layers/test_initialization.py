"""How convolutions start."""

from __future__ import annotations

import pytest
import torch

from ganvas.layers.channels import convert_channels
from ganvas.layers.initialization import grow_evenly, start_as_copy, start_as_zero


def test_a_layer_starts_as_zero() -> None:
    layer = torch.nn.Conv2d(3, 2, 3)
    start_as_zero(layer)
    assert not layer(torch.randn(1, 3, 5, 5)).any()


@pytest.mark.parametrize(("inputs", "outputs"), [(3, 3), (1, 3), (3, 1), (1, 1)])
def test_a_layer_starts_as_a_copy(inputs: int, outputs: int) -> None:
    layer, image = torch.nn.Conv2d(inputs, outputs, 1), torch.randn(2, inputs, 5, 4)
    start_as_copy(layer)
    assert torch.allclose(layer(image), convert_channels(image, outputs), atol=1e-6)


@pytest.mark.parametrize("scale", [2, 4])
def test_the_pixels_of_a_square_start_alike(scale: int) -> None:
    drawn = torch.nn.functional.pixel_shuffle(grow_evenly(5, 3, scale)(torch.randn(2, 5, 4, 6)), scale)
    assert drawn.shape == (2, 3, 4 * scale, 6 * scale)
    squares = drawn.unfold(2, scale, scale).unfold(3, scale, scale).flatten(4)
    assert torch.allclose(squares, squares[..., :1].expand_as(squares), atol=1e-6)
    assert drawn.std() > 0.1
