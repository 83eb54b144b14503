"""How convolutions start: as zero, as a copy of their input, and with pixels that are alike."""

from __future__ import annotations

import torch
from torch import nn

from ganvas.layers.channels import convert_channels


def start_as_zero(layer: nn.Conv2d) -> None:
    """Set all weights of a convolution to zero."""
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)  # type: ignore[arg-type]


def start_as_copy(layer: nn.Conv2d) -> None:
    """Set the weights of a 1x1 convolution so that it does what `convert_channels` does."""
    outputs, inputs = layer.weight.shape[:2]
    with torch.no_grad():
        layer.weight.copy_(convert_channels(torch.eye(inputs)[:, :, None, None], outputs).transpose(0, 1))
        layer.bias.zero_()  # type: ignore[union-attr]


def grow_evenly(width: int, channels: int, scale: int) -> nn.Conv2d:
    """A 3x3 convolution before `PixelShuffle(scale)` whose pixels of one square start alike: no grid in the first pictures.

    Source: Aitken et al. 2017, arXiv:1707.02937 sec. 3 (ICNR).
    """
    layer = nn.Conv2d(width, channels * scale**2, 3, 1, 1)
    with torch.no_grad():
        for each in (layer.weight, layer.bias):
            squares = each.unflatten(0, (channels, scale**2))  # type: ignore[union-attr]
            squares.copy_(squares[:, :1].clone().expand_as(squares))
    return layer
