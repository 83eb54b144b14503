"""Pixel norm, instance norm and AdaIN against their formulas."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from ganvas.layers.normalization import AdaIN, instance_norm, pixel_norm


def test_pixel_norm_is_its_formula() -> None:
    for shape in ((4, 7), (4, 7, 3, 5)):
        x = torch.randn(*shape) * 3
        torch.testing.assert_close(pixel_norm(x), x / (x.square().mean(1, keepdim=True) + 1e-8).sqrt())
    assert pixel_norm(torch.zeros(2, 3)).tolist() == [[0.0] * 3] * 2


def test_instance_norm_agrees_with_pytorch() -> None:
    x = torch.randn(3, 5, 6, 7) * torch.rand(3, 5, 1, 1) * 9 + 4
    for layout in (torch.contiguous_format, torch.channels_last):
        torch.testing.assert_close(
            instance_norm(x.to(memory_format=layout)), F.instance_norm(x, eps=1e-8), atol=1e-5, rtol=1e-4
        )


def test_adain_gives_each_map_the_mean_and_deviation_of_its_style() -> None:
    torch.manual_seed(0)
    layer, w = AdaIN(4, 3), torch.randn(2, 4)
    y = layer(torch.randn(2, 3, 8, 8) * 5 + 2, w)
    scale, shift = layer.style(w).chunk(2, 1)
    torch.testing.assert_close(y.mean((2, 3)), shift, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(y.std((2, 3), correction=0), (1 + scale).abs(), atol=1e-5, rtol=1e-4)
