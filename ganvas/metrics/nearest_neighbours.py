"""Exact nearest-neighbour search by Euclidean distance, in blocks that bound the memory."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ganvas.errors import UsageError
from ganvas.metrics.checks import require_finite, require_integer

CHUNK = 500  # rows of a block of distances: 40 MB for 10,000 points
TILE = 2_000  # columns of a block that are computed at a time: 20 MB for 1,280 features
STRAY = 1_000  # times the spread of the points: from here on a stray point makes a grid too coarse
LOOKED_AT = 100  # rows of a set whose spread is measured
BLOCK_BYTES = 64 << 20  # of rows as float64: large images use smaller blocks, which does not change the result


@dataclass(frozen=True)
class Lattice:
    """A grid on which squared distances are exact in float64, in every order of summation.

    Points are rounded to integer multiples of `unit` from `centre` [d]. The unit is a power of two, large enough that every
    partial sum of a matrix product is an integer below 2^53: for 64 features, 2^-22 of half the range, about the precision
    of float32. So equal points have distance 0, and distances do not depend on chunks, threads or machine. The matrix
    product is several times faster than differences. Bytes are not rounded.

    A few stray points may be so far from all others that such a grid would put those into one place: one sample at 1e9 among
    standard normals would make every other distance 0. Then nothing is rounded, and distances are computed from differences.
    """

    centre: Tensor
    unit: float
    rounds: bool = True  # whether points are placed on whole numbers

    @classmethod
    def over(cls, *sets: Tensor) -> Lattice:
        """The finest grid for the points of all sets [N, d]."""
        low = torch.stack([each.amin(0).double() for each in sets]).amin(0) / 2  # halves: their difference is finite
        high = torch.stack([each.amax(0).double() for each in sets]).amax(0) / 2
        largest = (high - low).max().item()
        _, exponent = math.frexp(largest)
        middle, spread = _find_middle(sets)
        if largest > STRAY * spread:
            return cls(middle, math.ldexp(1.0, exponent - 480), rounds=False)  # so that no square is infinite
        bits = int((51 - math.log2(low.numel())) / 2)  # 4 d 4^bits <= 2^53
        return cls(low + high, math.ldexp(1.0, exponent - bits))

    @classmethod
    def of_bytes(cls, d: int) -> Lattice:
        """The grid for samples of d bytes; it is exact up to 2^30 bytes."""
        return cls(torch.zeros(d, dtype=torch.float64), 1.0)

    def place(self, points: Tensor) -> Tensor:
        """points [N, d] -> their coordinates on the grid, as float64."""
        if not self.rounds:
            return (points.double() / self.unit).sub_(self.centre / self.unit)
        return points.double().sub(self.centre).div_(self.unit).round_()

    def between(self, a: Tensor, b: Tensor) -> Tensor:
        """Squared distances [N, M] of placed points a [N, d] and b [M, d]."""
        return _multiply(a, b) if self.rounds else torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist").square_()


def _multiply(a: Tensor, b: Tensor) -> Tensor:
    """Squared distances [N, M] of whole numbers a [N, d] and b [M, d], by one matrix product."""
    left = torch.cat([a, a.square().sum(1, keepdim=True), torch.ones(len(a), 1).to(a)], 1)
    return left @ torch.cat([-2 * b, torch.ones(len(b), 1).to(a), b.square().sum(1, keepdim=True)], 1).T


def _find_middle(sets: Sequence[Tensor]) -> tuple[Tensor, float]:
    """The median [d], and half of what the middle half of the points spans where it spans most; inf: it is one point."""
    count = min(LOOKED_AT, rows_at_a_time(sets[0].shape[1]))
    some = torch.cat([each[:: max(1, len(each) // count)][:count].double() for each in sets]).sort(0).values
    quarter, half, rest = (some[part * len(some) // 4] for part in (1, 2, 3))
    return half, float((rest / 2 - quarter / 2).max()) or math.inf


def blocks(a: Tensor, b: Tensor, chunk: int = CHUNK, lattice: Lattice | None = None) -> Iterator[Tensor]:
    """Squared distances [rows, M] from `chunk` rows of a [N, d] at a time to all rows of b [M, d].

    Both are placed on `lattice` a part at a time, so that large sets need no copy in float64; None: they are whole numbers on
    one already.
    """
    for rows in a.split(chunk):
        placed = rows if lattice is None else lattice.place(rows)
        squared = placed.new_empty(len(rows), len(b))
        for part, found in zip(b.split(TILE), squared.split(TILE, dim=1), strict=True):
            found.copy_(_multiply(placed, part) if lattice is None else lattice.between(placed, lattice.place(part)))
        yield squared


def nearest(queries: Tensor, bank: Tensor, chunk: int | None = None, rows: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """The Euclidean distance [N] of each query to its nearest neighbour in `bank`, float64, and the index of that [N].

    queries [N, ...] and bank [M, ...]: features, or images of the same shape and range; `chunk` of each are compared at a
    time (None: as many as fit into little memory). `rows` [K]: search only these rows of the bank, without a copy of all of
    them; an index k then means rows[k]. The bank may be a memory map.
    Costs about 2 N M d operations: a minute on one core for 10,000 x 60,000 images of 784 bytes.

    Raises:
        UsageError: an empty set, different shapes of a sample, bytes against floats, or a NaN.
    """
    bank_ = _Bank.over(queries, bank, chunk, rows)
    found = [_nearest(part, bank_) for part in _rows(queries, "queries", 1).split(bank_.chunk)]
    distances, where = (torch.cat(each) for each in zip(*found, strict=True))
    return distances, where


def _nearest(queries: Tensor, bank: _Bank) -> tuple[Tensor, Tensor]:
    placed = bank.lattice.place(queries)
    best = torch.full((len(queries),), torch.inf, dtype=torch.float64, device=queries.device)
    where = torch.zeros_like(best, dtype=torch.int64)
    for start, part in bank.parts():
        squared, index = bank.lattice.between(placed, part).min(1)
        closer = squared < best
        best[closer], where[closer] = squared[closer], index[closer] + start
    return best.sqrt() * bank.lattice.unit, where


def k_nearest(
    queries: Tensor, bank: Tensor, k: int, chunk: int | None = None, rows: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """The distances [N, k] of each query to its k nearest neighbours in `bank`, the nearest first, and their indices [N, k].

    For few queries: as `nearest`, but all distances are sorted; of equal ones the earlier row comes first.

    Raises:
        UsageError: as `nearest`; or k is not from 1 to the size of the bank.
    """
    bank_ = _Bank.over(queries, bank, chunk, rows)
    if not 1 <= k <= len(bank_):
        raise UsageError(f"k: expected from 1 to {len(bank_):,}, the size of the bank, got {k}")
    placed = bank_.lattice.place(_rows(queries, "queries", 1))
    best = torch.empty(len(queries), 0, dtype=torch.float64, device=queries.device)
    where = torch.empty_like(best, dtype=torch.int64)
    for start, part in bank_.parts():
        squared = bank_.lattice.between(placed, part)
        index = torch.arange(start, start + squared.shape[1], device=where.device).expand_as(squared)
        best, order = torch.cat([best, squared], 1).sort(dim=1, stable=True)
        where = torch.cat([where, index], 1).gather(1, order)[:, :k]
        best = best[:, :k]
    return best.sqrt() * bank_.lattice.unit, where


@dataclass(frozen=True)
class _Bank:
    """The samples [M, d] to search in, or only their `rows` [K], and the lattice of samples and queries."""

    table: Tensor
    rows: Tensor | None
    lattice: Lattice
    chunk: int  # rows at a time

    @classmethod
    def over(cls, queries: Tensor, bank: Tensor, chunk: int | None, rows: Tensor | None) -> _Bank:
        queries, bank = _rows(queries, "queries", 1), _rows(bank, "bank", 1)
        if queries.shape[1] != bank.shape[1] or queries.is_floating_point() != bank.is_floating_point():
            found = f"{queries.shape[1]} numbers of {queries.dtype} and {bank.shape[1]} of {bank.dtype}"
            raise UsageError(f"nearest: expected queries and bank of one size and range, found {found}; prepare both alike")
        d = bank.shape[1]
        both_bytes = queries.dtype == bank.dtype == torch.uint8
        lattice = Lattice.of_bytes(d) if both_bytes else Lattice.over(queries, bank if rows is None else bank[rows])
        return cls(bank, rows, lattice, require_integer(rows_at_a_time(d) if chunk is None else chunk, "chunk", 1))

    def __len__(self) -> int:
        return len(self.table if self.rows is None else self.rows)

    def parts(self) -> Iterator[tuple[int, Tensor]]:
        """For one part after another: its first index, and its points on the lattice [chunk, d]."""
        for start in range(0, len(self), self.chunk):
            part = slice(start, start + self.chunk)
            yield start, self.lattice.place(self.table[part] if self.rows is None else self.table[self.rows[part]])


def rows_at_a_time(d: int) -> int:
    """How many samples of d numbers are compared at once: 500, or fewer if they are large."""
    return max(1, min(CHUNK, BLOCK_BYTES // (8 * d)))


def _rows(x: Tensor, name: str, at_least: int) -> Tensor:
    if x.ndim < 2 or len(x) < at_least or x[0].numel() == 0:
        raise UsageError(f"{name}: expected at least {at_least} samples [N, ...], found shape {list(x.shape)}; draw more")
    return require_finite(x, name).flatten(1)
