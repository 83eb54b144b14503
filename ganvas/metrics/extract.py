"""Images through a network: the features that the distances compare."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ganvas.errors import UsageError
from ganvas.metrics.inputs import finite, matrix, pictures, whole


@torch.no_grad()
def features(net: Callable[[Tensor], Tensor], images: Tensor, chunk: int = 500) -> Tensor:
    """images [N, C, H, W], bytes -> features [N, d], float64; net: float32 images [chunk, C, H, W] in [-1, 1] -> [chunk, d].

    Solids [N, C, D, H, W] go the same way.

    The network always sees `chunk` images, the last time filled up with copies of the last image: matrix products of
    another size may sum in another order, and so the features of an image would depend on how many are asked for.

    Raises:
        UsageError: no images, images that are not bytes, or features that are not [chunk, d] or hold a NaN.
    """
    images = finite(images, "solids") if images.ndim == 5 else pictures(images, "images")
    whole(chunk, "chunk", 1)
    if images.dtype != torch.uint8:
        raise UsageError(f"images: expected bytes, found {images.dtype}; round samples as the exporters do, with to_bytes")
    found = []
    for part in images.split(chunk):
        full = torch.cat([part, part[-1:].expand(chunk - len(part), *part.shape[1:])])
        seen = matrix(net(full.float() / 127.5 - 1), "features", 1)
        if len(seen) != chunk:
            raise UsageError(f"features: expected one row an image, [{chunk}, d], found {list(seen.shape)}; flatten per image")
        found.append(seen[: len(part)])
    return torch.cat(found)
