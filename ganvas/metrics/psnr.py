"""Peak signal-to-noise ratio (PSNR): how near an image is to the true one, in decibels."""

from __future__ import annotations

import torch
from torch import Tensor

from ganvas.metrics.checks import require_pairs

CHUNK = 250  # pairs compared at a time


def psnr(a: Tensor, b: Tensor) -> Tensor:
    """PSNR [N] in dB of each pair of images a, b [N, C, H, W], bytes or in [0, 1]: 10 log10(1 / MSE); float64.

    The mean squared error is over all channels and pixels. Equal images give infinity. Higher is better.

    Raises:
        UsageError: different shapes, floats outside [0, 1], or a NaN.

    Source: Huynh-Thu & Ghanbari 2008, Electronics Letters 44:800.
    """
    a, b = require_pairs(a, b)
    errors = [_mean_square(x, y) for x, y in zip(a.split(CHUNK), b.split(CHUNK), strict=True)]
    return -10 * torch.cat(errors).log10()


def _mean_square(x: Tensor, y: Tensor) -> Tensor:
    x, y = (each.double() if each.is_floating_point() else each.double() / 255 for each in (x, y))
    return (x - y).square().mean((1, 2, 3))
