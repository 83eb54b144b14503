"""The evidence lower bound (ELBO) of samples, in nats: reconstruction and KL term."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ganvas.core.capabilities import Bounds
from ganvas.core.modality import modality_of
from ganvas.runtime import placement


@torch.no_grad()
def elbo_terms(game: Bounds, x: Tensor, c: Tensor | None = None, chunk: int = 500) -> dict[str, Tensor]:
    """x [N, ...] as the game takes it or as bytes, c [N] class or None -> the terms of -ELBO, each [N] in float64 on the CPU.

    One z from q(z|x) for each sample, the same in every call: row i gets the i-th noise of a fixed generator.
    """
    random = torch.Generator().manual_seed(0)
    device = placement.device_of(game) if isinstance(game, nn.Module) else x.device
    found: list[dict[str, Tensor]] = []
    for start in range(0, len(x), chunk):
        part, label = x[start : start + chunk].to(device), None if c is None else c[start : start + chunk].to(device)
        if part.dtype == torch.uint8:  # chunk by chunk: a whole test split as floats takes four times its memory
            part = modality_of(part).normalize(part)
        noise = torch.randn(len(part), game.latent_dim, generator=random).to(device)
        found.append({name: placement.to_cpu(each).double() for name, each in game.bound(part, noise, label).items()})
    return {name: torch.cat([part[name] for part in found]) for name in found[0]}
