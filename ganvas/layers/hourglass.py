"""Hourglass: features of a picture at half and at a quarter of its side, which know what is far away.

Source: Newell et al. 2016, arXiv:1603.06937, as in arXiv:2003.00196 (supplement A).

Differs: it starts at half of the side of the picture, skips are added instead of concatenated, residual blocks without
normalization over the batch.
"""

from __future__ import annotations

from torch import Tensor, nn

from ganvas.layers.residual import Residual


class Hourglass(nn.Module):
    """x [N, inputs, h, w] -> features [N, widths[0], h, w] and [N, widths[1], h/2, w/2]; h and w are multiples of 4."""

    def __init__(self, inputs: int, widths: tuple[int, int, int]) -> None:
        super().__init__()
        half, quarter, eighth = widths
        self.first = nn.Conv2d(inputs, half, 3, 1, 1)
        self.down = nn.Sequential(nn.SiLU(), nn.Conv2d(half, quarter, 4, 2, 1), Residual(quarter, norm=True))
        self.bottom = nn.Sequential(nn.SiLU(), nn.Conv2d(quarter, eighth, 4, 2, 1), Residual(eighth, norm=True))
        # The 1x1 convolution comes first: it commutes with the interpolation, and works on a quarter of the pixels.
        self.up = nn.Sequential(nn.Conv2d(eighth, quarter, 1), nn.Upsample(scale_factor=2, mode="bilinear"))
        self.middle = Residual(quarter, norm=True)
        self.up_again = nn.Sequential(nn.Conv2d(quarter, half, 1), nn.Upsample(scale_factor=2, mode="bilinear"))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        fine = self.first(x)
        coarse = self.down(fine)
        coarse = self.middle(coarse + self.up(self.bottom(coarse)))
        return fine + self.up_again(coarse), coarse
