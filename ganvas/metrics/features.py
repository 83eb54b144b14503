"""Extract features of images with a network; distances compare these features."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ganvas.errors import UsageError
from ganvas.metrics.checks import require_finite, require_images, require_integer, require_rows
from ganvas.runtime import placement


@torch.no_grad()
def extract_features(
    net: Callable[[Tensor], Tensor],
    images: Tensor,
    chunk: int = 500,
    *,
    fit: Callable[[Tensor], Tensor] | None = None,
    device: torch.device = placement.CPU,
    dtype: torch.dtype | None = torch.float64,
) -> Tensor:
    """images [N, C, H, W], bytes -> features [N, d], float64; net: float32 images [chunk, C, H, W] in [-1, 1] -> [chunk, d].

    `dtype` is that of the features; None: what the network computes. Large sets of float32 features need half the memory,
    and measures convert them to float64 a part at a time.

    Voxels [N, C, D, H, W] work too. `fit` converts bytes to the size and channels of the network, one chunk at a time: a
    whole set at 224 pixels would need gigabytes. The network computes on `device`; features come back to the CPU.

    The network always gets `chunk` images; the last chunk is padded with copies of the last image. Matrix products of another
    size may sum in another order, and then the features of an image would depend on the number of images.

    Raises:
        UsageError: no images, images that are not bytes, or features that are not [chunk, d] or hold a NaN.
    """
    images = require_finite(images, "voxels") if images.ndim == 5 else require_images(images, "images")
    require_integer(chunk, "chunk", 1)
    if images.dtype != torch.uint8:
        raise UsageError(f"images: expected bytes, found {images.dtype}; convert samples with to_bytes")
    found = torch.empty(0)
    for start, part in zip(range(0, len(images), chunk), images.split(chunk), strict=True):
        fitted = part if fit is None else fit(part)
        full = torch.cat([fitted, fitted[-1:].expand(chunk - len(fitted), *fitted.shape[1:])]).to(device)
        rows = require_rows(placement.to_cpu(net(full.float() / 127.5 - 1)), "features", 1)
        if len(rows) != chunk:
            raise UsageError(f"features: expected one row an image, [{chunk}, d], found {list(rows.shape)}; flatten per image")
        if not start:  # one tensor for all features: a list that is concatenated at the end needs twice the memory
            found = rows.new_empty(len(images), rows.shape[1], dtype=dtype)
        found[start : start + len(part)] = rows[: len(part)]
    return found
