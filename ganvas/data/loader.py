"""Batches on the device that trains. They travel as they are kept, bytes where they are pixels, and are normalized there."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import torch

from ganvas.core.fields import check
from ganvas.core.modality import Batch, normalize_batch
from ganvas.data.dataset import Dataset


class Loader:
    """This rank's share of each batch.

    On the CPU a batch is made when it is asked for. On an accelerator a thread makes the next batch, in pinned memory, while
    the device works on this one, and the copy does not wait. A batch is a function of (seed, position) either way: what was
    made ahead and is not asked for is thrown away.
    """

    def __init__(
        self,
        data: Dataset,
        seed: int,
        count: int,
        *,
        stride: int | None = None,
        device: torch.device | str = "cpu",
        needs: Sequence[str] = (),
    ) -> None:
        """`count` samples a batch, of which the next begins `stride` positions further (None: `count`).

        `needs` are the fields that the first batch is checked for.
        """
        self.data, self.seed, self.count = data, seed, count
        self.stride = count if stride is None else stride
        self.device = torch.device(device)
        self.needs = tuple(needs)
        self.checked = False
        # The thread ends with the loader: the pool's own reference to it is weak.
        self.pool = None if self.device.type == "cpu" else ThreadPoolExecutor(1, "ganvas-loader")
        self.ahead: tuple[int, Future[Batch]] | None = None

    def batch(self, start: int) -> Batch:
        """The fields [count, ...] at the positions start .. start+count-1, on the device, as networks take them.

        Raises:
            DataError: the first batch lacks a field of `needs`, or one is not what the vocabulary says.
        """
        batch = _place(self.data, self._next(start), self.device)
        if not self.checked:
            check(batch, self.needs)
            self.checked = True
        return batch

    def _next(self, start: int) -> Batch:
        """The batch at `start` as kept, on the CPU; on an accelerator the next one is begun."""
        if self.pool is None:
            return self._make(start)
        ahead, self.ahead = self.ahead, None
        kept = ahead[1].result() if ahead and ahead[0] == start else self._make(start)
        self.ahead = (start + self.stride, self.pool.submit(self._make, start + self.stride))
        return kept

    def _make(self, start: int) -> Batch:
        batch = self.data.batch(self.seed, start, self.count)
        return {name: x.pin_memory() for name, x in batch.items()} if self.device.type == "cuda" else batch


def fetch(data: Dataset, seed: int, start: int, count: int, device: torch.device | str = "cpu") -> Batch:
    """One batch as `Loader.batch` gives it, without a thread: for what is asked for now and then."""
    return _place(data, data.batch(seed, start, count), torch.device(device))


def _place(data: Dataset, kept: Batch, device: torch.device) -> Batch:
    # From pinned memory the copy runs beside the work of the device; the allocator keeps the memory until it is done.
    moved = {name: x.to(device, non_blocking=True) for name, x in kept.items()}
    return normalize_batch(moved, data.modalities)
