"""Modulated and demodulated convolution: the style of a sample scales the weights. Source: arXiv:1912.04958 sec. 2.2."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganvas.layers.equalized import EqualLinear
from ganvas.layers.resample import upsample_blur


def modulated_conv(
    x: Tensor, weight: Tensor, style: Tensor, demodulate: bool = True, gain: float = 1.0, up: bool = False
) -> Tensor:
    """x [N, I, H, W], weight [O, I, k, k], style [N, I] -> [N, O, H, W]: each sample has its own weights.

    `up` doubles the side of x first.

    w' = s_i w; with `demodulate` w'' = w' / sqrt(sum_i,k w'^2 + 1e-8) (eq. 1 and 3); the output is multiplied by `gain`.
    Scaling the inputs and outputs of one ordinary convolution gives the same result, and is much faster.
    """
    style = style.to(weight.dtype)
    x = x * style.to(x.dtype)[:, :, None, None]  # before it is enlarged: a quarter of the pixels
    y = F.conv2d(upsample_blur(x) if up else x, weight, padding=weight.shape[-1] // 2)
    if not demodulate:
        return y * gain if gain != 1 else y
    with torch.autocast(x.device.type, enabled=False):
        strength = style.square() @ weight.square().sum((2, 3)).T  # [N, O]
        scale = gain * torch.rsqrt(strength + 1e-8)
    return y * scale.to(y.dtype)[:, :, None, None]


class ModulatedConv(nn.Module):
    """x [N, I, H, W], w [N, style_dim] -> [N, O, H, W], with `up` [N, O, 2H, 2W]; every style starts at 1."""

    def __init__(
        self, style_dim: int, inputs: int, outputs: int, kernel: int, *, demodulate: bool = True, gain: float = 1.0
    ) -> None:
        super().__init__()
        self.style = EqualLinear(style_dim, inputs, gain=1.0, bias=1.0)
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.scale, self.demodulate, self.gain = 1 / math.sqrt(inputs * kernel**2), demodulate, gain

    def forward(self, x: Tensor, w: Tensor, up: bool = False) -> Tensor:
        return modulated_conv(x, self.weight * self.scale, self.style(w), self.demodulate, self.gain, up)
