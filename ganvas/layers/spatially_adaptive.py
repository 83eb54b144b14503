"""Spatially-adaptive modulation (SPADE): a label map decides at each place how strong each feature is.

Source: Park et al. 2019, arXiv:1903.07291 eq. 1, sec. 3.

Differs: the features of each pixel are normalized (`pixel_norm`), not the batch or the picture: a map of another size is then
painted alike, and a place does not depend on what is far away. Scale and shift are 1x1 convolutions of features
of the map that all layers of one resolution share, which takes an eighth of the time.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganvas.layers.normalization import pixel_norm

SLOPE = 0.2  # of the leaky ReLU
WAVES, LONGEST = 32, 64  # how many, and the largest wavelength in pixels
GOLDEN = math.pi * (3 - math.sqrt(5))  # the golden angle
PHASES = math.pi  # the phase in radians for each unit of what the noise is mapped to


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


class Waves(nn.Module):
    """z [N, noise_dim] -> x [N, channels, h, w] of any size: mixed waves of fixed frequencies, whose phases z decides.

    Where a map has one class for many pixels, a convolutional network has nothing to draw a texture from: it would show its own
    grid. `stride` is the distance of two pixels of x in pixels of the picture, which is the unit of the wavelengths: from four
    times the stride to `LONGEST`. Source: Fourier features, Karras et al. 2021 (StyleGAN3), arXiv:2106.12423 sec. 3.1.
    """

    angles: Tensor

    def __init__(self, noise_dim: int, channels: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        lengths = torch.logspace(math.log2(4 * stride), math.log2(LONGEST), WAVES, 2)
        turns = GOLDEN * torch.arange(WAVES)  # directions that differ as much as possible, of neighbors too
        self.register_buffer("angles", 2 * math.pi / lengths * torch.stack([turns.sin(), turns.cos()]))
        self.phases = nn.Linear(noise_dim, WAVES)
        self.mix = nn.Conv2d(WAVES, channels, 1)

    def forward(self, z: Tensor, size: tuple[int, int]) -> Tensor:
        down, right = (self.stride * torch.arange(length, device=z.device) for length in size)
        with torch.autocast(z.device.type, enabled=False):  # bfloat16 would not know where it is in a long picture
            place = self.angles[0][:, None, None] * down[:, None] + self.angles[1][:, None, None] * right
            waves = torch.cos(place + PHASES * self.phases(z.float())[:, :, None, None])
        mixed: Tensor = self.mix(waves)
        return mixed


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
