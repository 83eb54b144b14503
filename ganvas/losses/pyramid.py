"""The distance of pixels at several sizes of a picture: small sizes see where a thing is, the full one how it looks."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def pyramid_distance(image: Tensor, wanted: Tensor, sizes: int = 4) -> Tensor:
    """image, wanted [N, C, H, W] -> the mean absolute difference at the full size, a half, a quarter, ...: a scalar."""
    far = [F.l1_loss(image, wanted)]
    for _ in range(sizes - 1):
        image, wanted = F.avg_pool2d(image, 2), F.avg_pool2d(wanted, 2)
        far.append(F.l1_loss(image, wanted))
    return torch.stack(far).mean()
