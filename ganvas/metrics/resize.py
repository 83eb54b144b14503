"""The one way images are brought to another size before a measure looks at them."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ganvas.metrics.checks import require_images, require_integer


def resize(images: Tensor, side: int) -> Tensor:
    """images [N, C, H, W] -> [N, C, side, side] by antialiased bicubic interpolation (a = -0.5), as Pillow's of floats.

    Bytes are computed in float32, and rounded and cut to 0..255 once, at the end; floats stay as they are computed, and
    may overshoot their range a little at edges. Without antialiasing, a reduced image has a Fréchet distance of its own.

    Raises:
        UsageError: no images [N, C, H, W], a NaN, or a side below 1.

    Source: arXiv:2104.11222 sec. 3 (the distance that resizing makes).
    """
    return resize_unchecked(require_images(images, "images"), require_integer(side, "side", 1))


def resize_unchecked(images: Tensor, side: int) -> Tensor:
    """The same of images that were checked before; no value is read back from an accelerator."""
    resized = F.interpolate(
        images if images.is_floating_point() else images.float(), size=(side, side), mode="bicubic", antialias=True
    )
    return resized if images.is_floating_point() else resized.round().clamp(0, 255).to(torch.uint8)
