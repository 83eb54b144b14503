"""Inpainting by inversion: a model that makes pictures from noise fills a hole in one of its kind.

The code is searched whose picture is nearest to the given one outside the hole; of that picture only the hole is taken.
Source: Yeh et al. 2017, arXiv:1607.07539 sec. 3: a search in the latent space by the known pixels.

Differs: the search is that of `inversion.py`; pixels count alike, near the hole or far from it; no Poisson blending, so that
the pixels around the hole keep their bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from ganvas.editing.inversion import invert
from ganvas.errors import UsageError
from ganvas.inference.encoding import as_samples
from ganvas.inference.holes import Hole, require_hole
from ganvas.inference.loaded_game import Label, LoadedGame
from ganvas.inference.picture_inpainting import paste
from ganvas.inference.picture_translation import fit_channels
from ganvas.inference.transparency import mix_with, split_alpha
from ganvas.media.image_files import to_bytes

Array = npt.NDArray[Any]
DEEP = 257  # levels of 16 bits in one of 8


@dataclass(frozen=True)
class Filled:
    """A picture with its hole filled, and how near the model came to the pixels outside."""

    picture: Array  # as the given one: [H, W, C] of its type
    error: float  # root mean square difference outside the hole, of the square that was searched, in levels of 255
    made: Tensor  # [C, side, side] in [-1, 1]: the whole picture of the code that was found
    notes: tuple[str, ...]
    stopped: bool  # by Ctrl-C: this is the best until then


def fill_by_inversion(model: LoadedGame, picture: Array, hole: Hole, *, label: Label = None, **search: Any) -> Filled:
    """A picture uint8 or uint16 [H, W, C] with its hole bool [H, W] filled by a model that samples.

    Of another size than the model's samples, the square in the middle is searched at their size, and what is found is
    resized. `label`: the classes that are tried, None: all. `search` as of `inversion.invert`.

    Raises:
        UsageError: the model makes no pictures from noise; no hole, or one that reaches beyond this square; no such class.
    """
    require_hole(hole, picture.shape[:2])
    channels, _, side = _require_square(model)
    colors, alpha = split_alpha(picture)
    seen = colors if alpha is None else mix_with(colors, alpha, float(np.iinfo(colors.dtype).max))
    bytes_ = np.rint(seen / DEEP).astype(np.uint8) if seen.dtype == np.uint16 else seen
    height, width = hole.shape
    edge = min(height, width)
    rows, columns = (slice((length - edge) // 2, (length - edge) // 2 + edge) for length in (height, width))
    outside = hole.copy()
    outside[rows, columns] = False
    if outside.any():
        raise UsageError(
            f"the hole reaches beyond the square in the middle, which is all that {model.name} makes; cut the picture first"
        )
    square = _resize(fit_channels(bytes_[rows, columns], channels), side)
    known = torch.from_numpy(_resize_hole(hole[rows, columns], side)).logical_not()
    if not known.any():
        raise UsageError(f"the hole leaves no pixel of the {side} x {side} that {model.name} makes; paint a smaller one")
    found = invert(model, as_samples(square[None], model.shape), label, weights=known.float(), **search)
    made = to_bytes(found.pictures)[0].permute(1, 2, 0).numpy()
    filling = np.zeros((height, width, made.shape[2]), np.uint8)
    filling[rows, columns] = _resize(made, edge)
    filling = _match_channels(filling, colors.shape[2])
    levels = filling.astype(colors.dtype) * (DEEP if colors.dtype == np.uint16 else 1)
    notes = () if edge == side else (f"{edge} x {edge} pixels were searched at {side} x {side}",)
    return Filled(paste(picture, hole, levels), float(found.errors[0]), found.pictures[0], notes, found.stopped)


def _require_square(model: LoadedGame) -> tuple[int, int, int]:
    """The shape of the samples. Raises: UsageError: they are no square pictures, or not made from noise."""
    _ = model.drawer
    if len(model.shape) != 3 or model.shape[1] != model.shape[2]:
        raise UsageError(f"{model.name} makes no pictures; choose a model of pictures")
    return model.shape[0], model.shape[1], model.shape[2]


def _resize(picture: Array, side: int) -> Array:
    """uint8 [H, H, 1 or 3] -> [side, side, C]; of this side it keeps its bits."""
    if picture.shape[0] == side:
        return picture
    image = Image.fromarray(picture[..., 0] if picture.shape[2] == 1 else picture)
    return np.atleast_3d(np.array(image.resize((side, side), Image.Resampling.LANCZOS)))


def _resize_hole(hole: Hole, side: int) -> Hole:
    """A hole [H, H] -> [side, side]: a pixel that a part of the hole falls into is in it."""
    if hole.shape[0] == side:
        return hole
    shares = Image.fromarray(hole.astype(np.float32)).resize((side, side), Image.Resampling.BOX)
    return np.asarray(shares) > 0


def _match_channels(picture: Array, channels: int) -> Array:
    if picture.shape[2] == 3 and channels == 1:
        return fit_channels(picture, 1)
    return np.repeat(picture, channels, 2) if picture.shape[2] == 1 else picture
