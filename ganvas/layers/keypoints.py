"""Keypoints that are learned without labels, each with a 2x2 matrix: how its surroundings are turned and stretched.

Source: Siarohin et al. 2019, arXiv:2003.00196 sec. 3.1, and its code: the temperature, the weighted mean of the matrices.

Differs: the network starts at half of the side, and so do the maps of the places; the matrices are found at a quarter.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganvas.layers.hourglass import Hourglass
from ganvas.layers.initialization import start_as_zero
from ganvas.layers.warp import find_mean_places, invert, multiply

TEMPERATURE = 0.1  # of the softmax over the places of a keypoint


class Pose(NamedTuple):
    """The keypoints of N pictures."""

    points: Tensor  # [N, K, 2]: x and y, from -1 to 1
    jacobians: Tensor  # [N, K, 2, 2]


class KeypointDetector(nn.Module):
    """image [N, channels, H, W] -> K keypoints. Without `matrices` all of them are 1, and do not learn."""

    def __init__(self, channels: int, keypoints: int, widths: tuple[int, int, int], *, matrices: bool = True) -> None:
        super().__init__()
        half, quarter, _ = widths
        self.body = Hourglass(4 * channels, widths)
        self.places = nn.Conv2d(half, keypoints, 3, 1, 1, bias=False)  # the softmax takes the same number away everywhere
        self.matrices = nn.Conv2d(quarter, 4 * keypoints, 3, 1, 1) if matrices else None
        if self.matrices is not None:
            start_as_zero(self.matrices)

    def forward(self, image: Tensor) -> Pose:
        fine, coarse = self.body(F.pixel_unshuffle(image, 2))
        scores = self.places(F.silu(fine)).float() / TEMPERATURE
        shares = scores.flatten(2).softmax(-1).view_as(scores)
        points = find_mean_places(shares)
        ones = torch.eye(2, device=image.device).expand(*points.shape, 2)
        if self.matrices is None:
            return Pose(points, ones)
        found = self.matrices(F.silu(coarse)).float().unflatten(1, (points.shape[1], 4))
        weights = 4 * F.avg_pool2d(shares, 2)  # they sum to 1
        return Pose(points, ones + (found * weights[:, :, None]).sum((3, 4)).unflatten(2, (2, 2)))


def compare_poses(first: Pose, there: Pose) -> tuple[Tensor, Tensor]:
    """The ways of the keypoints [N, K, 2], and the changes of their matrices J' J^-1 - 1, [N, K, 2, 2]."""
    turned = multiply(there.jacobians, invert(first.jacobians))
    return there.points - first.points, turned - torch.eye(2, device=turned.device)
