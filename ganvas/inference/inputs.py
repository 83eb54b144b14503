"""Outputs of a game that takes inputs: image-to-image translation, image animation, inpainting, super-resolution.

A `Task` is one thing that such a game does with the rows of a dataset. Snapshots, validation, evaluation and the doctor all
call `run_task`, so they look at the same outputs. Chunks have a fixed size: a row gives the same output in any company.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ganvas.core.capabilities import Animates, Inpaints, TakesInputs, Translates, Upscales
from ganvas.core.fields import check
from ganvas.core.modality import CLIPS, IMAGES, LABEL_MAPS, Batch, modality_of, normalize_batch
from ganvas.data.dataset import Dataset
from ganvas.data.masks import masks_of_seeds
from ganvas.data.table import TableDataset
from ganvas.latents.seed_latents import latents
from ganvas.layers.channels import convert_channels
from ganvas.metrics.resize import shrink_unchecked
from ganvas.runtime import placement

HOLE = "hole"  # what of the inputs says where inpainting fills
CHUNK, CLIP_CHUNK = 32, 4  # rows at a time; of clips fewer, as each holds many images
INPUT_MODALITIES = (IMAGES, CLIPS, LABEL_MAPS)  # of inputs and outputs
Compute = Callable[[Batch, Tensor | None], Batch]  # inputs {name: [N, ...]}, z [N, noise_dim] or None -> {name: [N, ...]}


@dataclass(frozen=True)
class Task:
    """One way from inputs to outputs."""

    name: str  # of a translation its direction, "a>b"; else "animation", "inpainting" or "super-resolution"
    game: TakesInputs
    target: str  # the field with the truth, if the fields of a row belong together
    needs: tuple[str, ...]  # fields that the data must have
    prepare: Callable[[Batch, Tensor], Batch]  # a batch of the data, and its rows int64 [N] -> what the game takes
    shows: tuple[str, ...]  # which of these a sheet shows
    compute: Compute  # -> {"output": ...}, and "back" of a translation with a way back
    truth: Callable[[Tensor], Tensor] = lambda x: x  # the target field as kept -> what the output is compared with
    may_copy: bool = False  # whether parts of the output are the input, as they should be

    @property
    def title(self) -> str:
        """The name in the words of the user: "flat > shaded" of "a>b"."""
        if not isinstance(self.game, Translates) or self.name not in self.game.directions:
            return self.name
        return " > ".join(self.game.names.get(field, field) for field in split_direction(self.name))


@dataclass(frozen=True)
class Outputs:
    """The outputs of some rows. All tensors [N, ...] are as kept (bytes), on the CPU."""

    task: Task
    inputs: Mapping[str, Tensor]  # those that a sheet shows
    output: Tensor
    truth: Tensor | None  # None: the rows do not have it
    back: Tensor | None  # of a translation with two directions: the output translated back
    hole: Tensor | None = None  # uint8 [N, 1, H, W], 1 where inpainting filled a pixel: elsewhere the output is the input


def list_tasks(game: TakesInputs, strength: float = 1.0) -> tuple[Task, ...]:
    """The tasks of a game: each direction of a translation, and one for each further capability.

    `strength` from 0 to 1: how much of the change a translation makes, or how much detail an enlargement makes up.
    """
    tasks: list[Task] = []
    if isinstance(game, Translates):
        tasks += [_translation(game, direction, strength) for direction in game.directions]
    if isinstance(game, Animates):
        tasks.append(_animation(game))
    if isinstance(game, Inpaints):
        tasks.append(_inpainting(game))
    if isinstance(game, Upscales):
        tasks.append(_super_resolution(game, strength))
    return tuple(tasks)


def run_task(task: Task, data: Dataset, rows: Tensor) -> Outputs:
    """The outputs of the samples int64 [N] of the data. The noise, if the game takes any, depends on the row only.

    Raises:
        DataError: the data lacks a field of the task, or an output holds NaN.
    """
    device, dim = placement.device_of(task.game), task.game.noise_dim

    def compute(at: Tensor) -> Batch:
        kept = data.rows(rows[at])
        batch = normalize_batch({name: x.to(device) for name, x in kept.items()}, data.modalities)
        check(batch, task.needs)
        inputs = task.prepare(batch, rows[at])
        results = task.compute(inputs, latents(rows[at].tolist(), dim).to(device) if dim else None)
        found = {f"input {name}": inputs[name] for name in task.shows} | results
        if HOLE in inputs:
            found[HOLE] = inputs[HOLE].to(torch.uint8)
        if has_truth(task, data):
            found["truth"] = task.truth(kept[task.target])
        return found

    clips = any(modality is CLIPS for modality in data.modalities.values())
    found = compute_chunks(compute, len(rows), CLIP_CHUNK if clips else CHUNK)
    shown = {name: found[f"input {name}"] for name in task.shows}
    return Outputs(task, shown, found["output"], found.get("truth"), found.get("back"), found.get(HOLE))


def has_truth(task: Task, data: Dataset) -> bool:
    """Whether the rows hold what the outputs should be: the fields of a row of a table belong together."""
    return isinstance(data, TableDataset) and task.target in data.modalities


@torch.no_grad()
def compute_chunks(compute: Callable[[Tensor], Batch], n: int, chunk: int) -> Batch:
    """`compute` of the rows 0 .. n-1, always `chunk` of them at a time; each result [n, ...] as kept, on the CPU.

    Raises:
        DataError: a result holds NaN.
    """
    parts: dict[str, list[Tensor]] = {}
    for start in range(0, n, chunk):
        rows = torch.arange(start, start + chunk).clamp(max=n - 1)  # the last chunk is filled up, so each has one size
        for name, x in compute(rows).items():
            # As bytes at once: floats of all rows would take four times the memory.
            kept = x if x.dtype == torch.uint8 else modality_of(x, INPUT_MODALITIES).denormalize(x)
            parts.setdefault(name, []).append(placement.to_cpu(kept)[: n - start])
    return {name: torch.cat(tensors) for name, tensors in parts.items()}


def _translation(game: Translates, direction: str, strength: float) -> Task:
    source, target = split_direction(direction)
    reverse = f"{target}>{source}"

    def compute(inputs: Batch, z: Tensor | None) -> Batch:
        output = weaken(inputs[source], game.translate(inputs, direction, z), strength)
        if reverse not in game.directions:
            return {"output": output}
        return {"output": output, "back": game.translate({**inputs, target: output}, reverse, z)}

    def prepare(batch: Batch, _: Tensor) -> Batch:
        return {field: batch[field] for field in game.takes}

    return Task(direction, game, target, game.takes, prepare, (source,), compute)


def weaken(x: Tensor, y: Tensor, strength: float) -> Tensor:
    """The input x and the output y [N, C, H, W] of a translation -> x with so much of the change. No images: y."""
    if strength == 1 or not y.is_floating_point():
        return y
    x = convert_channels(x, y.shape[1])
    return x + strength * (y - x)


def split_direction(direction: str) -> tuple[str, str]:
    """The fields of a direction: "a>b" -> ("a", "b")."""
    source, _, target = direction.partition(">")
    return source, target


def _animation(game: Animates) -> Task:
    def prepare(batch: Batch, _: Tensor) -> Batch:
        return {"source": batch["source"], "driving": _as_clip(batch["driving"])}

    def compute(inputs: Batch, _: Tensor | None) -> Batch:
        return {"output": game.animate(inputs["source"], inputs["driving"])}

    # A row's source and driving frames are from one video, so the output should be the driving frames.
    return Task("animation", game, "driving", ("source", "driving"), prepare, ("source", "driving"), compute, truth=_as_clip)


def _as_clip(x: Tensor) -> Tensor:
    """Images [N, C, H, W] as clips of one frame [N, 1, C, H, W]; clips as they are."""
    return x if modality_of(x, INPUT_MODALITIES) is CLIPS else x[:, None]


def _inpainting(game: Inpaints) -> Task:
    def prepare(batch: Batch, rows: Tensor) -> Batch:
        image = batch["real"]
        # A row has the mask of its number, so that all models and all checkpoints are measured with the same holes.
        mask = (batch["mask"] == 1)[:, None] if "mask" in batch else masks_of_seeds(rows.tolist(), *image.shape[-2:])
        mask = mask.to(image)
        return {HOLE: mask, "masked": image * (1 - mask)}

    def compute(inputs: Batch, z: Tensor | None) -> Batch:
        return {"output": game.inpaint(inputs["masked"], inputs[HOLE], z)}

    return Task("inpainting", game, "real", ("real",), prepare, ("masked",), compute, may_copy=True)


def _super_resolution(game: Upscales, strength: float) -> Task:
    def crop(x: Tensor) -> Tensor:
        return x[..., : x.shape[-2] // game.scale * game.scale, : x.shape[-1] // game.scale * game.scale]

    def prepare(batch: Batch, _: Tensor) -> Batch:
        if "low" in batch:
            return {"low": batch["low"]}
        # Through bytes, because data are made so: the network sees what it was trained on.
        return {"low": IMAGES.normalize(shrink_unchecked(IMAGES.denormalize(batch["real"]), game.scale))}

    def compute(inputs: Batch, _: Tensor | None) -> Batch:
        return {"output": game.upscale(inputs["low"], strength)}

    return Task("super-resolution", game, "real", ("real",), prepare, ("low",), compute, truth=crop)
