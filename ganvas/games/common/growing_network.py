"""GrowingNetwork: a network that gets further layers, for a higher resolution, during the run."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ganvas.core.host_number import HostNumber


class GrowingNetwork(nn.Module):
    """A network that grows with its buffer `level`: 0 at the lowest resolution, 1 more for each doubling."""

    level: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("level", torch.zeros(()))
        self.at = HostNumber()  # the level as a Python number: which layers run depends on it

    def read_level(self) -> float:
        """The level."""
        return self.at.read(self.level)

    def write_level(self, level: float) -> None:
        """Grow to `level`."""
        self.at.write(self.level, level)
