"""Connected components of voxel shapes: the share of a shape that is in its largest component."""

from __future__ import annotations

import torch
from torch import Tensor

from ganvas.errors import UsageError


def largest_component(solids: Tensor) -> Tensor:
    """bool [N, D, H, W] -> the share of the voxels of each shape in its largest component [N], float64; 0 if it is empty.

    Voxels are connected through faces. Every filled voxel starts with its own number; then neighbours take the smallest
    number among them until nothing changes. A component is one number.

    Raises:
        UsageError: another type or other dimensions.
    """
    if solids.dtype != torch.bool or solids.ndim != 4:
        raise UsageError(f"solids: expected bool [N, D, H, W], found {solids.dtype} {list(solids.shape)}")
    if not len(solids):
        return torch.zeros(0, dtype=torch.float64)
    filled = solids.flatten().nonzero().squeeze(1)
    place = torch.full((solids.numel(),), -1).index_put((filled,), torch.arange(len(filled))).view(solids.shape)
    meets = []
    for axis in (1, 2, 3):
        one, other = place.narrow(axis, 0, place.shape[axis] - 1), place.narrow(axis, 1, place.shape[axis] - 1)
        touch = (one >= 0) & (other >= 0)
        meets.append(torch.stack([one[touch], other[touch]]))
    a, b = torch.cat(meets, 1)
    name = torch.arange(len(filled))
    while True:
        least = torch.minimum(name[a], name[b])
        agreed = name
        for who in (a, b, name[a], name[b]):
            agreed = agreed.scatter_reduce(0, who, least, "amin")
        agreed = agreed[agreed]
        if torch.equal(agreed, name):
            break
        name = agreed
    sizes = torch.bincount(name, minlength=len(filled)).double()
    owner = filled // solids[0].numel()
    largest = torch.zeros(len(solids), dtype=torch.float64).scatter_reduce(0, owner, sizes[: len(filled)], "amax")
    return largest / solids.flatten(1).sum(1).clamp(min=1)
