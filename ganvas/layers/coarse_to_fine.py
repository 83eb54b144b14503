"""Thick holes are filled from coarse to fine.

Such a hole is filled at half the size first. Then its inner part counts as known, and only a ring along its rim is filled anew.
So at every size a network gets holes as it knows them, and what it cannot know, the middle of a large hole, is soft instead of
made of noise.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

Fill = Callable[[Tensor, Tensor], Tensor]  # image [N, C, H, W], mask [N, 1, H, W] -> image with its holes filled
SMALLEST = 16  # pixels: a picture with a shorter side is not halved
MOST = 4_000_000  # pixels of a picture that is filled at its full size


def fill_any_hole(fill: Fill, image: Tensor, mask: Tensor, radius: int) -> Tensor:
    """image [N, C, H, W], mask [N, 1, H, W] -> the image with its hole filled; outside it keeps its values.

    `radius`: pixels from the rim to the middle of the thickest hole that `fill` knows.
    """
    height, width = image.shape[-2:]
    core, large = shrink_hole(mask, radius), height * width > MOST
    # Without a core the rest gives the same, only later; an exported graph cannot ask.
    thick = torch.compiler.is_exporting() or bool(core.any())
    if not (large or thick) or min(height, width) < 2 * SMALLEST:
        return torch.where(mask > 0, fill(image, mask), image)
    known = F.avg_pool2d(1 - mask, 2, ceil_mode=True)
    half = F.avg_pool2d(image * (1 - mask), 2, ceil_mode=True) / known.clamp(min=1e-6)
    small = fill_any_hole(fill, half, (known == 0).to(mask), radius)
    size = [2 * side for side in small.shape[-2:]]
    rough = F.interpolate(small, size, mode="bicubic", antialias=True)[..., :height, :width]
    if large:
        return torch.where(mask > 0, rough, image)
    ring = mask - core
    inside = torch.where(core > 0, rough, image)
    return torch.where(ring > 0, fill(inside, ring), inside)


def shrink_hole(mask: Tensor, radius: int) -> Tensor:
    """mask [N, 1, H, W] -> the pixels of it that are more than `radius` away from the picture outside, as a chess king moves.

    Beyond the edge of the picture there is nothing to go by, so the edge is no rim.
    """
    reached = 1 - mask
    for _ in range(radius):
        reached = F.max_pool2d(reached, 3, 1, 1)
    return 1 - reached
