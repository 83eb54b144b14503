"""Pixel agreement of generated pairs in two domains, where the second domain can be computed from the first (CoGAN)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ganvas.errors import UsageError

Bytes = NDArray[np.uint8]


def pixel_agreement(first: Tensor, second: Tensor, change: Callable[[Bytes], Bytes]) -> Tensor:
    """uint8 images [N, C, H, W] of two domains -> the share of pixels that agree, for each pair [N], float64.

    `change`, a function of bytes [N, C, H, W], converts the first image to the second domain; two pixels agree if both are
    brighter than mid-grey, or neither is.

    Raises:
        UsageError: images of two shapes, or no bytes.

    Source: arXiv:1606.07536 sec. 4, "ratios of agreed pixels"; the paper does not say when pixels agree.
    """
    if first.shape != second.shape or first.dtype != torch.uint8 or second.dtype != torch.uint8:
        found = f"{first.dtype} {list(first.shape)} and {second.dtype} {list(second.shape)}"
        raise UsageError(f"agreement: expected bytes of one shape, found {found}")
    made = torch.from_numpy(change(first.contiguous().numpy()))
    return ((made > 127) == (second > 127)).flatten(1).double().mean(1)
