"""Translate, animate, inpaint and upscale arrays: uint8 in, uint8 out.

Images are uint8 [n, H, W, C], clips uint8 [n, T, H, W, C], label maps and masks uint8 [n, H, W]. Games compute on their own
device, in chunks of a fixed size.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import ImageOps
from torch import Tensor

from ganvas.core.capabilities import Animates, Inpaints, TakesInputs, Translates
from ganvas.core.fields import FIELDS
from ganvas.core.modality import CLIPS, IMAGES, LABEL_MAPS, UNKNOWN, Batch, Modality, modality_of, normalize_batch
from ganvas.data.images import UnreadableError, silence_pillow
from ganvas.data.input_files import open_input
from ganvas.data.source_names import find_path
from ganvas.data.whole_picture import find_ending, read_picture, to_values
from ganvas.errors import DataError, UsageError
from ganvas.inference.animation import animate_arrays
from ganvas.inference.drawn_maps import read_map_for
from ganvas.inference.encoding import as_numbers
from ganvas.inference.holes import read_hole, require_hole
from ganvas.inference.inputs import CHUNK, CLIP_CHUNK, INPUT_MODALITIES, compute_chunks
from ganvas.inference.loaded_game import LoadedGame
from ganvas.inference.picture_inpainting import inpaint_one
from ganvas.inference.picture_translation import (
    Way,
    find_way,
    fit_channels,
    input_channels,
    list_ways,
    paint_one,
    require_strength,
    translate_along,
)
from ganvas.inference.tiles import compute_any_size
from ganvas.latents.seed_latents import SEEDS, latents
from ganvas.media.image_files import Picture, to_image
from ganvas.runtime import placement
from ganvas.utils.parsing import printable, require_count

Array = npt.NDArray[Any]
COLORED = (3, 4)  # channels of a color picture, without and with transparency
MOVING = "translate it with `ganvas translate` (in Python: ganvas.inference.translate_files), or give one frame"
CHUNK_PIXELS = 1_000_000  # of all pictures of a chunk
_SHAPES: Mapping[Modality, str] = {IMAGES: "[n, H, W, C]", CLIPS: "[n, T, H, W, C]", LABEL_MAPS: "[n, H, W]"}


def translate(
    model: LoadedGame,
    inputs: npt.ArrayLike | Mapping[str, npt.ArrayLike] | Picture | str | Path,
    direction: str | None,
    to: str | None,
    seed: int,
    strength: float,
    tileable: bool = False,
) -> Array | Picture:
    """As `Model.translate`."""
    if direction is not None and to is not None:
        raise UsageError("direction and to: expected one of them, found both; leave one out")
    if isinstance(inputs, (Picture, str, Path)):
        return translate_picture(find_way(model, direction if to is None else to), inputs, strength, seed, tileable=tileable)
    game = model.game
    if not isinstance(game, Translates):
        raise UsageError(f"{model.name} does not translate arrays; use Model.upscale")
    way = find_way(model, direction if to is None else to)
    if (one := _as_one_picture(inputs)) is not None:
        return translate_along(way, one, strength=strength, seed=seed, tileable=tileable)
    if tileable:
        raise UsageError("tileable: expected one picture, uint8 [H, W, 3 or 4], a picture of Pillow or a path; give one by one")
    given = inputs if isinstance(inputs, Mapping) else {way.field: inputs}
    if way.field not in given or not given.keys() <= set(game.takes):
        found = ", ".join(given) or "none"
        raise UsageError(
            f"inputs: expected {way.field!r}, and perhaps others of {', '.join(game.takes)}, found {found}; rename them"
        )
    return _apply_way(way, {name: as_input(name, x, FIELDS[name].modalities) for name, x in given.items()}, seed, strength)


def _as_one_picture(given: Any) -> Array | None:
    """The array, if it is one picture, uint8 [H, W, 3 or 4], as of `numpy.asarray` of a color picture; None: it is not.

    So grey pictures [n, H, W] cannot be 3 or 4 pixels wide; they need their channel.

    Raises:
        UsageError: it is neither an array nor fields by name.
    """
    if isinstance(given, Mapping):
        return None
    array = as_numbers("inputs", given, "uint8 [n, H, W, C]", files=True)
    if array.dtype != np.uint8 or array.ndim != IMAGES.ndim - 1 or array.shape[-1] not in COLORED:
        return None
    return array


def translate_picture(
    way: Way, given: Picture | str | Path, strength: float, seed: int = 0, *, tileable: bool = False
) -> Picture:
    """A picture of any size, or the path of one -> the translated picture, with its transparency.

    Raises:
        UsageError: it is an animation.
        DataError: it cannot be read.
    """
    return to_image(translate_along(way, _read_values(given, MOVING), strength=strength, seed=seed, tileable=tileable))


def paint(model: LoadedGame, given: npt.ArrayLike | Picture | str | Path, seed: int, side: int | None) -> Array | Picture:
    """As `Model.paint`."""
    if isinstance(given, (Picture, str, Path)):
        return to_image(paint_one(model, read_map_for(model, given), seed=seed, side=side))
    ids = as_numbers("map", given, "uint8 [H, W]", files=True)
    if ids.size and (ids == UNKNOWN).all():
        found = f"{UNKNOWN}, not known, in all of them"
        raise UsageError(f"map: expected the number of a class in some pixels, found {found}; give some a class")
    return paint_one(model, ids, seed=seed, side=side)


def _read_values(given: Picture | str | Path, advice: str = "give one frame") -> Array:
    """Raises: UsageError: it is the path of an animation, of which all frames but one would be lost. DataError."""
    if isinstance(given, Picture):
        return to_values(ImageOps.exif_transpose(given))
    try:
        with silence_pillow(), open_input(find_path(str(given))) as file:
            ending = find_ending(file)
            file.seek(0)
            values = read_picture(file).values
    except UnreadableError as error:
        raise DataError(f"{printable(given)}: {error}") from None
    if ending is not None:
        raise UsageError(f"{printable(given)}: expected one picture, found an animation; {advice}")
    return values


def animate(game: Animates, source: npt.ArrayLike, driving: npt.ArrayLike, *, absolute: bool) -> Array:
    """As `Model.animate`."""
    for name, given, kind in (("source", source, IMAGES), ("driving", driving, CLIPS)):
        found = list(as_numbers(name, given, f"uint8 {_SHAPES[kind]}").shape)
        if len(found) == kind.ndim - 1 and found[-1] in (1, *COLORED):  # else taken for grey ones of so few columns
            raise UsageError(f"{name}: expected {_SHAPES[kind]}, found {found}; add the first dimension, as in {name}[None]")
    fields = {"source": as_input("source", source, (IMAGES,)), "driving": as_input("driving", driving, (CLIPS,))}
    sizes = {name: tuple(x.shape[-2:]) for name, x in fields.items()}
    if len(set(sizes.values())) > 1 or any(side % game.multiple for side in sizes["source"]):
        raise UsageError(
            f"source and driving: expected one size, in multiples of {game.multiple} pixels, found {sizes}; resize"
        )
    return apply_to_arrays(
        game, lambda batch, _: animate_arrays(game, batch["source"], batch["driving"], absolute=absolute), fields
    )


def inpaint(game: Inpaints, images: npt.ArrayLike | Picture | str | Path, masks: Any, seed: int) -> Array | Picture:
    """As `Model.inpaint`."""
    files = [isinstance(each, (Picture, str, Path)) for each in (images, masks)]
    if any(files) and not all(files):
        raise UsageError("images and masks: expected two paths or pictures, or two arrays, found one of each; change one")
    if isinstance(images, (Picture, str, Path)):
        values, hole = _read_values(images), read_hole(_read_values(masks))
        require_hole(hole, values.shape[:2])
        return to_image(inpaint_one(game, values, hole, seed=seed))
    return _inpaint_arrays(game, images, masks, seed)


def _inpaint_arrays(game: Inpaints, images: npt.ArrayLike, masks: Any, seed: int) -> Array:
    given = as_numbers("images", images, f"uint8 {_SHAPES[IMAGES]}", files=True)
    marks = as_numbers("masks", masks, f"uint8 {_SHAPES[LABEL_MAPS]}", files=True)
    if given.ndim == IMAGES.ndim - 1 and marks.ndim == LABEL_MAPS.ndim - 1 and given.shape[:2] == marks.shape:
        one: Array = _inpaint_arrays(game, given[None], marks[None], seed)[0]
        return one
    kept = {"images": as_input("images", images, (IMAGES,)), "masks": as_input("masks", masks, (LABEL_MAPS,))}
    n = require_one_length(kept)
    require_count("seed", seed, 0, SEEDS - n)
    given, marks = as_output_array(kept["images"]), kept["masks"].numpy()
    if given.shape[1:3] != marks.shape[1:]:
        raise UsageError(f"masks: expected {list(given.shape[:3])}, as the images, found {list(marks.shape)}; make them alike")
    holes = marks > (0 if marks.max() <= 1 else 127)
    return np.stack([inpaint_one(game, given[i], holes[i], seed=seed + i) for i in range(n)])


def upscale(model: LoadedGame, images: npt.ArrayLike | Picture | str | Path, strength: float) -> Array | Picture:
    """As `Model.upscale`."""
    way = next(way for way in list_ways(model.game) if not way.direction)
    if isinstance(images, (Picture, str, Path)):
        return translate_picture(way, images, strength)
    if (one := _as_one_picture(images)) is not None:
        return translate_along(way, one, strength=strength)
    kept = as_input("images", images, (IMAGES,))
    require_one_length({"images": kept})
    return _apply_way(way, {way.field: kept}, 0, strength)


def _apply_way(way: Way, inputs: Mapping[str, Tensor], seed: int, strength: float) -> Array:
    """The outputs for samples as kept {field: [n, ...]} of any size, a few at a time; sample i has the noise of seed + i."""
    require_strength(strength)
    n = require_one_length(inputs)
    require_count("seed", seed, 0, SEEDS - n)
    shown = inputs[way.field]
    stays_grey = shown.ndim == IMAGES.ndim and shown.shape[1] == 1 and way.game.keeps_grey
    fields = {name: _fit_planes(x.numpy(), input_channels(way.game, name)) for name, x in inputs.items()}
    chunk = max(1, min(CHUNK, CHUNK_PIXELS // max(1, math.prod(fields[way.field].shape[-2:]))))
    device, dim = placement.device_of(way.game), way.game.noise_dim
    parts = []
    for start in range(0, n, chunk):
        rows = np.arange(start, start + chunk).clip(max=n - 1)  # the last chunk is filled up, so each has one size
        z = latents((seed + rows).tolist(), dim).to(device) if dim else None
        some = {name: x[rows] for name, x in fields.items()}
        found = compute_any_size(way.game, partial(_compute_way, way, z, strength, stays_grey), some, scale=way.scale)
        parts.append(found[: n - start])
    return as_output_array(torch.from_numpy(np.concatenate(parts)))


def _compute_way(way: Way, z: Tensor | None, strength: float, stays_grey: bool, batch: Batch) -> Tensor:
    y = way.compute(batch, z, strength)
    return y.mean(1, keepdim=True) if stays_grey and y.ndim == IMAGES.ndim else y


def _fit_planes(x: Array, channels: int | None) -> Array:
    """[n, C, H, W] with `channels` channels; label maps do not change."""
    return x if x.ndim != IMAGES.ndim else np.moveaxis(fit_channels(np.moveaxis(x, 1, -1), channels), -1, 1)


def require_one_length(inputs: Mapping[str, Tensor]) -> int:
    """The number of samples of each field. Raises: UsageError: none, or fields of different lengths."""
    sizes = {name: len(x) for name, x in inputs.items()}
    n = next(iter(sizes.values()), 0)
    if n == 0 or len(set(sizes.values())) > 1:
        raise UsageError(f"inputs: expected as many samples in each field, at least one, found {sizes}; give as many of each")
    return n


def apply_to_arrays(
    game: TakesInputs, compute: Callable[[Batch, Tensor | None], Tensor], inputs: Mapping[str, Tensor], seed: int = 0
) -> Array:
    """The outputs uint8 [n, ...] of inputs as kept {field: [n, ...]}; image i has the noise of seed + i, if any.

    Raises:
        UsageError: no inputs, or fields of different lengths.
    """
    n = require_one_length(inputs)
    device, kinds = placement.device_of(game), {name: modality_of(x, INPUT_MODALITIES) for name, x in inputs.items()}

    def compute_rows(rows: Tensor) -> Batch:
        batch = normalize_batch({name: x[rows].to(device) for name, x in inputs.items()}, kinds)
        seeds = (seed + rows).tolist()
        return {"output": compute(batch, latents(seeds, game.noise_dim).to(device) if game.noise_dim else None)}

    chunk = CLIP_CHUNK if CLIPS in kinds.values() else CHUNK
    return as_output_array(compute_chunks(compute_rows, n, chunk)["output"])


def as_input(name: str, array: npt.ArrayLike, kinds: tuple[Modality, ...]) -> Tensor:
    """An array of samples of one of the kinds -> the samples as kept, uint8. `name` is for the error message.

    Images are uint8 [n, H, W, C], clips uint8 [n, T, H, W, C], label maps and masks uint8 or bool [n, H, W]; the channel
    may be left out of grey images and clips.

    Raises:
        UsageError: another type or shape.
    """
    shapes = " or ".join(_SHAPES[kind] for kind in kinds if kind in _SHAPES)
    given = as_numbers(name, array, f"uint8 {shapes}")
    if given.dtype != np.uint8 and not (given.dtype == bool and LABEL_MAPS in kinds):
        raise UsageError(f"{name}: expected uint8, found {given.dtype}; scale images to 0..255")
    if given.ndim and len(given) and not given.size:
        raise UsageError(f"{name}: expected pictures with at least one pixel, found {list(given.shape)}; leave out empty ones")
    for kind in kinds:
        if kind in INPUT_MODALITIES and (kept := _as_kind(kind, given)) is not None:
            return kept
    raise UsageError(f"{name}: expected {shapes}, found {list(given.shape)}; add the missing dimensions")


def as_output_array(kept: Tensor) -> Array:
    """Samples as kept -> uint8 [n, H, W, C] of images, [n, T, H, W, C] of clips, [n, H, W] of label maps."""
    grid = kept if modality_of(kept, INPUT_MODALITIES) is LABEL_MAPS else kept.movedim(-3, -1)
    return np.ascontiguousarray(grid.numpy())


def _as_kind(kind: Modality, given: Array) -> Tensor | None:
    """The array as samples of a kind, as kept; None: it has not the number of dimensions."""
    samples = torch.from_numpy(np.array(given, np.uint8, order="C"))  # a copy: arrays of Pillow cannot be written
    if kind is LABEL_MAPS:
        return samples if given.ndim == kind.ndim else None
    if given.ndim == kind.ndim - 1:  # grey
        return samples.unsqueeze(-3)
    return samples.movedim(-1, -3) if given.ndim == kind.ndim else None
