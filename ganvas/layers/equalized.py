"""Layers with an equalised learning rate: weights of unit variance, scaled when they are used.

Adam moves every weight by about its learning rate, however large it is. With He's constant applied at run time instead of
at the start, all layers learn at one pace. Source: arXiv:1710.10196 sec. 4.1.
"""

from __future__ import annotations

import math
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SLOPE = 0.2  # of the leaky ReLU that follows
HE = math.sqrt(2)  # gain that keeps the variance through a ReLU; 1 where none follows


class EqualLinear(nn.Module):
    """[N, inputs] -> [N, outputs]. `rate` is a factor on the layer's learning rate, which leaves the start as it is."""

    def __init__(self, inputs: int, outputs: int, *, gain: float = HE, rate: float = 1.0, bias: float = 0.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / rate)
        self.bias = nn.Parameter(torch.full((outputs,), bias / rate))
        self.scale, self.rate = gain * rate / math.sqrt(inputs), rate

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight * self.scale, self.bias * self.rate)


class EqualConv(nn.Module):
    """[N, inputs, H, W] -> [N, outputs, H, W]: the side is kept."""

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
    """The same function with ordinary weights: the scale moves from run time into the start, so that layers learn unevenly."""
    for layer in network.modules():
        if isinstance(layer, (EqualLinear, EqualConv)):
            layer.weight.mul_(layer.scale)
            layer.scale = 1.0
        if isinstance(layer, EqualLinear):
            layer.bias.mul_(layer.rate)
            layer.rate = 1.0
    return network


def leaky_relu(x: Tensor) -> Tensor:
    """Leaky ReLU, written over x: for what comes fresh from a layer."""
    return F.leaky_relu(x, SLOPE, inplace=True)
