"""Residual: two convolutions beside their input. They start as zero, so that a deep stack of them starts as its input.

At most the features of each pixel are normalized: statistics over a picture would make a pixel depend on all others, and a
picture that is computed in tiles would show seams.
"""

from __future__ import annotations

from torch import Tensor, nn

from ganvas.layers.initialization import start_as_zero
from ganvas.layers.normalization import pixel_norm


class Residual(nn.Module):
    """x [N, C, H, W] -> [N, C, H, W]: x and two convolutions beside it, which start as zero.

    `dilation` is that of the first convolution: the distance in pixels between the places that it looks at. With `norm` the
    convolutions see x with the features of each pixel normalized.
    """

    def __init__(self, width: int, dilation: int = 1, *, norm: bool = False) -> None:
        super().__init__()
        self.norm = norm
        wide = nn.Conv2d(width, width, 3, 1, dilation, dilation)
        last = nn.Conv2d(width, width, 3, 1, 1)
        self.steps = nn.Sequential(nn.SiLU(), wide, nn.SiLU(), last)
        start_as_zero(last)

    def forward(self, x: Tensor) -> Tensor:
        both: Tensor = x + self.steps(pixel_norm(x) if self.norm else x)
        return both
