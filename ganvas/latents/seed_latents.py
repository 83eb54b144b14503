"""Latents of seeds: seed k is one latent, whatever is drawn beside it."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

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
