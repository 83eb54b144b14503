"""Settings of this process: threads, CPU cores, memory allocator, GPU and cuDNN, as the plan says."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from ganvas.runtime.device import available_cores, pin, place_on_rank
from ganvas.runtime.plan import Plan

# Options of glibc's mallopt (malloc.h) and their values in bytes. By default glibc returns freed memory to the kernel, and
# each step then costs about a thousand page faults to get the same memory again.
MALLOC_OPTIONS = ((-1, 1 << 30), (-2, 256 << 20), (-3, 1 << 30))  # M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD

# These decide the bits on a GPU; env.json records them. Batches have a constant size, so cuDNN's search for the fastest
# algorithm pays off. Another process may find another algorithm: on a GPU a resumed run is equal within a tolerance, not bit
# for bit. No TF32: a card that has it also has bfloat16, which `--precision auto` uses.
GPU_SETTINGS = {"cudnn_benchmark": True, "tf32": False}


def apply_plan(plan: Plan, rank: int = 0) -> None:
    """Apply the plan to this process: its threads, its GPU, and one CPU core for each rank if ranks have one thread."""
    keep_freed_memory()
    torch.set_num_threads(plan.threads)
    torch.set_flush_denormal(True)
    available = available_cores()
    if plan.device == "cpu" and plan.ranks > 1 and plan.threads == 1 and plan.ranks <= len(available):
        pin([available[rank]])
    device = torch.device(place_on_rank(plan).device)
    if device.type == "cuda":
        torch.cuda.set_device(device)  # NCCL and a plain "cuda" use the current device
    torch.backends.cudnn.benchmark = GPU_SETTINGS["cudnn_benchmark"]
    torch.backends.cudnn.allow_tf32 = GPU_SETTINGS["tf32"]
    torch.set_float32_matmul_precision("high" if GPU_SETTINGS["tf32"] else "highest")


def keep_freed_memory() -> bool:
    """Make glibc keep freed memory in this process instead of returning it to the kernel. False without glibc.

    Bits do not change. The process keeps the largest amount of memory that it ever had.
    """
    if sys.platform != "linux":
        return False
    try:
        library = ctypes.CDLL(None)
        _ = library.gnu_get_libc_version  # in other C libraries mallopt may mean something else
        return all(library.mallopt(option, value) == 1 for option, value in MALLOC_OPTIONS)
    except (OSError, AttributeError):
        return False


@contextmanager
def keep_process_settings() -> Iterator[None]:
    """Restore the cores and the number of threads of this process at the end, whatever `apply_plan` changed."""
    available, count = available_cores(), torch.get_num_threads()
    try:
        yield
    finally:
        pin(available)
        torch.set_num_threads(count)
