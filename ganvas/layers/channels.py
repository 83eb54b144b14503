"""Grey from color, and color from grey."""

from __future__ import annotations

from torch import Tensor


def convert_channels(image: Tensor, channels: int) -> Tensor:
    """image [N, C, H, W] -> [N, channels, H, W], of which one is 1: grey becomes color, or color becomes grey."""
    if image.shape[1] == channels:
        return image
    return image.expand(-1, channels, -1, -1) if image.shape[1] == 1 else image.mean(1, keepdim=True)
