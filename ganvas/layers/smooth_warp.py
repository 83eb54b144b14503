"""SmoothWarp: a random affine map of the plane, bent by thin plate splines, and its Jacobian.

Source: Siarohin et al. 2019, arXiv:2003.00196 sec. 3.1 (equivariance) and its code, which has these sizes: deviations of 0.05
for the affine part, and of 0.005 for the weights of 5 x 5 splines.

Differs: each axis has weights of its own, and the distance is the Euclidean one; the Jacobian is written out.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ganvas.layers.warp import make_places, warp

AFFINE, BENT = 0.05, 0.005  # deviations
CONTROLS = 5  # spline centers along each axis
LEAST = 1e-6  # added to squared distances: the logarithm of 0
NUMBERS = 6 + 2 * CONTROLS**2  # that make a map


@dataclass(frozen=True)
class SmoothWarp:
    """T(z) = A z + b + sum over centers c of w_c U(|z - c|^2), U(r) = r log r. One map for each picture."""

    matrix: Tensor  # [N, 2, 2]
    shift: Tensor  # [N, 2]
    weights: Tensor  # [N, CONTROLS^2, 2]

    @classmethod
    def from_noise(cls, noise: Tensor) -> SmoothWarp:
        """A map for each row of standard normal noise [N, NUMBERS]; without noise it is the identity."""
        affine, bent = AFFINE * noise[:, :6], BENT * noise[:, 6:]
        matrix = torch.eye(2, device=noise.device) + affine[:, :4].unflatten(1, (2, 2))
        return cls(matrix, affine[:, 4:], bent.unflatten(1, (CONTROLS**2, 2)))

    def move(self, points: Tensor) -> Tensor:
        """points [N, K, 2] -> T(points) [N, K, 2]."""
        near = _away(points).square().sum(-1) + LEAST
        bent = ((near * near.log())[..., None] * self.weights[:, None]).sum(2)
        return (self.matrix[:, None] * points[:, :, None]).sum(-1) + self.shift[:, None] + bent

    def jacobian(self, points: Tensor) -> Tensor:
        """points [N, K, 2] -> the derivatives of T there, [N, K, 2, 2]: row i has those of coordinate i."""
        away = _away(points)
        near = away.square().sum(-1, keepdim=True) + LEAST
        slopes = 2 * away * (near.log() + 1)  # [N, K, centers, 2]
        return self.matrix[:, None] + (self.weights[:, None, :, :, None] * slopes[..., None, :]).sum(2)

    def change(self, picture: Tensor) -> Tensor:
        """picture [N, C, H, W] -> [N, C, H, W]: at each pixel z the picture at T(z)."""
        height, width = picture.shape[-2:]
        with torch.autocast(picture.device.type, enabled=False):
            # As `move`, but all maps bend the same places: one product of matrices for all pixels.
            places = make_places(height, width, picture.device).flatten(0, 1)
            near = _away(places).square().sum(-1) + LEAST
            bent = (near * near.log()) @ self.weights
            there = places @ self.matrix.mT + self.shift[:, None] + bent
        return warp(picture, there.unflatten(1, (height, width)))


def _away(points: Tensor) -> Tensor:
    """points [..., 2] -> from each center to each of them: [..., centers, 2]."""
    steps = torch.linspace(-1, 1, CONTROLS, device=points.device)
    return points[..., None, :] - torch.cartesian_prod(steps, steps)
