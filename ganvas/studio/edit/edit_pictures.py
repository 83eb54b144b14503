"""The pictures of a page /edit: small ones for the film, files, and how far one is from another."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor

from ganvas.media.image_files import save_png, to_bytes
from ganvas.studio.socket import Array

SMALL = 48  # pixels of the longer side of a picture of the film, and of an end of a direction


def error_of(pictures: Tensor, targets: Tensor) -> Tensor:
    """Root mean square differences [N] in levels of 255."""
    return 127.5 * (pictures - targets).square().flatten(1).mean(1).sqrt()


def write(out: Path, picture: Array, text: dict[str, str]) -> None:
    """Write a picture uint8 [H, W, C] as a PNG. Raises: ResourceError: the disk refused."""
    save_png(out, Image.fromarray(picture[..., 0] if picture.shape[2] == 1 else picture), text)


def to_picture(image: Tensor) -> Array:
    """image [C, H, W] in [-1, 1] -> uint8 [H, W, C]."""
    pixels: Array = to_bytes(image[None])[0].permute(1, 2, 0).numpy()
    return pixels.copy()


def shrink(pictures: Array) -> Array:
    """Small pictures for the film."""
    step = -(-max(pictures.shape[1:3]) // SMALL)
    return np.ascontiguousarray(pictures[:, ::step, ::step])
