"""Linear and spherical interpolation (lerp, slerp) of vectors."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

PARALLEL = 1e-4  # sine of the angle below which two directions count as one line


def lerp(a: Tensor, b: Tensor, t: float | Tensor) -> Tensor:
    """Linear interpolation from a to b, each [..., d], at t, a number or [...]. Exactly a at t = 0 and b at t = 1."""
    return torch.lerp(a, b, _share(a, t))


def slerp(a: Tensor, b: Tensor, t: float | Tensor) -> Tensor:
    """Spherical interpolation from a to b, each [..., d], at t, a number or [...]. Exactly a at t = 0 and b at t = 1.

    Gaussian latents lie near a sphere, and a straight line leaves it. Here the norm stays constant if both norms are equal.
    For parallel, opposite or zero vectors there is no unique arc: the result is that of `lerp`.
    Source: arXiv:1609.04468 sec. 2.1.
    """
    t = _share(a, t)
    u, v = F.normalize(a, dim=-1), F.normalize(b, dim=-1)
    # The arc cosine of u.v loses all digits near 0 and pi; this form of the angle keeps them.
    angle = 2 * torch.atan2(norm(u - v), norm(u + v))
    lined_up = (angle.sin().abs() < PARALLEL) | (norm(u) * norm(v) == 0)
    turn = torch.where(lined_up, 1.0, angle)
    of_a, of_b = torch.sin((1 - t) * turn) / torch.sin(turn), torch.sin(t * turn) / torch.sin(turn)
    return torch.where(lined_up, torch.lerp(a, b, t), of_a * a + of_b * b)


def _share(a: Tensor, t: float | Tensor) -> Tensor:
    """t as a tensor that broadcasts over [..., d]."""
    return torch.as_tensor(t, dtype=a.dtype, device=a.device).unsqueeze(-1)


def norm(x: Tensor) -> Tensor:
    """The Euclidean norm [..., 1] of x [..., d]."""
    length: Tensor = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
    return length
