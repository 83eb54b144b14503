"""What only training remembers: a pool of old fakes, so that a discriminator is not led by the newest ones alone.

It is no part of the model: checkpoints hold it, a part for each rank, and the model file does not. A step that is not finite
leaves it as it was.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Uniform = Callable[..., Tensor]  # uniform(n, *shape) -> [n, *shape] in [0, 1)


class Memory:
    """A pool of up to `size` samples, in the place of which new ones come at random.

    Source: Shrivastava et al. 2017, arXiv:1612.07828 sec. 2.3; size 50 and a chance of one half: arXiv:1703.10593 sec. 4.
    Differs: the places that one batch may exchange are all different, so that nothing has to be read back from the device.
    """

    def __init__(self, size: int = 50) -> None:
        self.size, self.count = size, 0
        self.held: Tensor | None = None  # [size, ...], of which the first `count` are samples
        self.changes: list[tuple[Tensor | slice, Tensor, int]] = []  # places, what was there, count before: this step's

    @torch.no_grad()
    def exchange(self, fresh: Tensor, uniform: Uniform) -> Tensor:
        """fresh [N, ...] -> [N, ...]: while the pool fills they are kept and returned; then half of them are exchanged.

        A sample that is exchanged goes into the pool, and the older one from its place is returned instead.
        """
        fresh = fresh.detach()
        # Drawn at every call, whether the pool is full or not, so that no other draw of the step depends on that.
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
        if not late or room:  # what has just come in is not exchanged within the same batch
            return fresh
        rows = places[:late]
        old, swap = self.held[rows], (chance[:late] < 0.5).view(-1, *[1] * (fresh.ndim - 1))
        self.changes.append((rows, old, self.count))
        self.held[rows] = torch.where(swap, fresh[:late], old)
        return torch.cat([torch.where(swap, old, fresh[:late]), fresh[late:]])

    def keep(self) -> None:
        """The step was finite: what changed stays."""
        self.changes.clear()

    def undo(self) -> None:
        """The step was not finite: put back what was there before it."""
        for places, old, count in reversed(self.changes):
            if self.held is not None:
                self.held[places] = old
            self.count = count
        self.changes.clear()

    def dump(self) -> Tensor | None:
        """The samples [count, ...]; None while there are none."""
        return self.held[: self.count] if self.held is not None and self.count else None

    def restore(self, samples: Tensor | None, device: torch.device | str = "cpu") -> None:
        """Put dumped samples back; None empties the pool."""
        self.held, self.count, self.changes = None, 0, []
        if samples is not None:
            self.held = torch.zeros(self.size, *samples.shape[1:], dtype=samples.dtype, device=device)
            self.count = min(len(samples), self.size)
            self.held[: self.count] = samples[: self.count].to(device)
