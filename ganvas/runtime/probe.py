"""Short speed tests of this machine: the time of a call, the peak of a convolution, the speed of bfloat16."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
import torch.nn.functional as F

from ganvas.runtime.device import has_bfloat16


def time_call(work: Callable[[], object], least: float = 0.3, rounds: int = 3) -> float:
    """The median time of one call of `work` in seconds, after a warm-up."""
    work()
    times: list[float] = []
    end = time.perf_counter() + least
    while len(times) < rounds or time.perf_counter() < end:
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return sorted(times)[len(times) // 2]


def measure_convolution_peak(
    precision: str, channels: int = 128, side: int = 16, batch: int = 64, least: float = 0.5, device: str = "cpu"
) -> float:
    """GFLOP/s of a 3x3 convolution, forward and backward, channels-last: the upper bound for a training step."""
    shape, dtype = (batch, channels, side, side), getattr(torch, precision)
    x, ahead = (_channels_last(*shape, dtype=dtype, device=device) for _ in range(2))
    weight = _channels_last(channels, channels, 3, 3, dtype=dtype, device=device).requires_grad_()
    x.requires_grad_()

    def work() -> None:
        torch.autograd.grad(F.conv2d(x, weight, padding=1), [x, weight], ahead)
        wait_for(device)

    return 3 * 2 * 9 * channels**2 * side**2 * batch / time_call(work, least) / 1e9


def _channels_last(*shape: int, dtype: torch.dtype, device: str) -> torch.Tensor:
    return torch.randn(*shape, dtype=dtype, device=device).to(memory_format=torch.channels_last)


def wait_for(device: str | torch.device) -> None:
    """Wait until the device has finished its work; returns at once for a CPU."""
    if torch.device(device).type != "cpu":
        torch.accelerator.synchronize(torch.device(device))


def bfloat16_is_fast(device: str = "cpu") -> bool:
    """Whether bfloat16 convolutions are faster than float32 ones on the device. Takes 0.25 s, more if they are emulated."""
    if device == "cpu":
        if not torch.backends.mkldnn.is_available() or "AVX512" not in torch.backends.cpu.get_cpu_capability():
            return False  # emulated: up to 500 times slower (pytorch#146508), not worth timing
        return measure_convolution_peak("bfloat16", 32, 14, 16, 0.1) > 1.1 * measure_convolution_peak(
            "float32", 32, 14, 16, 0.1
        )
    if not has_bfloat16(torch.device(device)):
        return False
    # Large enough to keep a GPU busy: otherwise both precisions take the time of a kernel launch.
    return measure_convolution_peak("bfloat16", 128, 32, 64, 0.1, device) > 1.1 * measure_convolution_peak(
        "float32", 128, 32, 64, 0.1, device
    )
