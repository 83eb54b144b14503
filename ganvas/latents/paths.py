"""Paths and planes through latents: closed loops, squares, sums; straight, or along the sphere."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ganvas.errors import UsageError
from ganvas.utils.interpolation import lerp, norm, slerp


def closed_path(points: Tensor, frames: int, straight: bool = False) -> Tensor:
    """A closed path [frames, d] through the K key latents `points` [K, d], along the sphere, with equal steps on each arc.

    If `straight`, along lines: for styles w, whose space is flat; then keys may also be [K, styles, d].
    Frame 0 is the first key, and the frame after the last would be frame 0 again, so that a film repeats without a jump.
    If `frames` is no multiple of K, keys may lie between two frames. With one key all frames are equal.

    Raises:
        UsageError: no key, or no frame.
    """
    if points.ndim not in ((2, 3) if straight else (2,)) or len(points) == 0:
        raise UsageError(f"loop: expected key latents [K, d] with K at least 1, got shape {list(points.shape)}")
    here, there, share = _segments(len(points), frames)
    share = share.to(points)
    return (lerp if straight else slerp)(points[here], points[there], share if points.ndim == 2 else share[:, None])


def latent_plane(a: Tensor, b: Tensor, c: Tensor, side: int, straight: bool = False) -> Tensor:
    """A square [side^2, d] of codes, row by row: a [d] is its first corner, b the end of the first row, c the last row's start.

    Along the sphere: rows are arcs between two arcs. The fourth corner is b + c - a, with the mean norm of the others.
    If `straight`, it is the plane through the three, and all rows and columns are evenly spaced; codes may be [styles, d] too.

    Raises:
        UsageError: fewer than two codes a side.
    """
    if side < 2:
        raise UsageError(f"plane: expected a side of at least 2, got {side}")
    t, corner = torch.linspace(0, 1, side).to(a), b + c - a
    if straight:
        ones = [1] * a.ndim
        return (a + t.view(-1, 1, *ones) * (c - a) + t.view(1, -1, *ones) * (b - a)).flatten(0, 1)
    corner = scale_to_norm(corner, torch.stack([norm(x) for x in (a, b, c)]).mean())
    left, right = slerp(a, c, t), slerp(b, corner, t)
    return slerp(left[:, None], right[:, None], t.expand(side, -1)).flatten(0, 1)


def scale_to_norm(z: Tensor, radius: float | Tensor) -> Tensor:
    """z [..., d] scaled to the norm `radius`; a zero vector stays zero."""
    return F.normalize(z, dim=-1) * radius


def combine(terms: Sequence[tuple[int, Tensor]], straight: bool = False) -> Tensor:
    """Latent arithmetic, a - b + c: the sum [d] of the mean codes of several terms, each a sign +1 or -1 and codes [k, d].

    Means of k Gaussians are short, and the norm of their sum is random. So each mean is scaled to the mean norm of its codes,
    and the sum to the norm of the first term; then a - b + b is a. If `straight`, for styles w, nothing is scaled.
    Source: arXiv:1511.06434 sec. 6.3.2.
    """
    means = [codes.mean(0) if straight else scale_to_norm(codes.mean(0), norm(codes).mean()) for _, codes in terms]
    total = torch.stack([sign * mean for (sign, _), mean in zip(terms, means, strict=True)]).sum(0)
    return total if straight else scale_to_norm(total, norm(means[0]))


def class_path(classes: Sequence[int], frames: int, n_classes: int) -> Tensor:
    """Class weights [frames, n_classes] of a closed path through `classes`: one-hot at a key, linear between two keys.

    Its frames match those of `closed_path` with the same number of keys. Every row sums to 1.

    Raises:
        UsageError: no class or no frame, or a class that is not in 0 .. n_classes - 1.
    """
    if not classes or not all(0 <= name < n_classes for name in classes):
        raise UsageError(f"class path: expected classes from 0 to {n_classes - 1}, got {list(classes)}")
    here, there, share = _segments(len(classes), frames)
    keys = F.one_hot(torch.tensor(classes), n_classes).float()
    return lerp(keys[here], keys[there], share)


def _segments(keys: int, frames: int) -> tuple[Tensor, Tensor, Tensor]:
    """For each frame of a closed path: the key before it, the key after it, and the share [frames] of the way between."""
    if frames < 1:
        raise UsageError(f"frames: expected at least 1, got {frames}")
    place = torch.arange(frames) * keys
    here = place // frames
    return here, (here + 1) % keys, (place % frames) / frames
