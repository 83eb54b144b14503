"""Gated convolutions: a gate says at each pixel how much of what a convolution found there counts.

A usual convolution treats the pixels of a hole as it treats all others. Here the network learns from the mask, and from what it
sees, where there is something to be seen.
Source: Yu et al. 2019, arXiv:1806.03589 eq. 3; one gate for all features: Yi et al. 2020, arXiv:2005.09704 sec. 3.4.

Differs: SiLU instead of ELU.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganvas.layers.initialization import start_as_zero

OPEN = 2.0  # of a gate at the start: sigmoid(2) = 0.88
GAIN = 1.9  # the standard deviation of silu(x) is 0.6 for normal x, and the gate takes its share


class GatedConv(nn.Module):
    """x [N, inputs, H, W] -> silu(features) * sigmoid(gate), [N, outputs, H / stride, W / stride]; the gate is [N, 1, ...]."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1, dilation: int = 1) -> None:
        super().__init__()
        size = 2 * stride if stride > 1 else 3  # of the kernel: with a stride each pixel is seen equally often
        self.features = nn.Conv2d(inputs, outputs, size, stride, dilation, dilation)
        self.gate = nn.Conv2d(inputs, 1, size, stride, dilation, dilation)
        # The variance is kept: features that shrink from layer to layer learn slowly. Gates start nearly open.
        nn.init.kaiming_normal_(self.features.weight, nonlinearity="linear")
        with torch.no_grad():
            self.features.weight.mul_(GAIN)
            self.gate.bias.fill_(OPEN)  # type: ignore[union-attr]

    def forward(self, x: Tensor) -> Tensor:
        return F.silu(self.features(x)) * torch.sigmoid(self.gate(x))


class GatedResidual(nn.Module):
    """x [N, C, H, W] -> [N, C, H, W]: x and a gated convolution beside it, which starts as zero."""

    def __init__(self, width: int, dilation: int = 1) -> None:
        super().__init__()
        last = nn.Conv2d(width, width, 1)
        self.steps = nn.Sequential(GatedConv(width, width, dilation=dilation), last)
        start_as_zero(last)

    def forward(self, x: Tensor) -> Tensor:
        both: Tensor = x + self.steps(x)
        return both
