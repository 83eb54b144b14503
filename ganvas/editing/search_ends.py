"""What a search for a code has found so far, and how it is shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

Watch = Callable[[Tensor], object]  # gets the best picture [C, H, W] after each step; what returns False ends the search
Draw = Callable[[Tensor, Tensor], Tensor]  # codes [n, d], classes [n] -> pictures [n, C, H, W]


@dataclass
class Ends:
    """The ends of a search so far: codes [m, d], classes [m] or shares of them [m, k], pictures [m, P], squared errors [m]."""

    codes: Tensor
    c: Tensor
    pictures: Tensor
    errors: Tensor

    def best(self, count: int) -> Ends:
        """The `count` best ones."""
        rows = self.errors.argsort(stable=True)[:count]
        return Ends(self.codes[rows], self.c[rows], self.pictures[rows], self.errors[rows])

    def slice(self, first: int, last: int) -> Ends:
        """Those from `first` to before `last`."""
        return Ends(*(each[first:last] for each in (self.codes, self.c, self.pictures, self.errors)))


def join(ends: Sequence[Ends]) -> Ends:
    """All of these ends, in their order."""
    return Ends(*(torch.cat(each) for each in zip(*((x.codes, x.c, x.pictures, x.errors) for x in ends), strict=True)))


def better_of(one: Ends, other: Ends) -> Ends:
    """The better one of two single ends; of equal ones the first."""
    return other if other.errors[0] < one.errors[0] else one


Shows = Callable[[Ends], object]  # gets an end after each step; where it returns False, the search ends


@dataclass(frozen=True)
class Show:
    """Shows `watch` the best picture so far: that of this attempt, or of those before it."""

    watch: Watch
    best: Ends
    draw: Draw  # codes, classes -> pictures [n, C, H, W]

    def __call__(self, end: Ends) -> object:
        best = better_of(self.best, end)
        return self.watch(self.draw(best.codes, best.c)[0])
