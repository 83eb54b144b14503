"""Resize images: antialiased bicubic interpolation, the only one that measures and super-resolution use."""

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
    return _interpolate(images, side, side)


def shrink(images: Tensor, scale: int) -> Tensor:
    """Images [N, C, H, W] -> [N, C, H // scale, W // scale], after a crop at the right and at the bottom to whole multiples.

    This is the "bicubic" of super-resolution: what makes a low-resolution image from a large one. Rounding as in `resize`.

    Raises:
        UsageError: no images, a NaN, or a side below `scale`.

    Source: Ledig et al. 2017, arXiv:1609.04802 sec. 3.1; Timofte et al. 2017 (NTIRE), the antialiased MATLAB imresize.
    """
    require_images(images, "images", side=require_integer(scale, "scale", 1))
    return shrink_unchecked(images, scale)


def shrink_unchecked(images: Tensor, scale: int) -> Tensor:
    """`shrink` without checks: no value is read back from an accelerator."""
    height, width = images.shape[-2] // scale, images.shape[-1] // scale
    return _interpolate(images[..., : height * scale, : width * scale], height, width)


def enlarge(images: Tensor, scale: int) -> Tensor:
    """Images [N, C, H, W] -> [N, C, scale H, scale W]: the same filter, and the baseline of super-resolution.

    Raises:
        UsageError: no images, or a NaN.
    """
    return enlarge_unchecked(require_images(images, "images"), require_integer(scale, "scale", 1))


def enlarge_unchecked(images: Tensor, scale: int) -> Tensor:
    """`enlarge` without checks: no value is read back from an accelerator."""
    return _interpolate(images, images.shape[-2] * scale, images.shape[-1] * scale)


def _interpolate(images: Tensor, height: int, width: int) -> Tensor:
    resized = F.interpolate(
        images if images.is_floating_point() else images.float(), size=(height, width), mode="bicubic", antialias=True
    )
    return resized if images.is_floating_point() else resized.round().clamp(0, 255).to(torch.uint8)
