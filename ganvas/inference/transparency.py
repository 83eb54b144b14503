"""The transparency of pictures: colors mixed with a plain ground, and found again in the mixture."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

Array = npt.NDArray[Any]


def split_alpha(picture: Array) -> tuple[Array, Array | None]:
    """A picture [H, W, 1 to 4] -> its colors [H, W, 1 or 3], and its transparency [H, W, 1]; None: it has no such channel."""
    return (picture[..., :-1], picture[..., -1:]) if picture.shape[2] in (2, 4) else (picture, None)


def mix_with(colors: Array, alpha: Array, ground: float) -> Array:
    """The colors [H, W, C] over a plain ground of this level, rounded, of the same type."""
    top = np.iinfo(colors.dtype).max
    share = alpha.astype(np.float32) / top
    return np.rint(colors * share + ground * (1 - share)).astype(colors.dtype)


def unmix(mixed: Array, alpha: Array, white: npt.NDArray[np.float32]) -> Array:
    """The colors whose mixture with `white` [C] is `mixed`: (mixed - (1 - share) white) / share, as far as there are such."""
    top = np.iinfo(mixed.dtype).max
    share = np.maximum(alpha.astype(np.float32), 1) / top
    return np.rint(np.clip((mixed - (1 - share) * white) / share, 0, top)).astype(mixed.dtype)


def enlarge_alpha(alpha: Array, scale: int) -> Array:
    """[H, W, 1] -> [scale H, scale W, 1] by bicubic interpolation, clipped."""
    if scale == 1:
        return alpha
    top = np.iinfo(alpha.dtype).max
    size = (alpha.shape[1] * scale, alpha.shape[0] * scale)
    large = np.asarray(Image.fromarray(alpha[..., 0].astype(np.float32)).resize(size, Image.Resampling.BICUBIC))
    enlarged: Array = np.rint(large.clip(0, top)).astype(alpha.dtype)[..., None]
    return enlarged
