"""Fill the hole in one picture of any size: grey or color, with or without transparency, of 8 or 16 bits.

Pixels outside the hole keep their bits. Of the hole every pixel is filled, its transparency smoothly from around it.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from ganvas.core.capabilities import Inpaints
from ganvas.inference.hole_windows import Window, list_windows
from ganvas.inference.holes import Hole
from ganvas.inference.picture_translation import fit_channels, input_channels
from ganvas.inference.tiles import Progress, from_network, to_network
from ganvas.inference.transparency import mix_with, split_alpha, unmix
from ganvas.latents.seed_latents import SEEDS, latents
from ganvas.layers.smooth_fill import EXACT, fill_smoothly
from ganvas.runtime import placement
from ganvas.utils.parsing import require_count

Array = npt.NDArray[Any]


def inpaint_one(
    game: Inpaints,
    picture: Array,
    hole: Hole,
    *,
    seed: int = 0,
    progress: Progress | None = None,
    memory: dict[bytes, Array] | None = None,
) -> Array:
    """A picture uint8 or uint16 [H, W, C] and its hole bool [H, W] -> the picture filled, of the same type and shape.

    C is 1 or 3, or 2 or 4 with transparency. A game of grey pictures fills red, green and blue alone. `seed`: of the noise, if
    the game takes any. `progress` gets the windows that are done and their number. `memory`, of this game alone, keeps the
    windows of this call: a later one computes only those that differ from them.
    """
    require_count("seed", seed, 0, SEEDS - 1)
    if not hole.any():
        return picture.copy()
    colors, alpha = split_alpha(picture)
    return paste(picture, hole, _fill_colors(game, _put_on_white(colors, alpha), hole, seed, progress, memory))


def paste(picture: Array, hole: Hole, filling: Array) -> Array:
    """A picture [H, W, C] with its hole filled from `filling` [H, W, 1 or 3], which was computed on white."""
    colors, alpha = split_alpha(picture)
    if alpha is not None:
        top = float(np.iinfo(alpha.dtype).max)
        alpha = _fill_alpha(alpha, hole)
        partly = (alpha > 0) & (alpha < top)
        filling = np.where(partly, unmix(filling, alpha, np.full(colors.shape[2], top, np.float32)), filling)
        filling = np.concatenate([filling, alpha], 2)
    pasted: Array = np.where(hole[..., None], filling, picture)
    return pasted


def _put_on_white(colors: Array, alpha: Array | None) -> Array:
    return colors if alpha is None else mix_with(colors, alpha, float(np.iinfo(colors.dtype).max))


def _fill_alpha(alpha: Array, hole: Hole) -> Array:
    """The transparency [H, W, 1], filled smoothly in the hole."""
    plane = torch.from_numpy(alpha[..., 0].astype(np.float32))[None, None]
    filled = fill_smoothly(plane, torch.from_numpy(hole)[None, None].float(), EXACT)[0, 0]
    levels: Array = np.rint(filled.numpy()).astype(alpha.dtype)[..., None]
    return levels


def _fill_colors(
    game: Inpaints, colors: Array, hole: Hole, seed: int, progress: Progress | None, memory: dict[bytes, Array] | None
) -> Array:
    """[H, W, 1 or 3] -> the same with its hole filled."""
    result, windows, memory = colors.copy(), list_windows(hole), {} if memory is None else memory
    parts = [(colors[each.rows, each.columns], hole[each.rows, each.columns]) for each in windows]
    keys = [_describe_task(part, holes, seed) for part, holes in parts]
    for old in memory.keys() - set(keys):
        del memory[old]
    for done, (window, (part, holes), key) in enumerate(zip(windows, parts, keys, strict=True)):
        if key not in memory:
            memory[key] = _fill_part(game, part, holes, seed)
        _put(result, window, memory[key])
        if progress:
            progress(done + 1, len(windows))
    return result


def _describe_task(part: Array, hole: Hole, seed: int) -> bytes:
    """A hash of all that the filling of a window depends on, besides the game."""
    facts = f"{part.dtype} {part.shape} {seed} ".encode()
    return hashlib.blake2b(facts + part.tobytes() + np.packbits(hole).tobytes(), digest_size=16).digest()


def _fill_part(game: Inpaints, part: Array, hole: Hole, seed: int) -> Array:
    """[h, w, 1 or 3] -> the same, filled."""
    channels = input_channels(game, "image") or part.shape[2]
    apart = channels == 1 < part.shape[2]
    given = part.transpose(2, 0, 1)[:, None] if apart else fit_channels(part, channels).transpose(2, 0, 1)[None]
    filled = _fill_window(game, given, hole, seed)
    planes = filled[:, 0] if apart else filled[0] if filled.shape[1] == part.shape[2] else _to_grey(filled[0])
    return planes.transpose(1, 2, 0)


def _put(result: Array, window: Window, filled: Array) -> None:
    """Write the pixels of a window's own hole."""
    place = result[window.rows, window.columns]
    place[window.hole] = filled[window.hole]


def _to_grey(planes: Array) -> Array:
    grey: Array = np.rint(planes.mean(0, keepdims=True)).astype(planes.dtype)
    return grey


@torch.no_grad()
def _fill_window(game: Inpaints, planes: Array, hole: Hole, seed: int) -> Array:
    """[N, C, H, W] of bytes or 16 bits -> the same, filled."""
    device = placement.device_of(game)
    mask = torch.from_numpy(np.ascontiguousarray(hole)).to(device)[None, None].float()
    z = latents([seed], game.noise_dim).to(device) if game.noise_dim else None
    parts = []
    for plane in planes:
        image = to_network(plane[None], device) * (1 - mask)  # the game does not see what is missing
        with torch.autocast(device.type, enabled=False):
            filled = _fill(game, image, mask, z)
        parts.append(from_network(filled, deep=planes.dtype == np.uint16))
    return np.concatenate(parts)


def _fill(game: Inpaints, image: Tensor, mask: Tensor, z: Tensor | None) -> Tensor:
    """The output of the game for any size: the sides are continued to what it takes."""
    height, width = image.shape[-2:]
    more = (0, -width % game.multiple, 0, -height % game.multiple)
    filled = game.inpaint(F.pad(image, more, "replicate"), F.pad(mask, more, "replicate"), z)
    return filled[..., :height, :width]
