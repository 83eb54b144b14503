"""Render voxel shapes (occupancy grids) as shaded pictures, by ray marching with parallel rays."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

WIDE = 1.2  # half of the width of the picture, in half sides of the grid: corners of the grid may be cut off
STEPS = 80  # points on each ray
LIGHT = F.normalize(torch.tensor([-0.45, -0.7, -0.55]), dim=0)  # direction to the light: left, above and in front
DIM = 0.3  # the brightness of surfaces that face away from the light
ABOVE, BESIDE = 25.0, 30.0  # elevation and azimuth of the default view, in degrees


def shade(solids: Tensor, turn: float = BESIDE, above: float = ABOVE, side: int = 64, chunk: int = 16) -> Tensor:
    """solids [N, 1, D, H, W] in [-1, 1], filled above 0 -> pictures [N, 1, side, side] in [-1, 1], on white.

    The azimuth of the view is `turn` degrees, its elevation `above` degrees. Each pixel shows the first filled point on its
    ray; its brightness is the cosine between the light and the normal of the blurred surface.
    """
    solids = solids.detach().float().cpu()
    turned, places = _rays(turn, above, side)
    return torch.cat([_shade_part(part, turned, places) for part in solids.split(chunk)])


def render_turntable(solids: Tensor, frames: int, side: int = 64) -> list[Tensor]:
    """`frames` pictures [N, 1, side, side] of the solids during one rotation; the last is followed by the first."""
    return [shade(solids, BESIDE + 360 * i / frames, side=side) for i in range(frames)]


def _rays(turn: float, above: float, side: int) -> tuple[Tensor, Tensor]:
    """The rotation [3, 3] of the view, and the points [STEPS, side, side, 3] (x, y, z) on its rays, nearest first."""
    a, b = math.radians(turn), math.radians(above)
    about_upright = torch.tensor([[math.cos(a), 0, math.sin(a)], [0, 1, 0], [-math.sin(a), 0, math.cos(a)]])
    about_level = torch.tensor([[1, 0, 0], [0, math.cos(b), math.sin(b)], [0, -math.sin(b), math.cos(b)]])
    turned = about_upright @ about_level
    across = (torch.arange(side) + 0.5) / side * 2 * WIDE - WIDE
    along = torch.linspace(-math.sqrt(3), math.sqrt(3), STEPS)
    z, y, x = torch.meshgrid(along, across, across, indexing="ij")
    return turned, torch.stack([x, y, z], -1) @ turned.T


def _shade_part(solids: Tensor, turned: Tensor, places: Tensor) -> Tensor:
    n, side = len(solids), places.shape[1]
    density = (solids + 1) / 2
    found = F.grid_sample(density, places.expand(n, -1, -1, -1, -1), align_corners=False)[:, 0] > 0.5
    hit, first = found.any(1), found.to(torch.uint8).argmax(1)
    pixel = torch.arange(side)
    where = places[first, pixel[:, None], pixel]  # [N, side, side, 3]
    soft = density
    for _ in range(2):
        soft = F.avg_pool3d(F.pad(soft, [1] * 6), 3, 1)
    normals = -torch.cat(torch.gradient(soft, dim=(4, 3, 2)), 1)
    facing = F.normalize(F.grid_sample(normals, where[:, None], align_corners=False)[:, :, 0], dim=1)
    bright = torch.einsum("nchw,c->nhw", facing, turned @ LIGHT).clamp(min=0)
    shade = DIM + (0.92 - DIM) * bright
    return torch.where(hit, shade, 1.0)[:, None] * 2 - 1
