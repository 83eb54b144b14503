"""Find a point of a picture again in another one: by the features around it near its last place, or by the pixels alone."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

SOUGHT = 3  # pixels around its last place in which a point is sought
FAR = 14  # pixels around its first place, by the pixels alone
PART = 8  # the square of pixels that is compared reaches an eighth of the side of the picture to each side


def look_up(features: Tensor, places: Tensor) -> Tensor:
    """features [1, K, H, H] at places [..., 2] (x, y) in pixels -> [..., K]: linear between pixels, outside the edge."""
    grid = (2 * places + 1) / features.shape[-1] - 1
    found = F.grid_sample(features, grid.reshape(1, 1, -1, 2), align_corners=False, padding_mode="border")
    return found[0, :, 0].T.reshape(*places.shape[:-1], -1)


def look_around(features: Tensor, points: Tensor, radius: int) -> Tensor:
    """features [1, K, H, H] in the square of pixels around points [n, 2] -> [n, (2 radius + 1)^2, K]."""
    return look_up(features, points[:, None] + list_pixels(radius).to(points.device))


def track(features: Tensor, known: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
    """Where the handles [n, 2] are now, and how unlike [n] the place is: point tracking (eq. 2).

    It is the place at most `SOUGHT` pixels away where the features [1, K, H, H] around it are nearest to `known`, those that
    `look_around` gave of the first picture.
    """
    device, radius = points.device, (round(known.shape[1] ** 0.5) - 1) // 2
    places = points.round()[:, None] + list_pixels(SOUGHT).to(device)  # [n, m, 2]
    inside = ((places >= 0) & (places <= features.shape[-1] - 1)).all(2)
    found = look_up(features, places[:, :, None] + list_pixels(radius).to(device))  # [n, m, k, K]
    unlike = (found - known[:, None]).abs().sum(3).mean(2).masked_fill(~inside, float("inf"))
    best = unlike.argmin(1)
    rows = torch.arange(len(best), device=device)
    return places[rows, best] + find_vertex(unlike, best), unlike[rows, best]


def list_pixels(radius: int) -> Tensor:
    """The offsets [k, 2] (x, y) of a square of pixels, row by row."""
    line = torch.arange(-radius, radius + 1.0)
    y, x = torch.meshgrid(line, line, indexing="ij")
    return torch.stack([x, y], -1).flatten(0, 1)


def find_vertex(heights: Tensor, lowest: Tensor) -> Tensor:
    """heights [n, k^2] on a square of pixels, the place [n] of the lowest -> how far from it the vertex lies, [n, 2] (x, y).

    The vertex is that of a parabola through the lowest and its two neighbours on each axis; at an edge of the square it is 0.
    """
    k = round(heights.shape[1] ** 0.5)
    rows = torch.arange(len(lowest), device=lowest.device)
    offsets = []
    for step, at in ((1, lowest % k), (k, lowest // k)):
        inner = (at > 0) & (at < k - 1)
        before, after = (heights[rows, (lowest + way).clamp(0, k * k - 1)] for way in (-step, step))
        bend = before + after - 2 * heights[rows, lowest]
        vertex = ((before - after) / (2 * bend)).clamp(-0.5, 0.5)
        offsets.append(torch.where(inner & (bend > 0) & bend.isfinite(), vertex, 0.0))
    return torch.stack(offsets, 1)


def find_by_pixels(first: Tensor, last: Tensor, point: Tensor) -> Tensor:
    """Where the last picture [C, H, H] looks most like the surroundings of `point` [2] (x, y) in the first: [2].

    It is the pixel, at most `FAR` pixels away, around which a square of pixels has the largest zero-mean normalized
    cross-correlation with that around the point.
    """
    side = first.shape[-1]
    radius = side // PART
    squares = [
        F.pad(each[None], (radius,) * 4, mode="replicate")[0].unfold(1, 2 * radius + 1, 1).unfold(2, 2 * radius + 1, 1)
        for each in (first, last)
    ]  # [C, H, H, k, k]
    x, y = point.round().int().tolist()
    wanted = squares[0][:, y, x]
    wanted = wanted - wanted.mean((1, 2), keepdim=True)
    given = squares[1] - squares[1].mean((3, 4), keepdim=True)
    alike = (given * wanted[:, None, None]).sum((0, 3, 4)) / (given.square().sum((0, 3, 4)).sqrt() * wanted.norm() + 1e-6)
    places = list_pixels(side // 2) + side // 2
    places = places[((places >= 0) & (places < side)).all(1) & ((places - point).norm(dim=1) <= FAR)]
    found = alike[places[:, 1].long(), places[:, 0].long()]
    return places[found.argmax()]
