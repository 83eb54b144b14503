"""Pixel norm, instance norm and AdaIN: normalization of each sample alone, without statistics of the batch."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganvas.layers.equalized import EqualLinear


def pixel_norm(x: Tensor) -> Tensor:
    """[N, C, ...] -> the same, the C features of each pixel scaled to mean square 1. Source: arXiv:1710.10196 sec. 4.2."""
    scaled: Tensor = F.normalize(x, dim=1, eps=1e-8) * x.shape[1] ** 0.5
    return scaled


def instance_norm(x: Tensor) -> Tensor:
    """[N, C, H, W] -> each map of each sample with mean 0 and variance 1.

    Differs: sums over a map are matrix products; for channels-last memory the function of PyTorch copies every map.
    """
    pixels = x.flatten(2).transpose(1, 2)  # [N, HW, C]
    means = pixels.new_full((1, 1, pixels.shape[1]), 1 / pixels.shape[1]).expand(len(x), -1, -1)
    centred = pixels - means @ pixels
    scale = torch.rsqrt((means @ centred.square()).float() + 1e-8).to(centred.dtype)
    normal: Tensor = (centred * scale).transpose(1, 2).unflatten(2, x.shape[2:])
    return normal


class AdaIN(nn.Module):
    """x [N, C, H, W], w [N, style_dim] -> y_s (x - mean(x)) / sd(x) + y_b for each map; y = A w; y_s is initialized to 1.

    Source: arXiv:1812.04948 eq. 1.
    """

    def __init__(self, style_dim: int, channels: int) -> None:
        super().__init__()
        self.style = EqualLinear(style_dim, 2 * channels, gain=1.0)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        scale, shift = self.style(w)[:, :, None, None].chunk(2, 1)
        return torch.addcmul(shift, instance_norm(x), 1 + scale)
