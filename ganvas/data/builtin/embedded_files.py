"""Files of data that come with the package, and their pictures as tables. See embedded/README.md for sources and licences."""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch
from torch import Tensor

from ganvas.errors import DataError, UsageError
from ganvas.metrics.resize import resize

FOLDER = Path(__file__).parent / "embedded"
GREY = (19595, 38470, 7471)  # of 65,536: the weights of Pillow's grey


def read_embedded(name: str, sha256: str) -> bytes:
    """A file of `FOLDER`.

    Raises:
        DataError: the file is missing, or is not the shipped one.
    """
    try:
        content = (FOLDER / name).read_bytes()
    except OSError as error:
        raise DataError(f"{FOLDER / name}: {error.strerror}; install ganvas again") from None
    if hashlib.sha256(content).hexdigest() != sha256:
        raise DataError(f"{FOLDER / name}: its SHA-256 is not {sha256}; install ganvas again")
    return content


def fit_pictures(pictures: Tensor, resolution: int, channels: int | None) -> Tensor:
    """uint8 [N, 3, H, W] with H = W -> [N, channels or 3, resolution, resolution].

    Raises:
        UsageError: another number of channels than 1 or 3.
    """
    if channels not in (None, 1, 3):
        raise UsageError(f"channels {channels}: expected 1 (grey) or 3 (color)")
    if pictures.shape[-1] != resolution:
        pictures = resize(pictures, resolution)
    if channels != 1:
        return pictures
    red, green, blue = (part.int() for part in pictures.split(1, 1))
    grey: Tensor = (red * GREY[0] + green * GREY[1] + blue * GREY[2] + 32768) >> 16
    return grey.to(torch.uint8)
