"""What this machine can do, and how a run's steps are executed on it.

Precision and memory format are chosen by timing, never by a flag alone: bfloat16 is twice as fast on one processor and
five hundred times slower on another.
"""

from __future__ import annotations

import functools
import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F

from ganvas.errors import ResourceError, UsageError

DEVICES = ("cpu", "cuda", "mps", "xpu")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How steps are executed. Settled once, when a run begins, and kept by resume: it decides the last bits."""

    device: str = "cpu"
    precision: str = "float32"
    channels_last: bool = True
    ranks: int = 1
    threads: int = 1  # of each rank

    @property
    def autocast(self) -> bool:
        """Whether forward passes run in bfloat16."""
        return self.precision == "bfloat16"


def cores() -> list[int]:
    """The processor cores this process may use."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count() or 1))


def most_threads() -> int:
    """How many threads one process should run: a core each, or fewer where OMP_NUM_THREADS says so."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return min(len(cores()), int(asked)) if asked.isdigit() and int(asked) else len(cores())


def device_named(name: str) -> torch.device:
    """The device called `name`; "auto" is a GPU where there is one.

    Raises:
        UsageError: no kind of device is called so.
        ResourceError: there is no such device here.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if (kind := name.partition(":")[0]) not in DEVICES:
        known = ", ".join(DEVICES)
        near = "; did you mean 'cuda'?" if kind.lower() in ("gpu", "nvidia") else ""
        raise UsageError(f"unknown device {name!r}{near} (known: auto, {known})")
    try:
        return torch.empty(0, device=name).device
    except (RuntimeError, AssertionError) as missing:
        raise ResourceError(f"device {name!r} is not available ({str(missing).splitlines()[0]}); use --device cpu") from None


def settle(plan: Plan, rank: int = 0) -> None:
    """Make this process follow the plan: its threads, and one core of its own where each rank has one thread."""
    torch.set_num_threads(plan.threads)
    torch.set_flush_denormal(True)
    available = cores()
    if plan.device == "cpu" and plan.ranks > 1 and plan.threads == 1 and plan.ranks <= len(available):
        os.sched_setaffinity(0, {available[rank]})


@functools.cache  # told once: later this process may be bound to one core of its own
def describe() -> dict[str, Any]:
    """What a run should remember of where it ran."""
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "processor": processor(),
        "cores": len(cores()),
        "capability": torch.backends.cpu.get_cpu_capability(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
    }


def processor() -> str:
    """The processor's name as its system tells it."""
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []:
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def seconds(work: Callable[[], object], least: float = 0.3, rounds: int = 3) -> float:
    """The median seconds that one call of `work` takes, after a warm-up."""
    work()
    times: list[float] = []
    end = time.perf_counter() + least
    while len(times) < rounds or time.perf_counter() < end:
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return sorted(times)[len(times) // 2]


def convolution_peak(precision: str, channels: int = 128, side: int = 16, batch: int = 64, least: float = 0.5) -> float:
    """GFLOP/s of a 3x3 convolution, forward and backward, channels-last: what a training step could reach at best."""
    dtype = getattr(torch, precision)
    x = torch.randn(batch, channels, side, side, dtype=dtype).to(memory_format=torch.channels_last).requires_grad_()
    weight = torch.randn(channels, channels, 3, 3, dtype=dtype).to(memory_format=torch.channels_last).requires_grad_()
    ahead = torch.randn(batch, channels, side, side, dtype=dtype).to(memory_format=torch.channels_last)

    def work() -> None:
        torch.autograd.grad(F.conv2d(x, weight, padding=1), [x, weight], ahead)

    return 3 * 2 * 9 * channels**2 * side**2 * batch / seconds(work, least) / 1e9


def bfloat16_is_fast() -> bool:
    """Whether bfloat16 convolutions beat float32 ones here; a quarter of a second, more where they are emulated."""
    if not torch.backends.mkldnn.is_available() or "AVX512" not in torch.backends.cpu.get_cpu_capability():
        return False  # emulated: up to 500 times slower (pytorch#146508), not worth timing
    return convolution_peak("bfloat16", 32, 14, 16, 0.1) > 1.1 * convolution_peak("float32", 32, 14, 16, 0.1)
