"""Upsample and downsample images by 2: nearest neighbour or mean, and with an antialiasing binomial filter (blur pool).

Source: arXiv:1904.11486; arXiv:1812.04948 appendix C, arXiv:1912.04958 appendix B.
Differs: upsampling is bilinear interpolation. Inside the image this equals zero insertion with [1, 3, 3, 1]; at the border
it repeats pixels, where the papers take zeros.
"""

from __future__ import annotations

import functools

import torch
import torch.nn.functional as F
from torch import Tensor

BINOMIAL = (1.0, 3.0, 3.0, 1.0)


def upsample_nearest(x: Tensor, side: int) -> Tensor:
    """[N, C, h, h] -> [N, C, side, side] by nearest neighbour; `side` is a multiple of h."""
    return x if x.shape[-1] == side else F.interpolate(x, size=(side, side), mode="nearest")


def downsample_mean(x: Tensor, side: int) -> Tensor:
    """[N, C, h, h] -> [N, C, side, side], each pixel the mean of a square; h is a multiple of `side`."""
    return x if x.shape[-1] == side else F.avg_pool2d(x, x.shape[-1] // side)


def upsample_blur(x: Tensor) -> Tensor:
    """[N, C, H, W] -> [N, C, 2H, 2W] with the filter [1, 3, 3, 1] / 4 along each axis."""
    return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


def downsample_blur(x: Tensor) -> Tensor:
    """[N, C, H, W] -> [N, C, H/2, W/2] with the filter [1, 3, 3, 1] / 8 along each axis.

    Always in float32: for depthwise convolutions bfloat16 is ten times slower on a CPU.
    """
    channels = x.shape[1]
    with torch.autocast(x.device.type, enabled=False):
        return F.conv2d(x.float(), _binomial(channels, x.device), stride=2, padding=1, groups=channels).to(x.dtype)


@functools.lru_cache(maxsize=64)  # made once: a copy of Python numbers to the device makes the CPU wait
def _binomial(channels: int, device: torch.device) -> Tensor:
    """The filter [channels, 1, 4, 4], float32."""
    with torch.inference_mode(False):  # a tensor made in inference mode cannot be used in training
        row = torch.tensor(BINOMIAL, device=device)
        return (row[:, None] * row / row.sum() ** 2).expand(channels, 1, 4, 4).contiguous()
