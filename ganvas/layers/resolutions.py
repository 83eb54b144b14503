"""The resolutions and channel widths of a convolutional network, from full size down to 4 to 7 pixels."""

from __future__ import annotations

from torch import nn

from ganvas.errors import UsageError

SMALLEST = range(4, 8)  # 28 -> 14 -> 7, 32 -> 16 -> 8 -> 4


def list_resolutions(resolution: int) -> list[int]:
    """The sides from `resolution`, halved down to 4 to 7 pixels: 28 -> [28, 14, 7], 32 -> [32, 16, 8, 4].

    Raises:
        UsageError: the side is not 4, 5, 6 or 7 times a power of two, or cannot be halved once.
    """
    found = [resolution]
    while found[-1] > max(SMALLEST) and found[-1] % 2 == 0:
        found.append(found[-1] // 2)
    if found[-1] not in SMALLEST or len(found) == 1:
        raise UsageError(f"resolution {resolution} cannot be halved down to 4-7 pixels; use 28, 32, 64 or 128")
    return found


def can_be_halved(resolution: int) -> bool:
    """Whether `list_resolutions` takes this side."""
    try:
        return bool(list_resolutions(resolution))
    except UsageError:
        return False


def list_widths(resolution: int, first: int, most: int) -> list[int]:
    """The channels at each resolution, from half the full one to the smallest: `first`, doubled each time up to `most`."""
    return [min(most, first * 2**level) for level in range(len(list_resolutions(resolution)) - 1)]


def subpixel_layers(width: int, channels: int) -> list[nn.Module]:
    """Sub-pixel convolution: layers from [N, width, H, W] to [N, channels, 2H, 2W], all of them at half the resolution.

    A 3x3 convolution with BatchNorm and ReLU, then one with four output channels for each pixel, and a pixel shuffle.
    Source: arXiv:1609.05158 eq. 4.
    """
    layers: list[nn.Module] = [nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
    return [*layers, nn.Conv2d(width, 4 * channels, 3, 1, 1), nn.PixelShuffle(2)]
