"""PictureNetwork: a small network for color pictures of 64 pixels. It comes with ganvas and needs no other package.

Its features measure samples (the extractor `pictures`), and a discriminator can look at pictures through its maps. It was
trained by `tools/train_picture_network.py`; metrics/networks/README.md says on what, and how well it does.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from ganvas.utils.shipped_weights import read_shipped_weights

FILE = Path(__file__).parent / "networks" / "pictures.safetensors"
SHA256 = "2440473a5bcc3b42b3e1414789e2346f9a5bf2585a85824c179c02130d1379ec"
SIDE = 64  # pixels of the pictures it was trained on; any multiple of 32 works
WIDTHS = (64, 96, 128, 160)  # channels of the maps at a half, a quarter, an eighth and a sixteenth of the side


class Residual(nn.Module):
    """x [N, C, H, W] -> [N, C, H, W]: x and two convolutions beside it."""

    def __init__(self, width: int, norm: Callable[[int], nn.Module]) -> None:
        super().__init__()
        self.steps = nn.Sequential(
            nn.Conv2d(width, width, 3, 1, 1), norm(width), nn.ReLU(), nn.Conv2d(width, width, 3, 1, 1), norm(width)
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.steps(x))


class PictureNetwork(nn.Module):
    """image [N, 3, H, W] in [-1, 1] -> features [N, 160], the mean over its last map.

    `norm` makes a normalization for a number of channels. The network that comes with ganvas has none: those of its training
    are multiplied into the convolutions.
    """

    def __init__(self, norm: Callable[[int], nn.Module] = lambda _: nn.Identity()) -> None:
        super().__init__()

        def convolve(inputs: int, outputs: int, stride: int) -> list[nn.Module]:
            return [nn.Conv2d(inputs, outputs, 3, stride, 1), norm(outputs), nn.ReLU()]

        stages = [nn.Sequential(nn.PixelUnshuffle(2), *convolve(12, WIDTHS[0], 1), Residual(WIDTHS[0], norm))]
        for before, after in itertools.pairwise(WIDTHS):
            rest = [Residual(after, norm)] if after <= 96 else convolve(after, after, 1)
            stages.append(nn.Sequential(*convolve(before, after, 2), *rest))
        self.stages = nn.ModuleList(stages)

    def maps(self, image: Tensor) -> list[Tensor]:
        """image [N, 3, H, W] in [-1, 1] -> maps [N, 64, H/2, W/2], [N, 96, H/4, W/4], [N, 128, H/8, W/8] and
        [N, 160, H/16, W/16]."""
        found, x = [], image
        for stage in self.stages:
            x = stage(x)
            found.append(x)
        return found

    def forward(self, image: Tensor) -> Tensor:
        return self.maps(image)[-1].mean((2, 3))


def load_picture_network() -> PictureNetwork:
    """The network that comes with ganvas; its weights do not learn.

    Raises:
        DataError: its file is missing or damaged.
    """
    network = PictureNetwork()
    network.load_state_dict(read_shipped_weights(FILE, SHA256))
    return network.requires_grad_(False).eval()
