"""Noise inputs: per-pixel noise for stochastic detail that is not in the style. Source: arXiv:1812.04948 sec. 3.2."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn


class NoiseInput(nn.Module):
    """x [N, C, side, side] + strength * noise [N or 1, 1, side, side]; without `noise`, one fixed pattern for all samples.

    The strength, one number for each channel, starts at 0. With the fixed pattern animations do not flicker.
    """

    constants: ClassVar[tuple[str, ...]] = ("fixed",)  # buffers that training does not change
    fixed: Tensor

    def __init__(self, channels: int, side: int) -> None:
        super().__init__()
        self.strength = nn.Parameter(torch.zeros(channels, 1, 1))
        self.register_buffer("fixed", torch.randn(1, 1, side, side))

    @property
    def side(self) -> int:
        return int(self.fixed.shape[-1])

    def forward(self, x: Tensor, noise: Tensor | None = None) -> Tensor:
        return torch.addcmul(x, self.strength.to(x.dtype), (self.fixed if noise is None else noise).to(x.dtype))
