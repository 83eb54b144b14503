"""The order of the data as a pure function of position: nothing to save, nothing to restore."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from ganvas.errors import DataError
from ganvas.seeds import mix


def rows(seed: int, start: int, count: int, n: int) -> Tensor:
    """The int64 rows [count] of a table of `n` at the positions start .. start+count-1 of the endless data order.

    Position p lies in epoch p // n, whose permutation depends on (seed, epoch) only; a batch may straddle epochs.
    """
    if n < 1 or start < 0 or count < 0:
        raise DataError(f"data order needs n >= 1, start >= 0, count >= 0; got n={n}, start={start}, count={count}")
    parts = [torch.empty(0, dtype=torch.int64)]
    position, end = start, start + count
    while position < end:
        epoch, offset = divmod(position, n)
        part = _permutation(seed, epoch, n)[offset : offset + end - position]
        parts.append(part)
        position += len(part)
    return torch.cat(parts)


def flips(seed: int, start: int, count: int) -> Tensor:
    """bool [count]: whether the sample at each position is mirrored, from (seed, position) only, half of them in the mean."""
    positions = np.arange(start, start + count, dtype=np.uint64)
    return torch.from_numpy(_scatter(positions ^ np.uint64(mix("flips", seed))) >> np.uint64(63) == 1)


@lru_cache(maxsize=4)  # two epochs meet in a straddling batch, for a training and a test table
def _permutation(seed: int, epoch: int, n: int) -> Tensor:
    return torch.randperm(n, generator=torch.Generator().manual_seed(mix("order", seed, epoch)))


def _scatter(x: np.ndarray[tuple[int], np.dtype[np.uint64]]) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    """Random bits from counters. Source: the finaliser of SplitMix64, Steele, Lea, Flood, OOPSLA 2014, fig. 16."""
    x = (x + np.uint64(0x9E3779B97F4A7C15)).astype(np.uint64)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
