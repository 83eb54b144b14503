"""Redraw: draws a picture again at twice the side, by a network that comes with ganvas. It learned from clean pictures.

A generator that is trained for minutes leaves specks, broken lines and dents in its pictures. This network turns a picture into
codes of 4x4 pixels, which hardly have room for such faults, and draws from the codes what clean pictures look like. It was
trained by `tools/train_redraw.py`; layers/networks/README.md says on what, and how well it does.
"""

from __future__ import annotations

from pathlib import Path

from torch import Tensor, nn

from ganvas.layers.residual import Residual
from ganvas.utils.shipped_weights import read_shipped_weights

FILE = Path(__file__).parent / "networks" / "redraw.safetensors"
SHA256 = "1abdded5024ee1e10ae4f106c8415aad2a7e85a251cb90bf94e3c43471cd06e2"
CODE_PIXELS = 4  # the sides must be multiples of it
CODES = 24  # numbers of the code of 4x4 pixels
WIDTHS = (48, 64, 96)  # channels at the side of the input, at a half and at a quarter of it
FINEST = 12  # channels at twice the side


def _up(inputs: int, outputs: int) -> list[nn.Module]:
    wider = nn.Upsample(scale_factor=2, mode="bilinear")
    return [nn.Conv2d(inputs, outputs, 1), wider, Residual(outputs), Residual(outputs)]


class Redraw(nn.Module):
    """image [N, 3 or 1, H, W] in [-1, 1] -> [N, 3 or 1, 2H, 2W]; H and W are multiples of `CODE_PIXELS`."""

    def __init__(self) -> None:
        super().__init__()
        fine, half, quarter = WIDTHS
        start = [nn.Conv2d(3, fine, 3, 1, 1), Residual(fine), nn.Conv2d(fine, half, 4, 2, 1), Residual(half)]
        self.encode = nn.Sequential(*start, nn.Conv2d(half, quarter, 4, 2, 1), nn.SiLU(), nn.Conv2d(quarter, CODES, 3, 1, 1))
        deep = [nn.Conv2d(CODES, quarter, 3, 1, 1), Residual(quarter), Residual(quarter)]
        # Sub-pixels with a convolution behind them, which wipes out their grid.
        end = [nn.SiLU(), nn.Conv2d(fine, 4 * FINEST, 3, 1, 1), nn.SiLU(), nn.PixelShuffle(2), nn.Conv2d(FINEST, 3, 3, 1, 1)]
        self.decode = nn.Sequential(*deep, *_up(quarter, half), *_up(half, fine), *end, nn.Tanh())

    def forward(self, image: Tensor) -> Tensor:
        drawn: Tensor = self.decode(self.encode(image.expand(-1, 3, -1, -1)))
        return drawn if image.shape[1] == 3 else drawn.mean(1, keepdim=True)


def load_redraw() -> Redraw:
    """The network that comes with ganvas; its weights do not learn. Built without memory (on `meta`) it has no weights yet.

    Raises:
        DataError: its file is missing or damaged.
    """
    network = Redraw()
    if not network.decode[0].weight.is_meta:  # else a bundle brings the weights
        network.load_state_dict(read_shipped_weights(FILE, SHA256))
    return network.requires_grad_(False).eval()
