"""All-reduce (mean) over the ranks of one machine through shared memory.

Gloo over the loopback takes milliseconds for the gradients of a small network; a step of the main job takes forty. Here
each rank writes into its slot, sets its flag, waits for the other flags, and adds all slots in the same order.
"""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganvas.errors import ResourceError

LINE = 8  # int64 values in a cache line: each flag has its own line
# Reads of a flag: first without a pause, then with short sleeps. After a tenth of a second the other rank does something long
# (a checkpoint, the other loop of a benchmark), and busy waiting would slow it down: long sleeps.
SHORT_SLEEPS, LONG_SLEEPS = 2_000, 2_500
ANXIOUS = 3_000  # reads, about a second, before checking whether that rank is alive


def is_available() -> bool:
    """Whether this processor keeps the order of stores, on which the flags rely, and the system has shared memory."""
    return platform.machine() in ("x86_64", "AMD64") and Path("/dev/shm").is_dir()  # noqa: S108


def is_dead(process: int) -> bool:
    """Whether the process does not exist; 0 means that its id is not known yet."""
    try:
        os.kill(process or os.getpid(), 0)
    except OSError as error:
        return isinstance(error, ProcessLookupError)
    return False


def _split_views(flat: Tensor, tensors: Sequence[Tensor]) -> list[Tensor]:
    """Views of `flat`, one for each tensor. A channels-last view has the strides of its tensor, so that the copy is linear."""
    views, start = [], 0
    for tensor in tensors:
        part = flat[start : start + tensor.numel()]
        layout = {4: torch.channels_last, 5: torch.channels_last_3d}.get(tensor.ndim, torch.contiguous_format)
        dense = tensor.is_contiguous(memory_format=layout)
        views.append(part.as_strided(tensor.shape, tensor.stride()) if dense else part.view(tensor.shape))
        start += tensor.numel()
    return views


class Exchange:
    """Slots of `size` ranks in shared memory, in two sets used in turn, so that no rank overwrites what another still reads."""

    def __init__(self, rank: int, size: int, agree: Callable[[Any], Any], gather: Callable[[], Any]) -> None:
        self.rank, self.size, self.broadcast, self.gather = rank, size, agree, gather
        self.capacity, self.count = 0, 0
        self.limit = sys.maxsize  # number of floats for which there was not enough memory: larger means do not try again
        self.slots = torch.empty(0)
        self.flags = np.zeros(0, np.int64)
        if (flags := self._map("flags", size * LINE, torch.int64)) is None:
            self.limit = 0
        else:
            self.flags = flags.numpy()
            self.flags[rank * LINE + 1] = os.getpid()

    def fits(self, n: int) -> bool:
        """Whether a mean of `n` floats fits; allocates the slots if there is memory. All ranks must call this.

        A container may have as little as 64 MB of shared memory.
        """
        if n > self.capacity and n < self.limit:
            found = self._map("slots", 2 * self.size * n, torch.float32)
            if found is None:
                self.limit = n
            else:
                self.capacity, self.slots = n, found.view(2, self.size, n)
        return n <= self.capacity

    def mean_(self, tensors: Sequence[Tensor]) -> None:
        """Replace each CPU tensor by its mean over the ranks, in float32. Shapes and strides are equal on all ranks.

        Call `fits` first, with the number of all elements. The sum is in the order of the ranks: equal bits on every rank.
        """
        n = sum(tensor.numel() for tensor in tensors)
        slots = self.share(n, lambda slot: torch._foreach_copy_(_split_views(slot, tensors), list(tensors)))
        mean = torch.sum(slots, 0)
        mean /= self.size
        torch._foreach_copy_(list(tensors), _split_views(mean, tensors))

    def share(self, n: int, write: Callable[[Tensor], object]) -> Tensor:
        """The slots of all ranks [size, n], after `write` has filled that of this rank [n]. Read before the next call."""
        slots = self.slots[self.count % 2, :, :n]
        write(slots[self.rank])
        self._meet()
        return slots

    def _meet(self) -> None:
        """Wait until every rank has reached this call. Raises: ResourceError: a rank has died."""
        self.count += 1
        self.flags[self.rank * LINE] = self.count
        for other in range(self.size):
            looks = 0
            while self.flags[other * LINE] < self.count:
                looks += 1
                if looks > SHORT_SLEEPS:
                    time.sleep(0.002 if looks > LONG_SLEEPS else 0.0001)
                if (
                    looks % ANXIOUS == 0
                    and is_dead(int(self.flags[other * LINE + 1]))
                    and self.flags[other * LINE] < self.count
                ):
                    raise ResourceError(f"rank {other} died; start all ranks again to continue from the last checkpoint")

    def _map(self, what: str, count: int, dtype: torch.dtype) -> Tensor | None:
        """Zeroed memory shared by all ranks; its file is deleted once all ranks have mapped it. None: not enough memory."""
        path = self.broadcast(self._file(what, count * dtype.itemsize) if self.rank == 0 else None)
        if path is None:
            return None
        memory = torch.from_file(path, shared=True, size=count, dtype=dtype)
        self.gather()
        if self.rank == 0:
            Path(path).unlink()
        return memory

    @staticmethod
    def _file(what: str, size: int) -> str | None:
        """The path of a new file of `size` zero bytes. None: not enough memory."""
        path = None
        try:
            handle, path = tempfile.mkstemp(prefix=f"ganvas-{what}-", dir="/dev/shm")
            try:
                # This reserves the memory. A file that is only extended would end the process (SIGBUS) at the first write.
                os.posix_fallocate(handle, 0, size)
            finally:
                os.close(handle)
        except OSError:
            if path:
                Path(path).unlink(missing_ok=True)
            return None
        return path
