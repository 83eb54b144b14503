"""Dropout with a mask from the random numbers of a step, so that each rank drops other units for its share of the batch."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def dropout_mask(share: float, uniform: Callable[..., Tensor], n: int, *shape: int) -> Tensor | None:
    """-> [n, *shape] in float32: 0 for a `share` of the units, and 1 / (1 - share) for the rest; None if the share is 0.

    `uniform(n, *shape)` -> [n, *shape] in [0, 1); it is not called if the share is 0.
    """
    return (uniform(n, *shape) >= share).to(torch.float32) / (1 - share) if share else None
