"""The order of the data, flips and crops, as pure functions of (seed, position): there is no state to save."""

from __future__ import annotations

import threading
from collections import OrderedDict

import numpy as np
import torch
from torch import Tensor

from ganvas.errors import DataError
from ganvas.utils.seeds import mix

CACHE_BYTES = 32 << 20  # bytes of cached permutations
LEAST = 2  # permutations that are cached even if they are larger
NUMBER = 16  # cached permutations, even if they are smaller


def rows(seed: int, start: int, count: int, n: int) -> Tensor:
    """The int64 rows [count] of a table of `n` rows at positions start .. start+count-1 of the endless order.

    Position p is in epoch p // n, whose permutation depends on (seed, epoch) only; a batch may span two epochs.
    """
    if n < 1 or start < 0 or count < 0:
        raise DataError(f"data order needs n >= 1, start >= 0, count >= 0; got n={n}, start={start}, count={count}")
    parts = [torch.empty(0, dtype=torch.int64)]
    position, end = start, start + count
    while position < end:
        epoch, offset = divmod(position, n)
        part = _permutation(seed, epoch, n)[offset : offset + end - position].long()
        parts.append(part)
        position += len(part)
    return torch.cat(parts)


def flips(seed: int, start: int, count: int) -> Tensor:
    """bool [count]: whether the sample at each position is flipped, from (seed, position) only; on average half of them."""
    positions = np.arange(start, start + count, dtype=np.uint64)
    return torch.from_numpy(_hash_bits(positions ^ np.uint64(mix("flips", seed))) >> np.uint64(63) == 1)


def crops(seed: int, start: int, count: int, room: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """int64 [count] twice: the first row and column of the crop at each position, from (seed, position) only.

    `room` is the number of rows and columns by which a crop can move; with 0 there is one place.
    """
    positions = np.arange(start, start + count, dtype=np.uint64)
    offsets = []
    for axis, most in zip(("rows", "columns"), room, strict=True):
        bits = _hash_bits(positions ^ np.uint64(mix("crops", axis, seed))) >> np.uint64(32)
        offsets.append(torch.from_numpy((bits * np.uint64(most + 1) >> np.uint64(32)).astype(np.int64)))
    return offsets[0], offsets[1]


# Cached permutations by (seed, epoch, n), the last used at the end. The prefetching thread shares them with the main thread.
_kept: OrderedDict[tuple[int, int, int], Tensor] = OrderedDict()
_lock = threading.Lock()


def _permutation(seed: int, epoch: int, n: int) -> Tensor:
    """The order of one epoch, int32 [n] if that is enough: half the memory of int64.

    It costs n random numbers, so the last ones are cached: as many as fit into `CACHE_BYTES`, and at least `LEAST`,
    because a batch may span two epochs, and two tables may be read alternately.
    """
    key = (seed, epoch, n)
    with _lock:
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key]
    # Always drawn as int64: the random numbers of `randperm` depend on the type.
    order = torch.randperm(n, generator=torch.Generator().manual_seed(mix("order", seed, epoch)))
    order = order.to(torch.int32) if n < 2**31 else order
    with _lock:
        _kept[key] = order
        while len(_kept) > NUMBER or (len(_kept) > LEAST and sum(kept.nbytes for kept in _kept.values()) > CACHE_BYTES):
            _kept.popitem(last=False)
    return order


def _hash_bits(x: np.ndarray[tuple[int], np.dtype[np.uint64]]) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    """Random bits from counters. Source: the finalizer of SplitMix64, Steele, Lea, Flood, OOPSLA 2014, fig. 16."""
    x = (x + np.uint64(0x9E3779B97F4A7C15)).astype(np.uint64)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def spread_evenly(total: int, count: int) -> list[int]:
    """Up to `count` indices below `total`, evenly spaced, the first and the last among them."""
    chosen = min(total, count)
    return [k * (total - 1) // max(1, chosen - 1) for k in range(chosen)]
