"""Peak signal-to-noise ratio (PSNR): how near an image is to the true one, in decibels."""

from __future__ import annotations

import torch
from torch import Tensor

from ganvas.errors import UsageError
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


def psnr_within(a: Tensor, b: Tensor, where: Tensor) -> Tensor:
    """PSNR [N] in dB as of `psnr`, of the pixels alone that are not 0 in `where` [N, 1, H, W].

    Raises:
        UsageError: as of `psnr`, or a pair has no such pixel.
    """
    a, b = require_pairs(a, b)
    where = where > 0
    counts = where.flatten(1).sum(1)
    if not counts.all():
        raise UsageError("where: expected at least one pixel of each pair, found a pair without; leave it out")
    shares = counts / where[0].numel()
    parts = zip(a.split(CHUNK), b.split(CHUNK), where.split(CHUNK), strict=True)
    # Other pixels count as equal, and the mean is of all: so it is divided by the share of those that count.
    errors = torch.cat([_mean_square(x.where(some, 0), y.where(some, 0)) for x, y, some in parts])
    return -10 * (errors / shares.to(errors)).log10()


def _mean_square(x: Tensor, y: Tensor) -> Tensor:
    x, y = (each.double() if each.is_floating_point() else each.double() / 255 for each in (x, y))
    return (x - y).square().mean((1, 2, 3))
