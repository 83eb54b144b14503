"""Perceptual path length (PPL): how much the image changes for a small step in the latent space."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from ganvas.errors import UsageError
from ganvas.metrics.checks import require_finite, require_integer, require_matrix
from ganvas.runtime import placement
from ganvas.utils.interpolation import slerp

Images = Callable[[Tensor], Tensor]  # latents [N, ...] -> float images [N, ...]
Features = Callable[[Tensor], Tensor]  # images [N, ...] -> features [N, ...]


@torch.no_grad()
def perceptual_path_length(
    images: Images,
    features: Features | None,
    z0: Tensor,
    z1: Tensor,
    *,
    eps: float = 1e-4,
    space: Literal["z", "w"] = "z",
    trim: float = 0.01,
    chunk: int = 250,
) -> float:
    """Mean |f(G(z_eps)) - f(G(z_0))|^2 / eps^2 over paths from z0 [N, d] to z1 [N, d], at their start ("end" sampling).

    images: latents -> float images, called once for the starts and the ends of `chunk` paths; do not round to bytes, which
        makes a path about 37 times as long (measured by torch-fidelity at eps = 1e-4)
    features: images -> [n, ...], or None for the pixels
    space: "z": along the sphere, for Gaussian latents; "w": straight, for style codes of any shape [N, ...]
    trim: the share of paths to leave out at each end, as in the published number

    A linear map A has 2 |A|_F^2 in "w" between standard normals, for every eps (without trimming).

    Raises:
        UsageError: z0 and z1 of different shapes, bytes, a NaN, or eps, space or trim out of range.

    Source: arXiv:1812.04948 sec. 4.1, eq. 2; NVlabs/stylegan3 metrics/perceptual_path_length.py (start, trimming).
    Differs: the path along the sphere keeps the norms of the latents, because not every G normalizes its z.
    """
    if z0.shape != z1.shape or z0.ndim < 2 or len(z0) < 2 or (space == "z" and z0.ndim != 2):
        found = f"{list(z0.shape)} and {list(z1.shape)}"
        raise UsageError(f"path length: expected two sets of at least 2 latents [N, d], found {found}; use equal shapes")
    if space not in ("z", "w") or not 0 < eps <= 1 or not 0 <= trim < 0.5:
        found = f"{space!r}, {eps}, {trim}"
        raise UsageError(f"path length: expected space z or w, 0 < eps <= 1, 0 <= trim < 0.5, found {found}; use the defaults")
    require_integer(chunk, "chunk", 1)
    parts = zip(require_finite(z0, "z0").split(chunk), require_finite(z1, "z1").split(chunk), strict=True)
    return trimmed_mean(torch.cat([step_lengths(images, features, *pair, eps=eps, space=space) for pair in parts]), trim)


@torch.no_grad()
def step_lengths(
    images: Images, features: Features | None, z0: Tensor, z1: Tensor, eps: float = 1e-4, space: Literal["z", "w"] = "z"
) -> Tensor:
    """|f(G(z_eps)) - f(G(z_0))|^2 / eps^2 of each path [N], float64, all N at once; arguments as of `perceptual_path_length`.

    Raises:
        UsageError: bytes, or a NaN.
    """
    ahead = (slerp if space == "z" else torch.lerp)(z0.double(), z1.double(), eps).to(z0.dtype)
    pictures = images(torch.cat([z0, ahead]))
    if not pictures.is_floating_point():
        raise UsageError(f"path length: expected float images, found {pictures.dtype}; measure before rounding to bytes")
    found = pictures if features is None else features(pictures)
    before, after = require_matrix(placement.to_cpu(found.flatten(1)), "features").chunk(2)
    return (after - before).square().sum(1) / eps**2


def trimmed_mean(lengths: Tensor, trim: float = 0.01) -> float:
    """The mean of lengths [N] without the share `trim` at each end."""
    low = lengths.quantile(trim, interpolation="lower")
    high = lengths.quantile(1 - trim, interpolation="higher")
    return lengths[(lengths >= low) & (lengths <= high)].mean().item()
