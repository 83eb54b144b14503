"""Sharpness of images: the variance of the Laplacian. Blur lowers it, and noise raises it."""

from __future__ import annotations

import torch
from torch import Tensor

from ganvas.metrics.checks import require_images

NUMBERS = 1 << 20  # in the images that are converted at a time: 8 MB as float64


def sharpness(images: Tensor) -> Tensor:
    """The variance [N] of the Laplacian over the inner pixels of each image [N, C, H, W], uint8 or in [0, 1]; float64.

    The Laplacian is the sum of the four neighbours minus four times the pixel, of the mean of the channels in [0, 1]: a ramp
    scores 0, a checkerboard of 0 and 1 scores 16. Higher is not better: the best value is that of the reals.

    Raises:
        UsageError: no images, a side below 3, or a NaN.

    Source: Pech-Pacheco et al. 2000, Diatom autofocusing in brightfield microscopy, sec. 4 (there of floats in 0..255).
    """
    images = require_images(images, "images", side=3)
    rows = max(1, NUMBERS // images[0].numel())
    return torch.cat([_variance(part if part.is_floating_point() else part / 255) for part in images.split(rows)])


def _variance(x: Tensor) -> Tensor:
    x = x.double().mean(1)
    around = x[:, :-2, 1:-1] + x[:, 2:, 1:-1] + x[:, 1:-1, :-2] + x[:, 1:-1, 2:]
    return (around - 4 * x[:, 1:-1, 1:-1]).flatten(1).var(1, correction=0)
