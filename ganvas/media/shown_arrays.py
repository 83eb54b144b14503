"""Arrays of pictures that a notebook shows as pictures. Everywhere else they are plain numpy arrays."""

from __future__ import annotations

import io
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import torch

from ganvas.media.grid import legible_scale, make_grid
from ganvas.media.image_files import Picture

MOST = 100  # pictures of an array that are shown
MILLISECONDS = 100  # of a frame of a clip
COLORS = (1, 3)  # channels that can be seen; of four, the last is transparency
T = TypeVar("T")


class Pictures(np.ndarray[Any, np.dtype[Any]]):
    """Images uint8 [H, W, C] or [n, H, W, C], or clips [n, T, H, W, C], C 1, 3 or 4.

    A part of it (`x[3]`, `x[:10]`) shows itself too; what is computed from it (`x / 255`, `x.mean()`) is a plain array.
    """

    def __array_wrap__(self, array: Any, context: Any = None, return_scalar: bool = False) -> Any:
        plain = np.asarray(array)
        return plain[()] if return_scalar or plain.ndim == 0 else plain

    def _repr_png_(self) -> bytes | None:
        """The first pictures as a sheet, clips as an animated PNG; None: the array holds no pictures."""
        if self.dtype != np.uint8 or self.ndim not in (3, 4, 5) or not self.size or self.shape[-1] not in (*COLORS, 4):
            return None
        plain = np.asarray(self)
        plain = plain[None] if plain.ndim == 3 else plain[:MOST]
        plain = _on_white(plain) if plain.shape[-1] == 4 else plain
        frames = plain[:, None] if plain.ndim == 4 else plain
        pictures = [_draw(frames[:, t]) for t in range(frames.shape[1])]
        file = io.BytesIO()
        more = {"save_all": True, "append_images": pictures[1:], "duration": MILLISECONDS, "loop": 0} if pictures[1:] else {}
        pictures[0].save(file, "PNG", **more)
        return file.getvalue()


def _draw(images: npt.NDArray[np.uint8]) -> Picture:
    """images [n, H, W, C] -> a sheet that is about square; a single one has no border."""
    planes = torch.from_numpy(np.ascontiguousarray(np.moveaxis(images, -1, 1)))
    columns = 10 if len(images) > 25 else max(1, round(len(images) ** 0.5)) if len(images) > 10 else len(images)
    alone, scale = len(images) == 1, legible_scale(images.shape[2])
    return make_grid(planes, columns, 2 * scale if alone and images.shape[2] <= 64 else scale, 0 if alone else 2)


def _on_white(images: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """images [..., 4] -> [..., 3] on white."""
    share = images[..., 3:].astype(np.float32) / 255
    mixed: npt.NDArray[np.uint8] = np.rint(share * images[..., :3] + (1 - share) * 255).astype(np.uint8)
    return mixed


def as_shown(found: T) -> T:
    """`found`, if it is an array of uint8 as one that shows itself; anything else as it is."""
    if isinstance(found, np.ndarray) and found.dtype == np.uint8:
        return found.view(Pictures)  # type: ignore[return-value]
    return found
