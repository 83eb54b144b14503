"""Shared code of the augmentations of D's inputs: random numbers, names of transformations, pixels by index."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor

from ganvas.errors import unknown_name

Uniform = Callable[..., Tensor]  # uniform(n, *shape) -> [n, *shape] in [0, 1)


def check_kinds(kinds: Iterable[str], known: Iterable[str], groups: Iterable[str] = ()) -> set[str]:
    """The kinds as a set. Raises: UsageError: one is not known; the message has the nearest name."""
    on = set(kinds)
    for kind in sorted(on.difference(known)):
        raise unknown_name("augmentation", kind, {*known, *groups})
    return on


def promote_uniforms(table: Tensor, images: Tensor) -> Tensor:
    """Uniforms in the precision of the images, but at least float32."""
    return table.to(torch.promote_types(images.dtype, torch.float32))


def to_integers(u: Tensor, n: int) -> Tensor:
    """Uniform u in [0, 1) -> integers 0 .. n - 1."""
    return torch.floor(u * n).clamp(max=n - 1).long()


def gather_pixels(images: Tensor, index: Tensor) -> Tensor:
    """images [N, C, H, W], flat pixel indices [N, K, H, W] -> [N, C, K, H, W]. grid_sample has no second derivative."""
    n, channels = images.shape[:2]
    taps = images.flatten(2).gather(2, index.flatten(1)[:, None].expand(n, channels, -1))
    return taps.view(n, channels, *index.shape[1:])
