"""Move tensors for inference: inputs go to the device of the model, results come back to the CPU.

Call these through the module, as `placement.to_cpu(x)`: tests without an accelerator replace them there.
"""

from __future__ import annotations

import itertools
from typing import Any

import torch
from torch import Tensor, nn

CPU = torch.device("cpu")


def device_of(net: Any) -> torch.device:
    """The device of the weights of a network; the CPU for a function, and for a network without weights."""
    if not isinstance(net, nn.Module):
        return CPU
    first = next(itertools.chain(net.parameters(), net.buffers()), None)
    return CPU if first is None else first.device


def to_cpu(x: Tensor) -> Tensor:
    """x on the CPU, with the same dtype and shape. This waits for the device: call it once for each chunk."""
    return x.cpu()
