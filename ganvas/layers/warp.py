"""Move pictures: grids of places, the picture at those places, and keypoints as maps.

A place is (x, y) with -1 at the left and upper edge of a picture and 1 at the right and lower edge; the center of the first of
n pixels is at 1/n - 1 (`align_corners=False`). All of it is computed in float32: in bfloat16 a place would be wrong by a pixel.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

SMALLEST = 0.05  # of a determinant: below it an inverse would throw places out of the picture


def make_places(height: int, width: int, device: torch.device | None = None) -> Tensor:
    """The centers of all pixels, float32 [H, W, 2] as (x, y)."""
    y, x = ((2 * torch.arange(n, device=device, dtype=torch.float32) + 1) / n - 1 for n in (height, width))
    return torch.stack([x.expand(height, width), y[:, None].expand(height, width)], -1)


def warp(picture: Tensor, places: Tensor) -> Tensor:
    """picture [N, C, H, W], places [N, h, w, 2] -> float32 [N, C, h, w]: at each pixel the picture at that place.

    Outside of the picture it goes on as its edge. Source of the gradient for both: arXiv:1506.02025 eq. 5 to 7.
    """
    with torch.autocast(picture.device.type, enabled=False):
        return F.grid_sample(picture.float(), places.float(), padding_mode="border", align_corners=False)


def resize_places(places: Tensor, height: int, width: int) -> Tensor:
    """places [N, h, w, 2] -> [N, H, W, 2]: means of squares if there are fewer pixels, else by bilinear interpolation."""
    if places.shape[1:3] == (height, width):
        return places
    maps = places.movedim(-1, 1)
    if height < maps.shape[2]:
        return F.adaptive_avg_pool2d(maps, (height, width)).movedim(1, -1)
    return F.interpolate(maps, (height, width), mode="bilinear", align_corners=False).movedim(1, -1)


def draw_gaussians(points: Tensor, height: int, width: int, variance: float) -> Tensor:
    """points [N, K, 2] -> maps [N, K, H, W] of exp(-d^2 / (2 variance)), d the distance to the point."""
    places = make_places(height, width, points.device)
    x = (places[0, :, 0] - points[..., 0, None]).square()  # [N, K, W]
    y = (places[:, 0, 1] - points[..., 1, None]).square()
    return torch.exp(-(x[:, :, None] + y[..., None]) / (2 * variance))


def find_mean_places(shares: Tensor) -> Tensor:
    """Maps [N, K, H, W] that each sum to 1 -> the mean place of each, [N, K, 2]."""
    height, width = shares.shape[-2:]
    places = make_places(height, width, shares.device)
    x = (shares.sum(2) * places[0, :, 0]).sum(-1)
    y = (shares.sum(3) * places[:, 0, 1]).sum(-1)
    return torch.stack([x, y], -1)


def multiply(a: Tensor, b: Tensor) -> Tensor:
    """The products of matrices [..., 2, 2], without autocast, which would round them to bfloat16."""
    return (a[..., :, :, None] * b[..., None, :, :]).sum(-2)


def apply(matrix: Tensor, vector: Tensor) -> Tensor:
    """matrix [..., 2, 2] times vector [..., 2]."""
    return (matrix * vector[..., None, :]).sum(-1)


def invert(matrix: Tensor) -> Tensor:
    """The inverses of [..., 2, 2]. A determinant near zero counts as a small one of the same sign."""
    (a, b), (c, d) = (row.unbind(-1) for row in matrix.unbind(-2))
    size = a * d - b * c
    size = torch.where(size < 0, -1.0, 1.0) * size.abs().clamp(min=SMALLEST)
    return torch.stack([torch.stack([d, -b], -1), torch.stack([-c, a], -1)], -2) / size[..., None, None]
