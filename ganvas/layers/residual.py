"""Residual: two convolutions beside their input. They start as zero, so that a deep stack of them starts as its input.

There is no normalization: statistics over a picture would make a pixel depend on all others, and a picture that is computed in
tiles would show seams.
"""

from __future__ import annotations

from torch import Tensor, nn


class Residual(nn.Module):
    """x [N, C, H, W] -> [N, C, H, W]: x and two convolutions beside it, which start as zero.

    `dilation` is that of the first convolution: the distance in pixels between the places that it looks at.
    """

    def __init__(self, width: int, dilation: int = 1) -> None:
        super().__init__()
        wide = nn.Conv2d(width, width, 3, 1, dilation, dilation)
        self.steps = nn.Sequential(nn.SiLU(), wide, nn.SiLU(), nn.Conv2d(width, width, 3, 1, 1))
        nn.init.zeros_(self.steps[-1].weight)  # type: ignore[arg-type]
        nn.init.zeros_(self.steps[-1].bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        both: Tensor = x + self.steps(x)
        return both
