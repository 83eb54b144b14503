"""Latents of seeds: seed k gives the same latent in every batch. Truncation of z (the truncation trick of BigGAN)."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from ganvas.errors import UsageError
from ganvas.utils.parsing import is_whole, require_number

SEEDS = 2**32  # seeds are 0 .. SEEDS - 1: the generator of PyTorch uses no more bits, and larger ones would repeat these


def latent(seed: int, dim: int) -> Tensor:
    """The latent [dim] of one seed, standard normal: the same in every batch and on every device.

    Raises:
        UsageError: the seed is not in 0 .. 2^32 - 1.
    """
    return latents([seed], dim)[0]


def latents(seeds: Iterable[int], dim: int) -> Tensor:
    """The latents [N, dim] of `seeds`; each row depends on its own seed only; float32 on the CPU.

    Raises:
        UsageError: a seed is not in 0 .. 2^32 - 1.
    """
    names, generator = list(seeds), torch.Generator()
    if wrong := [seed for seed in names if not is_whole(seed) or not 0 <= seed < SEEDS]:
        raise UsageError(f"seed: expected a whole number from 0 to {SEEDS - 1:,}, got {wrong[0]}")
    z = torch.empty(len(names), dim, dtype=torch.float32, device="cpu")
    for seed, row in zip(names, z, strict=True):
        row.normal_(generator=generator.manual_seed(int(seed)))
    return z


def truncated_latents(seeds: Iterable[int], dim: int, limit: float, first: int = 0) -> Tensor:
    """The latents [N, dim] of `seeds`, every entry beyond +-limit sampled again within: less variety, better quality.

    Other entries do not change, so seed k stays similar, and with a large limit equal. Nor do the `first` ones.
    Source: arXiv:1809.11096 sec. 3.1 (truncation trick).
    Differs: an entry is sampled again once, by inverse transform, not until it fits: the distribution is the same.

    Raises:
        UsageError: a limit that is not above 0, or a seed that is not in 0 .. 2^32 - 1.
    """
    require_number("truncate", limit)
    if not limit > 0:
        raise UsageError(f"truncate: expected a limit above 0, got {limit}")
    names, generator = list(seeds), torch.Generator()
    z, place = latents(names, dim), torch.empty(len(names), dim, dtype=torch.float64)
    for seed, row in zip(names, place, strict=True):
        generator.manual_seed(int(seed))
        torch.randn(dim, generator=generator)  # the latent itself, as above
        row.uniform_(generator=generator)
    tail = torch.special.ndtr(torch.tensor(-limit, dtype=torch.float64))
    within = torch.special.ndtri(tail + place * (1 - 2 * tail)).clamp(-limit, limit)
    z[:, first:] = torch.where(z.abs() > limit, within.float(), z).clamp(-limit, limit)[:, first:]
    return z
