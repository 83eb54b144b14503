"""Dropout whose mask comes from the random numbers of a step, so that ranks which share a batch drop different units."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def dropout_mask(share: float, uniform: Callable[..., Tensor], n: int, *shape: int) -> Tensor | None:
    """-> [n, *shape] in float32: 0 for a `share` of the units, and 1 / (1 - share) for the rest; None where none is dropped.

    `uniform(n, *shape)` -> [n, *shape] in [0, 1); it is not called where none is dropped.
    """
    return (uniform(n, *shape) >= share).to(torch.float32) / (1 - share) if share else None
