"""Latents by seed, and paths between them: straight, along the sphere, and closed into a loop."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ganvas.core.interpolation import lerp, norm, slerp
from ganvas.errors import UsageError

SEEDS = 2**63  # seeds are 0 .. SEEDS - 1


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


def truncated_latents(seeds: Iterable[int], dim: int, limit: float) -> Tensor:
    """The latents [N, dim] of `seeds` with every entry beyond +-limit drawn again from within: fewer kinds, better ones.

    What lies within is left as it is, so that a wide limit changes nothing and seed k stays a relative of its old self.
    Source: arXiv:1809.11096 sec. 3.1.
    Differs: drawn again once, through the inverse of the distribution function, not until it fits: the law is the same.

    Raises:
        UsageError: a limit that is not above 0, or a seed that is not in 0 .. 2^63 - 1.
    """
    if not limit > 0:
        raise UsageError(f"truncate: expected a limit above 0, got {limit}")
    names, generator = list(seeds), torch.Generator()
    z, place = latents(names, dim), torch.empty(len(names), dim, dtype=torch.float64)
    for seed, row in zip(names, place, strict=True):
        generator.manual_seed(seed)
        torch.randn(dim, generator=generator)  # the latent itself, as above
        row.uniform_(generator=generator)
    tail = torch.special.ndtr(torch.tensor(-limit, dtype=torch.float64))
    within = torch.special.ndtri(tail + place * (1 - 2 * tail)).clamp(-limit, limit)
    return torch.where(z.abs() > limit, within.float(), z).clamp(-limit, limit)


def loop(points: Tensor, frames: int, straight: bool = False) -> Tensor:
    """A closed tour [frames, d] through the K key latents `points` [K, d] along the sphere, in equal shares of each arc.

    Where `straight`, along lines: for styles w, whose space is flat.
    Frame 0 is the first key, and the frame after the last would be it again, so that the film repeats without a jump.
    Frames need not be a multiple of K; then keys may fall between two frames. One key makes a film that stands still.

    Raises:
        UsageError: no key, or no frame.
    """
    if points.ndim != 2 or len(points) == 0:
        raise UsageError(f"loop: expected key latents [K, d] with K at least 1, got shape {list(points.shape)}")
    here, there, share = _segments(len(points), frames)
    return (lerp if straight else slerp)(points[here], points[there], share.to(points))


def plane(a: Tensor, b: Tensor, c: Tensor, side: int, straight: bool = False) -> Tensor:
    """A square [side^2, d] of codes, row by row, with a [d] at its first corner, b at the end of its first row, c below a.

    Along the sphere: rows are arcs between arcs. The fourth corner is b + c - a, as long as the others are on average.
    Where `straight`, it is the plane through the three, and every row and column is evenly spaced.

    Raises:
        UsageError: fewer than two codes a side.
    """
    if side < 2:
        raise UsageError(f"plane: expected a side of at least 2, got {side}")
    t, corner = torch.linspace(0, 1, side).to(a), b + c - a
    if straight:
        return (a + t[:, None, None] * (c - a) + t[None, :, None] * (b - a)).flatten(0, 1)
    corner = on_sphere(corner, torch.stack([norm(x) for x in (a, b, c)]).mean())
    left, right = slerp(a, c, t), slerp(b, corner, t)
    return slerp(left[:, None], right[:, None], t.expand(side, -1)).flatten(0, 1)


def on_sphere(z: Tensor, radius: float | Tensor) -> Tensor:
    """z [..., d] as long as `radius`, in its own direction; zero stays zero."""
    return F.normalize(z, dim=-1) * radius


def combined(terms: Sequence[tuple[int, Tensor]], straight: bool = False) -> Tensor:
    """The sum [d] of the mean codes of several terms, each +1 or -1 and its codes [k, d]: a - b + c.

    Means of k Gaussians are short, and their sum is as long as chance has it: along the sphere, each mean is made as long
    as its codes are on average, and the sum as long as those of the first term, so that a - b + b is a. Where `straight`,
    for styles w, nothing is scaled. Source: arXiv:1511.06434 sec. 6.3.2.
    """
    means = [codes.mean(0) if straight else on_sphere(codes.mean(0), norm(codes).mean()) for _, codes in terms]
    total = torch.stack([sign * mean for (sign, _), mean in zip(terms, means, strict=True)]).sum(0)
    return total if straight else on_sphere(total, norm(means[0]))


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
