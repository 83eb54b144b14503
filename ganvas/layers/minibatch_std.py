"""Minibatch standard deviation: D gets the deviation within its batch, so it detects fakes of little variety."""

from __future__ import annotations

import torch
from torch import Tensor

GROUP = 4


def minibatch_std(x: Tensor, group: int = GROUP) -> Tensor:
    """[N, C, H, W] -> [N, C + 1, H, W]: one more map, with the mean over all features of the deviation within a group.

    A group is `group` consecutive samples, or the largest smaller number of samples that divides N. Reals and fakes must be
    separate batches. Source: arXiv:1710.10196 sec. 3.

    Differs: the published code puts samples i, i + N/group, i + 2 N/group, ... into a group, and needs N to be a multiple of
    the group. In a batch in random order any fixed grouping is the same.
    """
    n, _, height, width = x.shape
    size = next(size for size in range(min(group, n), 0, -1) if n % size == 0)
    grouped = x.float().unflatten(0, (n // size, size))
    # Not torch.var: over this dimension it takes ten times as long.
    mean = sum(grouped.unbind(1)) / size
    variance = sum((each - mean).square() for each in grouped.unbind(1)) / size
    spread = (variance + 1e-8).sqrt().mean((1, 2, 3))
    extra = spread.repeat_interleave(size).to(x.dtype).view(n, 1, 1, 1).expand(n, 1, height, width)
    return torch.cat([x, extra], 1)
