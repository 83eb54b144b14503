"""The loader: batches on the device that trains. Pixels are copied to the device as bytes, and normalized there."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import torch

from ganvas.core.fields import check
from ganvas.core.modality import Batch, normalize_batch
from ganvas.data.dataset import Dataset


class Loader:
    """The share of this rank of each batch.

    On the CPU a batch is made on demand. On an accelerator a thread makes the next batch, in pinned memory, while the device
    works on this one, and the copy does not wait. In both cases a batch is a function of (seed, position); a prefetched
    batch that is not needed is dropped.
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
        """Batches of `count` samples; the next batch starts `stride` positions later (None: `count`).

        The first batch is checked for the fields in `needs`.
        """
        self.data, self.seed, self.count = data, seed, count
        self.stride = count if stride is None else stride
        self.device = torch.device(device)
        self.needs = tuple(needs)
        self.checked = False
        # The thread ends with the loader: the thread's reference to its pool is weak.
        self.pool = None if self.device.type == "cpu" else ThreadPoolExecutor(1, "ganvas-loader")
        self.ahead: tuple[int, Future[Batch]] | None = None

    def batch(self, start: int) -> Batch:
        """The normalized fields [count, ...] at positions start .. start+count-1, on the device.

        Raises:
            DataError: the first batch has not all fields of `needs`, or one is not as the vocabulary describes it.
        """
        batch = _place(self.data, self._next(start), self.device)
        if not self.checked:
            check(batch, self.needs)
            self.checked = True
        return batch

    def _next(self, start: int) -> Batch:
        """The stored batch at `start`, on the CPU; on an accelerator the thread starts with the next one."""
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
    """One batch as from `Loader.batch`, without a thread: for a single batch now and then."""
    return _place(data, data.batch(seed, start, count), torch.device(device))


def _place(data: Dataset, kept: Batch, device: torch.device) -> Batch:
    # A copy from pinned memory runs at the same time as other work; the allocator keeps the memory until it is done.
    moved = {name: x.to(device, non_blocking=True) for name, x in kept.items()}
    return normalize_batch(moved, data.modalities)
