"""Translate, animate, inpaint and upscale arrays: uint8 in, uint8 out.

Images are uint8 [n, H, W, C], clips uint8 [n, T, H, W, C], label maps and masks uint8 [n, H, W]. Games compute on their own
device, in chunks of a fixed size.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ganvas.core.capabilities import Animates, Inpaints, TakesInputs, Translates, Upscales
from ganvas.core.fields import FIELDS
from ganvas.core.modality import CLIPS, IMAGES, LABEL_MAPS, Batch, Modality, modality_of, normalize_batch
from ganvas.errors import UsageError, unknown_name
from ganvas.inference.inputs import CHUNK, CLIP_CHUNK, INPUT_MODALITIES, compute_chunks, split_direction
from ganvas.latents.seed_latents import latents
from ganvas.runtime import placement

Array = npt.NDArray[Any]
_SHAPES: Mapping[Modality, str] = {IMAGES: "[n, H, W, C]", CLIPS: "[n, T, H, W, C]", LABEL_MAPS: "[n, H, W]"}


def translate(game: Translates, inputs: npt.ArrayLike | Mapping[str, npt.ArrayLike], direction: str | None, seed: int) -> Array:
    """As `Model.translate`."""
    if direction is None and len(game.directions) == 1:
        direction = game.directions[0]
    if direction is None:
        raise UsageError(f"direction: expected one of {', '.join(game.directions)}, found none; name one")
    if direction not in game.directions:
        raise unknown_name("direction", direction, game.directions)
    chosen, source = direction, split_direction(direction)[0]
    given = inputs if isinstance(inputs, Mapping) else {source: inputs}
    if source not in given or not given.keys() <= set(game.takes):
        found = ", ".join(given) or "none"
        raise UsageError(
            f"inputs: expected {source!r}, and perhaps others of {', '.join(game.takes)}, found {found}; rename them"
        )
    fields = {name: as_input(name, array, FIELDS[name].modalities) for name, array in given.items()}
    return apply_to_arrays(game, lambda batch, z: game.translate(batch, chosen, z), fields, seed)


def animate(game: Animates, source: npt.ArrayLike, driving: npt.ArrayLike) -> Array:
    """As `Model.animate`."""
    fields = {"source": as_input("source", source, (IMAGES,)), "driving": as_input("driving", driving, (CLIPS,))}
    return apply_to_arrays(game, lambda batch, _: game.animate(batch["source"], batch["driving"]), fields)


def inpaint(game: Inpaints, images: npt.ArrayLike, masks: npt.ArrayLike, seed: int) -> Array:
    """As `Model.inpaint`."""

    def compute(batch: Batch, z: Tensor | None) -> Tensor:
        mask = (batch["masks"] > 0)[:, None].to(batch["images"])
        return game.inpaint(batch["images"] * (1 - mask), mask, z)  # the game does not see what is missing

    fields = {"images": as_input("images", images, (IMAGES,)), "masks": as_input("masks", masks, (LABEL_MAPS,))}
    return apply_to_arrays(game, compute, fields, seed)


def upscale(game: Upscales, images: npt.ArrayLike) -> Array:
    """As `Model.upscale`."""
    fields = {"images": as_input("images", images, (IMAGES,))}
    return apply_to_arrays(game, lambda batch, _: game.upscale(batch["images"]), fields)


def apply_to_arrays(
    game: TakesInputs, compute: Callable[[Batch, Tensor | None], Tensor], inputs: Mapping[str, Tensor], seed: int = 0
) -> Array:
    """The outputs uint8 [n, ...] of inputs as kept {field: [n, ...]}; image i has the noise of seed + i, if any.

    Raises:
        UsageError: no inputs, or fields of different lengths.
    """
    sizes = {name: len(x) for name, x in inputs.items()}
    n = next(iter(sizes.values()), 0)
    if n == 0 or len(set(sizes.values())) > 1:
        raise UsageError(f"inputs: expected as many samples in each field, at least one, found {sizes}; give as many of each")
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
    given = np.asarray(array)
    if given.dtype != np.uint8 and not (given.dtype == bool and LABEL_MAPS in kinds):
        raise UsageError(f"{name}: expected uint8, found {given.dtype}; scale images to 0..255")
    for kind in kinds:
        if kind in INPUT_MODALITIES and (kept := _as_kind(kind, given)) is not None:
            return kept
    shapes = " or ".join(_SHAPES[kind] for kind in kinds if kind in _SHAPES)
    raise UsageError(f"{name}: expected {shapes}, found {list(given.shape)}; add the missing dimensions")


def as_output_array(kept: Tensor) -> Array:
    """Samples as kept -> uint8 [n, H, W, C] of images, [n, T, H, W, C] of clips, [n, H, W] of label maps."""
    grid = kept if modality_of(kept, INPUT_MODALITIES) is LABEL_MAPS else kept.movedim(-3, -1)
    return np.ascontiguousarray(grid.numpy())


def _as_kind(kind: Modality, given: Array) -> Tensor | None:
    """The array as samples of a kind, as kept; None: it has not the number of dimensions."""
    samples = torch.from_numpy(np.ascontiguousarray(given, dtype=np.uint8))
    if kind is LABEL_MAPS:
        return samples if given.ndim == kind.ndim else None
    if given.ndim == kind.ndim - 1:  # grey
        return samples.unsqueeze(-3)
    return samples.movedim(-1, -3) if given.ndim == kind.ndim else None
