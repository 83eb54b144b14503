"""A mean over the ranks of one machine through shared memory.

Gloo takes milliseconds for the gradients of a small network over the loopback; a step of the main job takes forty. Here
each rank writes into its slot, raises its flag, waits for the others' and adds all slots up in the same order.
"""

from __future__ import annotations

import os
import platform
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganvas.errors import ResourceError

LINE = 8  # int64 values in a cache line: each flag has its own
PATIENT = 2000  # looks at a flag before the core is offered to others
ANXIOUS = 10_000  # looks, about a second and a half, before asking whether that rank lives


def possible() -> bool:
    """Whether this machine keeps the order of stores that the flags rely on, and has memory to share."""
    return platform.machine() in ("x86_64", "AMD64") and Path("/dev/shm").is_dir()  # noqa: S108


def gone(process: int) -> bool:
    """Whether there is no such process; 0 stands for one that is not known yet."""
    try:
        os.kill(process or os.getpid(), 0)
    except OSError as error:
        return isinstance(error, ProcessLookupError)
    return False


class Exchange:
    """Slots of `size` ranks in shared memory, in two sets used in turn: nobody overwrites what another still reads."""

    def __init__(self, rank: int, size: int, agree: Callable[[Any], Any], gather: Callable[[], Any]) -> None:
        self.rank, self.size, self.agree, self.gather = rank, size, agree, gather
        self.capacity, self.count = 0, 0
        self.flags = self._map("flags", size * LINE, torch.int64).numpy()
        self.flags[rank * LINE + 1] = os.getpid()
        self.slots = torch.empty(0)

    def mean_(self, flat: Tensor) -> None:
        """Replace float32 `flat` [n], of equal length on every rank, by its mean over the ranks."""
        n = len(flat)
        if n > self.capacity:  # on all ranks at once
            self.capacity = n
            self.slots = self._map("slots", 2 * self.size * n, torch.float32).view(2, self.size, n)
        slots = self.slots[self.count % 2, :, :n]
        slots[self.rank].copy_(flat)
        self._meet()
        torch.sum(slots, 0, out=flat)
        flat /= self.size

    def _meet(self) -> None:
        """Wait until every rank has come this far. Raises: ResourceError: one has died."""
        self.count += 1
        self.flags[self.rank * LINE] = self.count
        for other in range(self.size):
            looks = 0
            while self.flags[other * LINE] < self.count:
                looks += 1
                if looks > PATIENT:
                    time.sleep(0.0001)
                if looks % ANXIOUS == 0 and gone(int(self.flags[other * LINE + 1])) and self.flags[other * LINE] < self.count:
                    raise ResourceError(f"rank {other} died; start all ranks again, and they go on from the last checkpoint")

    def _map(self, what: str, count: int, dtype: torch.dtype) -> Tensor:
        """Zeroed memory shared by all ranks; its name is gone as soon as everybody has it."""
        path = None
        if self.rank == 0:
            handle, path = tempfile.mkstemp(prefix=f"ganvas-{what}-", dir="/dev/shm")
            os.truncate(handle, count * dtype.itemsize)
            os.close(handle)
        path = self.agree(path)
        memory = torch.from_file(path, shared=True, size=count, dtype=dtype)
        self.gather()
        if self.rank == 0:
            Path(path).unlink()
        return memory
