"""Layers with equalized learning rate: weights have unit variance, and are scaled in each forward pass.

Adam changes every weight by about its learning rate, for small and large weights alike. With He's constant applied at run
time instead of at initialization, all layers learn at the same speed. Source: arXiv:1710.10196 sec. 4.1.
"""

from __future__ import annotations

import math
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SLOPE = 0.2  # of the leaky ReLU that follows
HE = math.sqrt(2)  # gain that keeps the variance through a ReLU; use 1 if no ReLU follows


class EqualLinear(nn.Module):
    """[N, inputs] -> [N, outputs]. `rate` is a factor on the learning rate; it does not change the initial output."""

    def __init__(self, inputs: int, outputs: int, *, gain: float = HE, rate: float = 1.0, bias: float = 0.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / rate)
        self.bias = nn.Parameter(torch.full((outputs,), bias / rate))
        self.scale, self.rate = gain * rate / math.sqrt(inputs), rate

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight * self.scale, self.bias * self.rate)


class EqualConv(nn.Module):
    """[N, inputs, H, W] -> [N, outputs, H, W], with "same" padding."""

    def __init__(self, inputs: int, outputs: int, kernel: int, *, gain: float = HE, bias: bool = True) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None
        self.scale, self.padding = gain / math.sqrt(inputs * kernel**2), kernel // 2

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight * self.scale, self.bias, padding=self.padding)


M = TypeVar("M", bound=nn.Module)


@torch.no_grad()
def plain_weights(network: M) -> M:
    """The same network without equalized learning rate: the scale is multiplied into the initial weights (an ablation)."""
    for layer in network.modules():
        if isinstance(layer, (EqualLinear, EqualConv)):
            layer.weight.mul_(layer.scale)
            layer.scale = 1.0
        if isinstance(layer, EqualLinear):
            layer.bias.mul_(layer.rate)
            layer.rate = 1.0
    return network


def leaky_relu(x: Tensor) -> Tensor:
    """Leaky ReLU, in place: only for an x that nothing else uses, such as the output of a layer."""
    return F.leaky_relu(x, SLOPE, inplace=True)
