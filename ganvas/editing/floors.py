"""The floor of an inversion: what error the model's own samples leave, and pictures of its data that it never saw."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ganvas.editing.inversion import invert
from ganvas.editing.latent_map import open_pictures
from ganvas.editing.search_ends import Watch
from ganvas.errors import GanvasError
from ganvas.inference.model import Model

# An error that is so many times that of held-out pictures (without them: of own samples), and so many levels, is far above.
TIMES_FLOOR, MANY_LEVELS = 3.0, 40.0
FLOORS = 3  # samples of the model, and held-out pictures of its data, that are inverted
FAR = 2**31  # the first of seeds that no search starts from; from 2**32 on PyTorch repeats them


def find_limit(own: float | None, held_out: float | None) -> float:
    """Errors above it are of pictures that the model can hardly make; infinity if no floor was measured."""
    floor = own if held_out is None else held_out
    return float("inf") if floor is None else max(TIMES_FLOOR * floor, MANY_LEVELS)


class Floors:
    """The pictures that are inverted to compare, and the errors so far: a page measures them one by one."""

    def __init__(self, model: Model) -> None:
        self.model = model
        samples = list(torch.cat([part for part, _ in model.stream(FLOORS, FAR)]))
        self.targets: list[Tensor] = samples  # own samples first, then held-out pictures if they are here
        self.errors: list[float] = []
        try:
            source, _ = open_pictures(model, None)
        except GanvasError:  # such as: a bundle from another machine
            return
        rows = torch.randperm(len(source), generator=torch.Generator().manual_seed(0))[:FLOORS]
        self.targets += list(source.samples(rows)["real"])

    @property
    def is_done(self) -> bool:
        """Whether all are measured."""
        return len(self.errors) == len(self.targets)

    def measure_one(self, watch: Watch, stop: Callable[[], bool], **search: Any) -> None:
        """Measure the next one; `search` as of `inversion.invert`. Where `stop()` is true it ends, and does not count."""

        def look(picture: Tensor) -> bool:
            return not stop() and watch(picture) is not False

        found = invert(self.model, self.targets[len(self.errors)][None], watch=look, **search)
        if not stop() and not found.stopped:
            self.errors.append(float(found.errors[0]))

    def measure(self, tell: Callable[[str], None], **search: Any) -> tuple[float | None, float | None]:
        """The medians over own samples and over held-out pictures; None: these are not here, or Ctrl-C came."""
        for number, target in enumerate(self.targets, 1):
            tell(f"to compare: picture {number} of {len(self.targets)} of the model and its data (none with --no-floor)")
            found = invert(self.model, target[None], **search)
            if found.stopped:
                return None, None
            self.errors.append(float(found.errors[0]))
        return self.read()

    def read(self) -> tuple[float, float | None]:
        """The medians so far, as `measure`."""
        own, held_out = torch.tensor(self.errors[:FLOORS]), torch.tensor(self.errors[FLOORS:])
        return float(own.median()), float(held_out.median()) if len(held_out) else None
