"""Exponential moving averages (EMA) of the weights. Source: arXiv:1710.10196, arXiv:1912.04958 code."""

from __future__ import annotations

import torch

from ganvas.config import TrainConfig
from ganvas.engine.state import State


@torch.no_grad()
def update_ema(state: State, config: TrainConfig, images: int) -> None:
    """Move the running averages (EMA) towards the weights, by the `images` of this step; buffers are copied.

    The half-life is in images, however many batches a step takes, and grows with the run, so that early averages are not
    held back. Source: arXiv:1912.04958 code, arXiv:1710.10196.
    """
    state.dropped_in_a_row = 0
    halflife = min(config.average_halflife, 0.05 * state.items)
    keep = 0.5 ** (images / halflife) if halflife else 0.0
    for name in state.game.averaged:
        network, average = getattr(state.game, name), getattr(state.average, name)
        torch._foreach_lerp_(list(average.parameters()), list(network.parameters()), 1 - keep)
        for copy_, buffer in zip(average.buffers(), network.buffers(), strict=True):
            copy_.copy_(buffer)
