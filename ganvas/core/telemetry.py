"""Move all measured values of a step from the device to the host in one transfer."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor


def read_together(*groups: Mapping[str, Tensor]) -> list[dict[str, Tensor]]:
    """Groups of named tensors -> the same with every scalar as float32 on the CPU; all of them in one transfer.

    Other tensors do not change. `float(value)` of a scalar then does not wait for the device.
    """
    scalars = [(i, name, value) for i, group in enumerate(groups) for name, value in group.items() if value.numel() == 1]
    found: list[dict[str, Tensor]] = [dict(group) for group in groups]
    if not scalars:
        return found
    device = scalars[0][2].device
    # Scalars that are on the CPU go to the device first, which does not wait; only the transfer back does.
    together = torch.stack([value.detach().reshape(()).to(device, torch.float32) for _, _, value in scalars])
    for (i, name, _), value in zip(scalars, together.cpu().unbind(), strict=True):
        found[i][name] = value
    return found
