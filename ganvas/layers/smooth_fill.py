"""Smooth fill: holes of pictures become as smooth as can be, by Laplace's equation; the picture around them stays.

A hole is filled at a coarse size first, where a few rounds reach across it, then at each finer size, from there on. This is
cascadic multigrid: doi:10.1007/s002110050234. It is what super-resolution has in bicubic interpolation: a start that knows
nothing of pictures, and what a network has to beat.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

ROUNDS, EXACT = 3, 100  # at each size: for a start that a network changes, and for the solution of Laplace's equation
COARSEST = 2  # pixels of the shorter side, below which nothing is halved


@torch.no_grad()
def fill_smoothly(image: Tensor, mask: Tensor, rounds: int = ROUNDS) -> Tensor:
    """image [N, C, H, W], mask [N, 1, H, W] with 1 in the hole -> image [N, C, H, W] with each hole filled.

    In the hole a pixel is the mean of its four neighbors, as nearly as `rounds` rounds at each size come to it; at the edge of
    the picture the missing neighbor is the pixel itself. Pixels outside the hole keep their bits. Without any pixel outside
    of it a picture becomes 0 throughout. It depends on no pixel but those at the rim of the hole.
    """
    image, hole = image.float(), mask > 0
    return torch.where(hole, _fill(torch.where(hole, 0.0, image), hole, rounds), image)


def _fill(image: Tensor, hole: Tensor, rounds: int) -> Tensor:
    """As `fill_smoothly`; the hole holds 0."""
    if min(image.shape[-2:]) <= COARSEST:  # whether a hole is left is not asked: that would wait for a GPU
        return _smooth(torch.where(hole, _mean(image, hole), image), hole, rounds)
    known = F.avg_pool2d((~hole).float(), 2, ceil_mode=True)
    coarse = F.avg_pool2d(image, 2, ceil_mode=True) / known.clamp(min=1e-6)  # the mean of those that are known
    start = F.interpolate(_fill(coarse, known == 0, rounds), size=image.shape[-2:], mode="bilinear")
    return _smooth(torch.where(hole, start, image), hole, rounds)


def _smooth(image: Tensor, hole: Tensor, rounds: int) -> Tensor:
    """Rounds in which each pixel of the hole becomes the mean of its neighbors (Jacobi's method)."""
    for _ in range(rounds):
        around = F.pad(image, (1, 1, 1, 1), "replicate")
        up, down = around[..., :-2, 1:-1], around[..., 2:, 1:-1]
        left, right = around[..., 1:-1, :-2], around[..., 1:-1, 2:]
        image = torch.where(hole, (up + down + left + right) / 4, image)
    return image


def _mean(image: Tensor, hole: Tensor) -> Tensor:
    """The mean color [N, C, 1, 1] outside the hole, where the hole holds 0."""
    return image.sum((2, 3), keepdim=True) / (~hole).sum((2, 3), keepdim=True).clamp(min=1)
