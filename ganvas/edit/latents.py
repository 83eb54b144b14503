"""Latents by seed, and paths between them: straight, along the sphere, and closed into a loop."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ganvas.errors import UsageError

SEEDS = 2**63  # seeds are 0 .. SEEDS - 1
PARALLEL = 1e-4  # sine of the angle below which two directions count as one line


def latent(seed: int, dim: int) -> Tensor:
    """The latent [dim] called `seed`, standard normal: the same in any batch and for any device.

    Raises:
        UsageError: the seed is not in 0 .. 2^63 - 1.
    """
    return latents([seed], dim)[0]


def latents(seeds: Iterable[int], dim: int) -> Tensor:
    """The latents [N, dim] of `seeds`, each row depending on its own seed only; float32 on the CPU.

    Raises:
        UsageError: a seed is not in 0 .. 2^63 - 1.
    """
    names, generator = list(seeds), torch.Generator()
    if wrong := [seed for seed in names if not 0 <= seed < SEEDS]:
        raise UsageError(f"seed: expected a whole number from 0 to {SEEDS - 1}, got {wrong[0]}")
    z = torch.empty(len(names), dim, dtype=torch.float32, device="cpu")
    for seed, row in zip(names, z, strict=True):
        row.normal_(generator=generator.manual_seed(seed))
    return z


def lerp(a: Tensor, b: Tensor, t: float | Tensor) -> Tensor:
    """The point at share t on the line from a to b, each [..., d]; t a number or [...]. Exactly a at 0 and b at 1."""
    return torch.lerp(a, b, _share(a, t))


def slerp(a: Tensor, b: Tensor, t: float | Tensor) -> Tensor:
    """The point at share t of the angle from a to b, each [..., d]; t a number or [...]. Exactly a at 0 and b at 1.

    Gaussian latents lie near a sphere, which a straight line leaves: between equal norms the norm stays constant.
    Parallel vectors need no turn, and opposite or zero ones name no way round: they are joined by `lerp`.
    Source: arXiv:1609.04468 sec. 2.1.
    """
    t = _share(a, t)
    u, v = F.normalize(a, dim=-1), F.normalize(b, dim=-1)
    # The arc cosine of u.v has no digits left near 0 and pi; this form of the angle keeps them.
    angle = 2 * torch.atan2(_length(u - v), _length(u + v))
    lined_up = (angle.sin().abs() < PARALLEL) | (_length(u) * _length(v) == 0)
    turn = torch.where(lined_up, 1.0, angle)
    of_a, of_b = torch.sin((1 - t) * turn) / torch.sin(turn), torch.sin(t * turn) / torch.sin(turn)
    return torch.where(lined_up, torch.lerp(a, b, t), of_a * a + of_b * b)


def loop(points: Tensor, frames: int) -> Tensor:
    """A closed tour [frames, d] through the K key latents `points` [K, d] along the sphere, in equal shares of each arc.

    Frame 0 is the first key, and the frame after the last would be it again, so that the film repeats without a jump.
    Frames need not be a multiple of K; then keys may fall between two frames. One key makes a film that stands still.

    Raises:
        UsageError: no key, or no frame.
    """
    if points.ndim != 2 or len(points) == 0:
        raise UsageError(f"loop: expected key latents [K, d] with K at least 1, got shape {list(points.shape)}")
    here, there, share = _segments(len(points), frames)
    return slerp(points[here], points[there], share.to(points))


def class_path(classes: Sequence[int], frames: int, n_classes: int) -> Tensor:
    """Weights [frames, n_classes] of a closed tour through `classes`: one-hot at a key, mixed linearly between two.

    In step with `loop` for as many keys. Every row sums to 1.

    Raises:
        UsageError: no class or no frame, or a class that is not in 0 .. n_classes - 1.
    """
    if not classes or not all(0 <= name < n_classes for name in classes):
        raise UsageError(f"class path: expected classes from 0 to {n_classes - 1}, got {list(classes)}")
    here, there, share = _segments(len(classes), frames)
    keys = F.one_hot(torch.tensor(classes), n_classes).float()
    return lerp(keys[here], keys[there], share)


def _segments(keys: int, frames: int) -> tuple[Tensor, Tensor, Tensor]:
    """For each frame of a closed tour: the key behind it, the key ahead, and the share [frames] of the way between."""
    if frames < 1:
        raise UsageError(f"frames: expected at least 1, got {frames}")
    place = torch.arange(frames) * keys
    here = place // frames
    return here, (here + 1) % keys, (place % frames) / frames


def _share(a: Tensor, t: float | Tensor) -> Tensor:
    """t as a tensor that multiplies [..., d]."""
    return torch.as_tensor(t, dtype=a.dtype, device=a.device).unsqueeze(-1)


def _length(x: Tensor) -> Tensor:
    length: Tensor = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
    return length
