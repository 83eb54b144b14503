"""Translator: a generator from picture to picture, of any size: a U-Net that starts at half the side of the picture.

3x3 convolutions of 48 to 128 channels on 8 to 32 pixels are the fast ones on a CPU, and full resolution is touched only at the
start and at the end. Skips are added, not concatenated, which halves the channels. The features of each pixel are normalized
(arXiv:1710.10196 sec. 4.2), not those of a picture: a pixel depends only on the pixels within `Translator.reach`, so a large
picture can be computed in tiles, and none of them shows.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganvas.errors import UsageError
from ganvas.layers.channels import convert_channels
from ganvas.layers.initialization import grow_evenly, start_as_zero
from ganvas.layers.normalization import pixel_norm
from ganvas.layers.residual import Residual

MULTIPLE = 8  # the sides of a picture must be multiples of it
FINEST = 12  # channels at full resolution
BLOCKS = (1, 2, 3, 1, 1)  # residual blocks at a half, a quarter and an eighth of the side, and on the way back


def require_multiple(resolution: int, multiple: int = MULTIPLE, name: str = "config.resolution") -> None:
    """Raises: UsageError: a picture of this side, the setting `name`, cannot be halved often enough."""
    if resolution < multiple or resolution % multiple:
        raise UsageError(f"{name}: expected a multiple of {multiple}, got {resolution}; use 64")


class Translator(nn.Module):
    """image [N, inputs, H, W] -> image [N, outputs, H, W]; H and W are multiples of `MULTIPLE`.

    With `residual` the output is the input times a factor plus a change, both made for each pixel; at the start a copy. Where
    the factor is 0, nothing of the input is left: an area with shades becomes plain, which a change alone would have to undo
    shade by shade. It may leave [-1, 1] a little, because a clamp would have no gradient there. Else it ends with tanh.
    """

    def __init__(
        self, inputs: int, outputs: int, widths: tuple[int, int, int] = (48, 96, 128), *, residual: bool = True
    ) -> None:
        super().__init__()
        half, quarter, eighth = widths
        self.outputs, self.residual = outputs, residual
        stem = nn.Conv2d(4 * inputs, half, 3, 1, 1)
        self.encode_half = nn.Sequential(nn.PixelUnshuffle(2), stem, *_stack(half, BLOCKS[0]))
        self.encode_quarter = nn.Sequential(nn.Conv2d(half, quarter, 4, 2, 1), *_stack(quarter, BLOCKS[1]))
        self.encode_eighth = nn.Sequential(nn.Conv2d(quarter, eighth, 4, 2, 1), *_stack(eighth, BLOCKS[2]))
        # The 1x1 convolution comes first: it commutes with the interpolation, and works on a quarter of the pixels.
        self.up_quarter = nn.Sequential(nn.Conv2d(eighth, quarter, 1), nn.Upsample(scale_factor=2, mode="bilinear"))
        self.decode_quarter = nn.Sequential(*_stack(quarter, BLOCKS[3]))
        self.up_half = nn.Sequential(nn.Conv2d(quarter, half, 1), nn.Upsample(scale_factor=2, mode="bilinear"))
        self.decode_half = nn.Sequential(*_stack(half, BLOCKS[4]))
        # Not sub-pixels, whose grid a discriminator of few layers lets pass; the finest details are those of the input.
        self.up_full = nn.Sequential(nn.SiLU(), nn.Conv2d(half, FINEST, 3, 1, 1), nn.Upsample(scale_factor=2, mode="bilinear"))
        last = nn.Conv2d(FINEST, 2 * outputs if residual else outputs, 3, 1, 1)
        self.end = nn.Sequential(nn.SiLU(), nn.Conv2d(FINEST + inputs, FINEST, 3, 1, 1), nn.SiLU(), last)
        if residual:
            start_as_zero(last)

    @property
    def reach(self) -> int:
        """How far away the input pixels are, at most, that an output pixel depends on: in pixels along one axis."""
        first, second, third, fourth, last = BLOCKS
        convolutions = 2 * (2 * (first + last) + 2) + 4 * 2 * (second + fourth) + 8 * 2 * third
        steps = 2 * 2 + 2 * 4  # the two with stride 2, whose windows of four pixels reach two to one side
        return convolutions + steps + 2 + 4 + 8 + 2  # interpolation at a half, a quarter and an eighth; two at full resolution

    def forward(self, image: Tensor) -> Tensor:
        half = self.encode_half(image)
        quarter = self.encode_quarter(half)
        quarter = self.decode_quarter(quarter + self.up_quarter(self.encode_eighth(quarter)))
        full = self.up_full(self.decode_half(half + self.up_half(quarter)))
        made = self.end(torch.cat([pixel_norm(full), image.to(full.dtype)], 1))
        if not self.residual:
            return torch.tanh(made)
        factor, change = made.chunk(2, 1)
        output: Tensor = convert_channels(image, self.outputs) * F.relu(1 + factor.float()) + change
        return output


def make_end(width: int, outputs: int, finest: int = FINEST, *, zero: bool = False) -> nn.Sequential:
    """Features [N, width, h, w] -> [N, outputs, 2h, 2w]; with `zero` the result starts as zero.

    Sub-pixels with a convolution behind them, which wipes out their grid.
    """
    last = nn.Conv2d(finest, outputs, 3, 1, 1)
    if zero:
        start_as_zero(last)
    return nn.Sequential(nn.SiLU(), grow_evenly(width, finest, 2), nn.SiLU(), nn.PixelShuffle(2), last)


def _stack(width: int, count: int) -> list[nn.Module]:
    return [Residual(width, norm=True) for _ in range(count)]
