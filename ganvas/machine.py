"""What this machine can do, and how a run's steps are executed on it.

Precision and memory format are chosen by timing, never by a flag alone: bfloat16 is twice as fast on one processor and
five hundred times slower on another.
"""

from __future__ import annotations

import ctypes
import functools
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F

from ganvas.errors import ResourceError, UsageError

DEVICES = ("cpu", "cuda")  # kinds that training is known to work on
OTHERS = ("mps", "xpu")  # kinds that are offered where they can train
# glibc's mallopt options (malloc.h) and their values in bytes. By default glibc gives freed memory back to the kernel, and
# each step then pays about a thousand page faults to get the same memory again.
MALLOC_OPTIONS = ((-1, 1 << 30), (-2, 256 << 20), (-3, 1 << 30))  # M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD

# What decides the bits of a GPU; env.json records it. Batches keep their size, so that cuDNN's search for the fastest
# algorithm pays at once. The next process may find another one: on a GPU a resumed run is equal within a tolerance, not bit
# for bit. float32 means float32: a card that has TF32 has bfloat16 too, which `--precision auto` takes.
GPU_SETTINGS = {"cudnn_benchmark": True, "tf32": False}


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How steps are executed. Chosen once, when a run begins, and kept by resume: it decides the last bits.

    `device` is "cpu", or "cuda" for the GPU of each rank; an index as in "cuda:1" puts all ranks on that GPU.
    A field added later has the value of older runs as its default.
    """

    device: str = "cpu"
    precision: str = "float32"
    channels_last: bool = True
    ranks: int = 1
    threads: int = 1  # of each rank
    sync_batch_norm: bool = False  # BatchNorm over the batch of all ranks, not of each rank alone

    @property
    def autocast(self) -> bool:
        """Whether forward passes run in bfloat16."""
        return self.precision == "bfloat16"


def cores() -> list[int]:
    """The processor cores this process may use."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count() or 1))


def pin(chosen: list[int]) -> None:
    """Keep this process on the `chosen` cores, where the system can (Linux)."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, chosen)


def most_threads() -> int:
    """How many threads one process should run: a core each, or fewer where OMP_NUM_THREADS says so."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return min(len(cores()), int(asked)) if asked.isdigit() and int(asked) else len(cores())


def device_kinds() -> tuple[str, ...]:
    """The kinds of device to offer: cpu, cuda, and what else this machine has."""
    return DEVICES + tuple(kind for kind in OTHERS if getattr(getattr(torch, kind, None), "is_available", bool)())


def device_named(name: str) -> torch.device:
    """The device called `name`, without an index where `name` has none; "auto" is a GPU if there is one, else the CPU.

    Raises:
        UsageError: no kind of device has this name.
        ResourceError: this machine has no such device, or it cannot run a training step.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    kind = name.partition(":")[0]
    if kind not in DEVICES + OTHERS:
        near = "; did you mean 'cuda'?" if kind.lower() in ("gpu", "nvidia") else ""
        raise UsageError(f"unknown device {name!r}{near} (known: auto, {', '.join(device_kinds())})")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
        if kind in OTHERS:
            _try_training(device)
    except (RuntimeError, AssertionError, NotImplementedError, TypeError) as missing:
        reason = (str(missing).splitlines() or [type(missing).__name__])[0]
        raise ResourceError(f"device {name!r} is not available ({reason}); use --device cpu") from None
    return device


def _try_training(device: torch.device) -> None:
    """One small step of what every game needs. Raises: RuntimeError, NotImplementedError, TypeError: it cannot run here."""
    layers = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.LeakyReLU(0.2, inplace=True))
    layers.to(device)
    optimizer = torch.optim.Adam(layers.parameters(), fused=True)
    layers(torch.randn(2, 1, 8, 8, device=device)).square().mean().backward()
    optimizer.step()
    torch.zeros(1, device=device, dtype=torch.float64)  # the games of text take a logarithm in it


def local_rank() -> int:
    """The number of this rank on its machine, as torchrun or `launch` set it; 0 for a process alone."""
    return int(os.environ.get("LOCAL_RANK", "0"))


def on_this_rank(plan: Plan) -> Plan:
    """The plan with this rank's own GPU in the place of "cuda": `cuda:LOCAL_RANK`. Ranks share the GPUs if there are fewer."""
    device = torch.device(plan.device)
    if device.type != "cuda" or device.index is not None:
        return plan
    return replace(plan, device=f"cuda:{local_rank() % max(1, torch.cuda.device_count())}")


def has_bfloat16(device: torch.device) -> bool:
    """Whether a GPU computes in bfloat16 itself. Older cards (V100, T4, RTX 20) emulate it, slower than float32."""
    return device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)


def settle(plan: Plan, rank: int = 0) -> None:
    """Make this process follow the plan: its threads, its GPU, and one core of its own if each rank has one thread."""
    keep_freed_memory()
    torch.set_num_threads(plan.threads)
    torch.set_flush_denormal(True)
    available = cores()
    if plan.device == "cpu" and plan.ranks > 1 and plan.threads == 1 and plan.ranks <= len(available):
        pin([available[rank]])
    device = torch.device(on_this_rank(plan).device)
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
def settings_restored() -> Iterator[None]:
    """This process's cores and number of threads as they were before, whatever `settle` changes meanwhile."""
    available, count = cores(), torch.get_num_threads()
    try:
        yield
    finally:
        pin(available)
        torch.set_num_threads(count)


@functools.cache  # asked once: later this process may be pinned to one core
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


def convolution_peak(
    precision: str, channels: int = 128, side: int = 16, batch: int = 64, least: float = 0.5, device: str = "cpu"
) -> float:
    """GFLOP/s of a 3x3 convolution, forward and backward, channels-last: what a training step could reach at best."""
    shape, dtype = (batch, channels, side, side), getattr(torch, precision)
    x, ahead = (_channels_last(*shape, dtype=dtype, device=device) for _ in range(2))
    weight = _channels_last(channels, channels, 3, 3, dtype=dtype, device=device).requires_grad_()
    x.requires_grad_()

    def work() -> None:
        torch.autograd.grad(F.conv2d(x, weight, padding=1), [x, weight], ahead)
        wait_for(device)

    return 3 * 2 * 9 * channels**2 * side**2 * batch / seconds(work, least) / 1e9


def _channels_last(*shape: int, dtype: torch.dtype, device: str) -> torch.Tensor:
    return torch.randn(*shape, dtype=dtype, device=device).to(memory_format=torch.channels_last)


def wait_for(device: str | torch.device) -> None:
    """Return when the device has done all that it was given; a CPU always has."""
    if torch.device(device).type != "cpu":
        torch.accelerator.synchronize(torch.device(device))


def bfloat16_is_fast(device: str = "cpu") -> bool:
    """Whether bfloat16 convolutions beat float32 ones on the device; a quarter of a second, more where they are emulated."""
    if device == "cpu":
        if not torch.backends.mkldnn.is_available() or "AVX512" not in torch.backends.cpu.get_cpu_capability():
            return False  # emulated: up to 500 times slower (pytorch#146508), not worth timing
        return convolution_peak("bfloat16", 32, 14, 16, 0.1) > 1.1 * convolution_peak("float32", 32, 14, 16, 0.1)
    if not has_bfloat16(torch.device(device)):
        return False
    # Large enough to keep a GPU busy: else both precisions take the time of starting a kernel.
    return convolution_peak("bfloat16", 128, 32, 64, 0.1, device) > 1.1 * convolution_peak("float32", 128, 32, 64, 0.1, device)
