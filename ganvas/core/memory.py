"""A pool of older fakes (replay buffer): D learns from fakes of earlier steps too, not only from the newest ones.

It is state of training, not of the model: it is in checkpoints, one part for each rank, and not in the model file. A step
that is not finite does not change it.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Uniform = Callable[..., Tensor]  # uniform(n, *shape) -> [n, *shape] in [0, 1)


class Memory:
    """A pool of up to `size` samples; new samples replace random older ones.

    Source: Shrivastava et al. 2017, arXiv:1612.07828 sec. 2.3; size 50 and a chance of one half: arXiv:1703.10593 sec. 4.
    Differs: the places that one batch may exchange are all different, so that nothing is read back from the device.
    """

    def __init__(self, size: int = 50) -> None:
        self.size, self.count = size, 0
        self.held: Tensor | None = None  # [size, ...], of which the first `count` are samples
        self.changes: list[tuple[Tensor | slice, Tensor, int]] = []  # of this step: places, old contents, old count

    @torch.no_grad()
    def exchange(self, fresh: Tensor, uniform: Uniform) -> Tensor:
        """fresh [N, ...] -> [N, ...]: until the pool is full they are stored and returned; then half of them are exchanged.

        An exchanged sample goes into the pool, and the older one from its place is returned instead.
        """
        fresh = fresh.detach()
        # Random numbers are drawn in every call, so that later draws of the step do not depend on whether the pool is full.
        chance, places = uniform(len(fresh)), uniform(self.size).argsort()
        if self.held is None:
            self.held = fresh.new_zeros(self.size, *fresh.shape[1:])
        room = min(len(fresh), self.size - self.count)
        if room:
            kept = slice(self.count, self.count + room)
            self.changes.append((kept, self.held[kept].clone(), self.count))
            self.held[kept] = fresh[:room]
            self.count += room
        late = min(len(fresh) - room, self.size)
        if not late or room:  # samples stored just now are not exchanged within the same batch
            return fresh
        rows = places[:late]
        old, swap = self.held[rows], (chance[:late] < 0.5).view(-1, *[1] * (fresh.ndim - 1))
        self.changes.append((rows, old, self.count))
        self.held[rows] = torch.where(swap, fresh[:late], old)
        return torch.cat([torch.where(swap, old, fresh[:late]), fresh[late:]])

    def keep(self) -> None:
        """Accept the changes of this step: it was finite."""
        self.changes.clear()

    def undo(self) -> None:
        """Undo the changes of this step: it was not finite."""
        for places, old, count in reversed(self.changes):
            if self.held is not None:
                self.held[places] = old
            self.count = count
        self.changes.clear()

    def dump(self) -> Tensor | None:
        """The samples [count, ...]; None if the pool is empty."""
        return self.held[: self.count] if self.held is not None and self.count else None

    def restore(self, samples: Tensor | None, device: torch.device | str = "cpu") -> None:
        """Restore samples from `dump`; None empties the pool."""
        self.held, self.count, self.changes = None, 0, []
        if samples is not None:
            self.held = torch.zeros(self.size, *samples.shape[1:], dtype=samples.dtype, device=device)
            self.count = min(len(samples), self.size)
            self.held[: self.count] = samples[: self.count].to(device)
