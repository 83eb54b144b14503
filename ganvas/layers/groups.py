"""Groups: k-means, as a module. It knows the centers of groups of samples, and how large each group is."""

from __future__ import annotations

import torch
from torch import Tensor, nn

ROUNDS = 20
CHUNK = 4096  # samples compared at a time


class Groups(nn.Module):
    """x [N, ...] of `size` numbers each -> the number of the nearest center [N]."""

    centers: Tensor
    shares: Tensor

    def __init__(self, count: int, size: int) -> None:
        super().__init__()
        self.register_buffer("centers", torch.zeros(count, size))
        self.register_buffer("shares", torch.full((count,), 1 / count))

    @torch.no_grad()
    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            flat = x.flatten(1).float()
            # |x - c|^2 without |x|^2, which is the same for all centers.
            return (self.centers.square().sum(1) - 2 * flat @ self.centers.T).argmin(1)

    @torch.no_grad()
    def fit(self, data: Tensor, seed: int = 0) -> None:
        """Find the groups of data [N, ...] by Lloyd's algorithm; an empty group gets a sample.

        It starts from samples, or from the groups that were found before: those of other data move, and keep their meaning.
        """
        flat = data.flatten(1).float()
        generator = torch.Generator().manual_seed(seed)
        count = len(self.centers)
        order = torch.randperm(len(flat), generator=generator).to(flat.device)
        if not self.centers.any():
            self.centers.copy_(flat[order.repeat(-(-count // len(order)))[:count]])
        for _ in range(ROUNDS):
            group = torch.cat([self(part) for part in flat.split(CHUNK)])
            sizes = group.bincount(minlength=count)
            sums = torch.zeros_like(self.centers).index_add_(0, group, flat)
            found = sums / sizes.clamp(min=1)[:, None]
            spare = flat[torch.randint(len(flat), (count,), generator=generator).to(flat.device)]
            self.centers.copy_(torch.where((sizes > 0)[:, None], found, spare))
        group = torch.cat([self(part) for part in flat.split(CHUNK)])
        self.shares.copy_(group.bincount(minlength=count) / len(flat))

    def choose(self, z: Tensor) -> Tensor:
        """Standard normal z [N] -> a group for each [N], each group with the probability of its share."""
        position = torch.special.ndtr(z.float())
        # What torch.searchsorted finds; the exporter to ONNX does not know that function.
        before: Tensor = (self.shares.cumsum(0) < position[:, None]).sum(1)
        return before.clamp(max=len(self.shares) - 1)
