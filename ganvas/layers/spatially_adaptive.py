"""Spatially-adaptive modulation (SPADE): a label map decides at each place how strong each feature is.

Source: Park et al. 2019, arXiv:1903.07291 eq. 1, sec. 3.

Differs: the features of each pixel are normalized (`pixel_norm`), not the batch or the picture: a map of another size is then
painted alike, and a place does not depend on what is far away. Scale and shift are 1x1 convolutions of features
of the map that all layers of one resolution share, which takes an eighth of the time.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganvas.layers.normalization import pixel_norm

SLOPE = 0.2  # of the leaky ReLU


def encode_map(numbers: Tensor, classes: int) -> Tensor:
    """Class numbers int64 [N, H, W] -> one-hots [N, classes, H, W]; zeros where the class is not known (255)."""
    every = torch.arange(classes, device=numbers.device).view(1, -1, 1, 1)
    return (numbers[:, None] == every).float()


class Modulation(nn.Module):
    """x [N, C, h, w], features of the map [N, M, h, w] -> normalized x times (1 + scale) plus shift. Source: eq. 1.

    Without a map (`map_width` 0) x is only normalized.
    """

    def __init__(self, channels: int, map_width: int) -> None:
        super().__init__()
        self.both = nn.Conv2d(map_width, 2 * channels, 1) if map_width else None

    def forward(self, x: Tensor, features: Tensor) -> Tensor:
        normal = pixel_norm(x)
        if self.both is None:
            return normal
        scale, shift = self.both(features).chunk(2, 1)
        return torch.addcmul(shift, normal, 1 + scale)


class ModulatedBlock(nn.Module):
    """x [N, I, h, w], features of the map -> [N, O, h, w]: two modulated 3x3 convolutions beside x. Source: figure 4."""

    def __init__(self, inputs: int, outputs: int, map_width: int) -> None:
        super().__init__()
        self.first, self.second = Modulation(inputs, map_width), Modulation(outputs, map_width)
        self.mix, self.again = nn.Conv2d(inputs, outputs, 3, 1, 1), nn.Conv2d(outputs, outputs, 3, 1, 1)
        self.direct = nn.Conv2d(inputs, outputs, 1, bias=False) if inputs != outputs else nn.Identity()

    def forward(self, x: Tensor, features: Tensor) -> Tensor:
        changed = self.mix(F.leaky_relu(self.first(x, features), SLOPE))
        both: Tensor = self.direct(x) + self.again(F.leaky_relu(self.second(changed, features), SLOPE))
        return both
