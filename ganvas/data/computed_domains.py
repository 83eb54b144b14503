"""Two domains from one collection: one half of its images as they are, the other half changed. No image is in both.

`edges:mnist` or `negatives:holiday/`: the change before the colon is applied to a random half, and the label is the domain.
Source: Liu & Tuzel 2016, arXiv:1606.07536 sec. 4 and its published code (edges: 3 x 3 dilation minus the image).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch

from ganvas.data.collection import DataSource, ImageCollection
from ganvas.data.levels import Bytes
from ganvas.errors import DataError
from ganvas.utils.seeds import mix


def extract_edges(pixels: Bytes) -> Bytes:
    """uint8 [..., C, H, W] -> for each channel, the maximum of the 3 x 3 neighbours of a pixel minus the pixel."""
    brightest = pixels
    for axis in (-2, -1):
        size = brightest.shape[axis]
        padded = np.pad(brightest, [(1, 1) if i == pixels.ndim + axis else (0, 0) for i in range(pixels.ndim)])
        brightest = np.maximum.reduce([padded.take(range(shift, shift + size), axis) for shift in range(3)])
    return brightest - pixels


def invert(pixels: Bytes) -> Bytes:
    """uint8 [..., C, H, W] -> inverted: black becomes white."""
    return ~pixels


def rotate_quarter(pixels: Bytes) -> Bytes:
    """uint8 [..., C, H, W] with H = W -> rotated by 90 degrees counter-clockwise."""
    return np.ascontiguousarray(np.rot90(pixels, axes=(-2, -1)))


CHANGES: Mapping[str, Callable[[Bytes], Bytes]] = {"edges": extract_edges, "negatives": invert, "turned": rotate_quarter}


def split_name(source: str) -> tuple[str, str]:
    """The change and its source: ("edges", "mnist") for `edges:mnist`, ("", source) for a source without a change.

    `filter:sketch:photos/` has the change "filter:sketch".
    """
    change, colon, inner = source.partition(":")
    if change == "filter" and ":" in inner:
        name, _, inner = inner.partition(":")
        return f"filter:{name}", inner
    return (change, inner) if colon and change in CHANGES else ("", source)


def require_both(change: str, labels: Sequence[int]) -> None:
    """Raises: DataError: a domain has no image."""
    if len(set(labels)) < 2:
        missing = change if 0 in labels else "plain"
        raise DataError(
            f"{change}: expected pictures in both halves, found {len(labels)}, none as {missing}; add more pictures"
        )


def split_domains(found: DataSource, change: str) -> DataSource:
    """The source as two domains, each a random half of it: unchanged, and changed after it was resized.

    Raises, when it is loaded:
        DataError: the source has points, or too few images for two domains.
    """

    def load() -> ImageCollection:
        pictures = found.load()
        if not isinstance(pictures, ImageCollection):
            raise DataError(f"{change}: expected pictures, found points; choose a source of pictures")
        count = len(pictures.names)
        order = torch.randperm(count, generator=torch.Generator().manual_seed(mix("domains"))).argsort()
        second = (order >= (count + 1) // 2).tolist()

        def last(i: int, pixels: Bytes) -> Bytes:
            return CHANGES[change](pictures.last(i, pixels)) if second[i] else pictures.last(i, pixels)

        layout = f"{pictures.layout}, half of them as {change}".removeprefix(", ")
        labels = [int(where) for where in second]
        require_both(change, labels)
        return replace(pictures, labels=labels, classes=("plain", change), last=last, layout=layout)

    return replace(found, identity=((f"{change} of a half", 0, 0), *found.identity), load=load)
