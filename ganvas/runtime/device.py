"""Devices: CPU cores, the GPU of each rank, bfloat16 support, and a description of this machine.

Precision and memory format are chosen by timing (engine/autotune.py), not by a flag alone: bfloat16 is twice as fast on one
processor and five hundred times slower on another.
"""

from __future__ import annotations

import functools
import os
import platform
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from ganvas.errors import ResourceError, UsageError
from ganvas.runtime.plan import Plan
from ganvas.utils.parsing import parse_index, printable

DEVICES = ("cpu", "cuda")  # kinds on which training is tested
OTHERS = ("mps", "xpu")  # kinds that are offered if a small training step works


def available_cores() -> list[int]:
    """The processor cores this process may use."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count() or 1))


def pin(chosen: list[int]) -> None:
    """Bind this process to the `chosen` cores, if the system can (Linux)."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, chosen)


def max_threads() -> int:
    """How many threads one process should have: one for each core, or fewer if OMP_NUM_THREADS says so."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return min(len(available_cores()), parse_index(asked) or len(available_cores()))


def list_device_kinds() -> tuple[str, ...]:
    """The kinds of device to offer: cpu, cuda, and others that this machine has."""
    return DEVICES + tuple(kind for kind in OTHERS if getattr(getattr(torch, kind, None), "is_available", bool)())


def find_device(name: str) -> torch.device:
    """The device `name`, with an index only if `name` has one; "auto" is a GPU if there is one, else the CPU.

    Raises:
        UsageError: no kind of device has this name.
        ResourceError: this machine has no such device, or it cannot run a training step.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    kind = name.partition(":")[0]
    if kind not in DEVICES + OTHERS:
        near = "; did you mean 'cuda'?" if kind.lower() in ("gpu", "nvidia") else ""
        raise UsageError(f"unknown device {name!r}{near} (known: auto, {', '.join(list_device_kinds())})")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
        if kind == "cpu" and device.index:  # PyTorch takes any index
            raise RuntimeError("there is one CPU device: cpu")
        if kind in OTHERS:
            _try_training(device)
    except (RuntimeError, AssertionError, NotImplementedError, TypeError) as missing:
        reason = (str(missing).splitlines() or [type(missing).__name__])[0].partition(". ")[0]  # PyTorch lists all backends
        raise ResourceError(f"device {name!r} is not available ({reason}); use --device cpu") from None
    return device


def _try_training(device: torch.device) -> None:
    """One small training step. Raises: RuntimeError, NotImplementedError, TypeError: the device cannot run it."""
    layers = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.LeakyReLU(0.2, inplace=True))
    layers.to(device)
    optimizer = torch.optim.Adam(layers.parameters(), fused=True)
    layers(torch.randn(2, 1, 8, 8, device=device)).square().mean().backward()
    optimizer.step()
    torch.zeros(1, device=device, dtype=torch.float64)  # text games compute logarithms in float64


def local_rank() -> int:
    """The number of this rank on its machine, as torchrun or `launch` set it; 0 for a single process."""
    return read_count("LOCAL_RANK", 0)


def read_count(variable: str, default: int) -> int:
    """The number in an environment variable of torchrun. Raises: UsageError: it is something else."""
    text = os.environ.get(variable, "")
    number = parse_index(text) if text else default
    if number is None:
        raise UsageError(f"the environment variable {variable}: expected a number, found {printable(text, 60)!r}; unset it")
    return number


def place_on_rank(plan: Plan) -> Plan:
    """The plan with the GPU of this rank, `cuda:LOCAL_RANK`, instead of "cuda". Ranks share GPUs if there are fewer GPUs."""
    device = torch.device(plan.device)
    if device.type != "cuda" or device.index is not None:
        return plan
    return replace(plan, device=f"cuda:{local_rank() % max(1, torch.cuda.device_count())}")


def has_bfloat16(device: torch.device) -> bool:
    """Whether a GPU has bfloat16 in hardware. Older cards (V100, T4, RTX 20) emulate it, which is slower than float32."""
    return device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)


@functools.cache  # read once: later this process may be bound to one core
def describe_runtime() -> dict[str, Any]:
    """The software and hardware of this process, for the env.json of a run."""
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "processor": processor_name(),
        "cores": len(available_cores()),
        "capability": torch.backends.cpu.get_cpu_capability(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
    }


def processor_name() -> str:
    """The name of the processor, from the operating system."""
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []:
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
