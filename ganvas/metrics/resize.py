"""Resize images for measures: antialiased bicubic interpolation, the only resizing that measures use."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ganvas.metrics.checks import require_images, require_integer


def resize(images: Tensor, side: int) -> Tensor:
    """images [N, C, H, W] -> [N, C, side, side] by antialiased bicubic interpolation (a = -0.5), as Pillow does for floats.

    Bytes are computed in float32, then rounded and clamped to 0..255 once; floats are not clamped, and may leave their range
    a little at edges. Downsampling without antialiasing increases the Fréchet distance.

    Raises:
        UsageError: no images [N, C, H, W], a NaN, or a side below 1.

    Source: arXiv:2104.11222 sec. 3 (clean-fid).
    """
    return resize_unchecked(require_images(images, "images"), require_integer(side, "side", 1))


def resize_unchecked(images: Tensor, side: int) -> Tensor:
    """`resize` without checks: no value is read back from an accelerator."""
    resized = F.interpolate(
        images if images.is_floating_point() else images.float(), size=(side, side), mode="bicubic", antialias=True
    )
    return resized if images.is_floating_point() else resized.round().clamp(0, 255).to(torch.uint8)
