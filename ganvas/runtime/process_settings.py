"""TODO docstring of ganvas.runtime.process_settings."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from ganvas.runtime.device import available_cores, pin, place_on_rank
from ganvas.runtime.plan import Plan

# glibc's mallopt options (malloc.h) and their values in bytes. By default glibc gives freed memory back to the kernel, and
# each step then pays about a thousand page faults to get the same memory again.
MALLOC_OPTIONS = ((-1, 1 << 30), (-2, 256 << 20), (-3, 1 << 30))  # M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD


# What decides the bits of a GPU; env.json records it. Batches keep their size, so that cuDNN's search for the fastest
# algorithm pays at once. The next process may find another one: on a GPU a resumed run is equal within a tolerance, not bit
# for bit. float32 means float32: a card that has TF32 has bfloat16 too, which `--precision auto` takes.
GPU_SETTINGS = {"cudnn_benchmark": True, "tf32": False}


def apply_plan(plan: Plan, rank: int = 0) -> None:
    """Make this process follow the plan: its threads, its GPU, and one core of its own if each rank has one thread."""
    keep_freed_memory()
    torch.set_num_threads(plan.threads)
    torch.set_flush_denormal(True)
    available = available_cores()
    if plan.device == "cpu" and plan.ranks > 1 and plan.threads == 1 and plan.ranks <= len(available):
        pin([available[rank]])
    device = torch.device(place_on_rank(plan).device)
    if device.type == "cuda":
        torch.cuda.set_device(device)  # where NCCL and a plain "cuda" look
    torch.backends.cudnn.benchmark = GPU_SETTINGS["cudnn_benchmark"]
    torch.backends.cudnn.allow_tf32 = GPU_SETTINGS["tf32"]
    torch.set_float32_matmul_precision("high" if GPU_SETTINGS["tf32"] else "highest")


def keep_freed_memory() -> bool:
    """Have glibc keep freed memory for this process instead of giving it back to the kernel. False without glibc.

    Bits do not change. The process keeps the most memory that it ever had.
    """
    if sys.platform != "linux":
        return False
    try:
        library = ctypes.CDLL(None)
        _ = library.gnu_get_libc_version  # other C libraries may have a mallopt of another meaning
        return all(library.mallopt(option, value) == 1 for option, value in MALLOC_OPTIONS)
    except (OSError, AttributeError):
        return False


@contextmanager
def keep_process_settings() -> Iterator[None]:
    """This process's cores and number of threads as they were before, whatever `settle` changes meanwhile."""
    available, count = available_cores(), torch.get_num_threads()
    try:
        yield
    finally:
        pin(available)
        torch.set_num_threads(count)
