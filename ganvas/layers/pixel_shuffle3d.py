"""Pixel shuffle and unshuffle for voxels (sub-pixel convolution in 3-D), and random shifts of images and voxels."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class PixelUnshuffle3d(nn.Module):
    """[N, C, 2D, 2H, 2W] -> [N, 8C, D, H, W]: every block of 2 x 2 x 2 voxels becomes channels."""

    def forward(self, x: Tensor) -> Tensor:
        n, c, d, h, w = x.shape
        blocks = x.reshape(n, c, d // 2, 2, h // 2, 2, w // 2, 2)
        return blocks.permute(0, 1, 3, 5, 7, 2, 4, 6).reshape(n, 8 * c, d // 2, h // 2, w // 2)


class PixelShuffle3d(nn.Module):
    """[N, 8C, D, H, W] -> [N, C, 2D, 2H, 2W]: the sub-pixel layer in three dimensions (arXiv:1609.05158)."""

    def forward(self, x: Tensor) -> Tensor:
        n, c, d, h, w = x.shape
        blocks = x.reshape(n, c // 8, 2, 2, 2, d, h, w)
        return blocks.permute(0, 1, 5, 2, 6, 3, 7, 4).reshape(n, c // 8, 2 * d, 2 * h, 2 * w)


def shift_volume(x: Tensor, reach: int, places: Tensor) -> Tensor:
    """[N, C, ...sides] -> the same, each sample shifted by up to `reach` along every axis; new values are -1.

    places [N, axes], integers 0 .. 2 reach: the start of the window in the padded sample; `reach` means no shift.
    """
    spatial = x.ndim - 2
    padded = F.pad(x, [reach, reach] * spatial, value=-1.0)
    for axis in range(2, x.ndim):
        padded = padded.unfold(axis, x.shape[axis], 1)  # [N, C, places..., sides...]
    index: tuple[slice | Tensor, ...] = (torch.arange(len(x), device=x.device), slice(None), *places.unbind(1))
    return padded[index]
