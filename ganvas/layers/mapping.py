"""The mapping network of StyleGAN (z -> w), the running mean of w (for the truncation trick), and style mixing."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from ganvas.layers.classes import class_weights
from ganvas.layers.equalized import EqualLinear, leaky_relu
from ganvas.layers.normalization import pixel_norm

RATE = 0.01  # factor on the learning rate of the mapping network: arXiv:1812.04948 appendix C
DECAY = 0.995  # of the running mean


class Mapping(nn.Module):
    """z [N, latent_dim], c [N] class or [N, classes] shares -> w [N, latent_dim]; with depth 0, w is the normalized z.

    `mean` [latent_dim] is the running mean of w during training. With classes, an embedding of c is concatenated to z, both
    normalized. Source: arXiv:1812.04948 sec. 2 and appendix B; for classes arXiv:2006.06676 appendix D.
    """

    batch_means: ClassVar[tuple[str, ...]] = ("mean",)
    mean: Tensor

    def __init__(self, latent_dim: int, depth: int, classes: int = 0) -> None:
        super().__init__()
        self.classes = classes
        self.embed = EqualLinear(classes, latent_dim, gain=classes**0.5) if classes else None  # one entry is 1, the rest are 0
        inputs = [2 * latent_dim if classes and not i else latent_dim for i in range(max(depth, int(classes > 0)))]
        self.layers = nn.ModuleList(EqualLinear(n, latent_dim, rate=RATE) for n in inputs)
        self.register_buffer("mean", torch.zeros(latent_dim))

    def forward(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        w = pixel_norm(z)
        if self.embed is not None and c is not None:
            shares = class_weights(c, self.classes, z.dtype)
            w = torch.cat([w, pixel_norm(self.embed(shares)).to(w.dtype)], 1)
        for layer in self.layers:
            w = leaky_relu(layer(w))
        return w

    @torch.no_grad()
    def update_mean(self, w: Tensor) -> None:
        """Update the running mean of w with w [N, latent_dim]."""
        self.mean.lerp_(w.detach().float().mean(0), 1 - DECAY)


def repeat_per_layer(w: Tensor, layers: int) -> Tensor:
    """w [N, d], the same for all layers, or [N, layers, d] -> [N, layers, d]."""
    return w[:, None].expand(-1, layers, -1) if w.ndim == 2 else w


def mix_styles_randomly(first: Tensor, second: Tensor, layers: int, share: float, chance: Tensor, place: Tensor) -> Tensor:
    """Style mixing regularization: w [N, d] twice -> [N, layers, d], `first` up to a random layer and `second` after it.

    `chance` and `place` [N] are uniform in [0, 1): a sample is mixed if its chance is below `share`, at a layer from 1 to
    layers - 1. Source: arXiv:1812.04948 sec. 3.1.
    """
    cut = torch.where(chance < share, 1 + (place * (layers - 1)).floor(), layers)
    early = torch.arange(layers, device=first.device) < cut[:, None]
    return torch.where(early[:, :, None], first[:, None], second[:, None])
