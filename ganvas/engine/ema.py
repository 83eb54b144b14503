"""Exponential moving average (EMA) of the weights of G. Source: arXiv:1710.10196, arXiv:1912.04958 code."""

from __future__ import annotations

import torch

from ganvas.config import TrainConfig
from ganvas.engine.state import State


@torch.no_grad()
def update_ema(state: State, config: TrainConfig, images: int) -> None:
    """Update the EMA of the averaged networks by a step of `images` images; their buffers are copied.

    The half-life is in images, however many batches a step takes. It grows with the run, so that early weights, which are
    bad, are forgotten quickly.
    """
    halflife = min(config.average_halflife, 0.05 * state.items)
    keep = 0.5 ** (images / halflife) if halflife else 0.0
    for name in state.game.averaged:
        network, average = getattr(state.game, name), getattr(state.average, name)
        torch._foreach_lerp_(list(average.parameters()), list(network.parameters()), 1 - keep)
        for copy_, buffer in zip(average.buffers(), network.buffers(), strict=True):
            copy_.copy_(buffer)
