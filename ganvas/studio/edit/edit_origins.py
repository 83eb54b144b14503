"""What a page /edit sends to begin with, and what a saved picture says of it: seeds, codes, points, holes."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ganvas.editing.drag import Point
from ganvas.editing.edits import Editor, Place, Step, write_steps
from ganvas.errors import UsageError
from ganvas.inference.codes import SPACES, Codes
from ganvas.inference.encoding import as_samples
from ganvas.inference.model import Model
from ganvas.latents.seed_latents import SEEDS
from ganvas.studio.page_tasks import Task
from ganvas.studio.socket import Array

XY = 2  # numbers of a point
STROKES = 4  # channels of strokes: color, and whether it was painted
COVERED = 128  # from here on a pixel of strokes counts as painted


def read_points(points: Any) -> list[Point]:
    """Points (x, y) of a page. Raises: UsageError: they are none."""
    if not isinstance(points, list) or not all(isinstance(each, list) and len(each) == XY for each in points):
        raise UsageError("points: expected pairs of numbers")
    if not all(type(number) in (int, float) for each in points for number in each):
        raise UsageError("points: expected pairs of numbers")
    return [(float(x), float(y)) for x, y in points]


def read_origin(editor: Editor, origin: Any) -> Place:
    """Where the steps begin. Raises: UsageError: neither a seed nor a code."""
    codes = read_codes(origin)
    if codes is not None:
        return editor.of_codes(codes)
    seed, label = origin.get("seed", 0), origin.get("label")
    if type(seed) is not int or not 0 <= seed < SEEDS or type(label) not in (int, type(None)):
        raise UsageError(f"origin: expected a seed from 0 to {SEEDS - 1:,}, and the number of a class or none")
    return editor.of_seed(seed, label)


def read_codes(origin: Any) -> Codes | None:
    """The code of an origin that has one. Raises: UsageError: a damaged one."""
    if not isinstance(origin, dict):
        raise UsageError("origin: expected an object")
    if "code" not in origin:
        return None
    try:
        code = torch.tensor(origin["code"], dtype=torch.float32).view(*map(int, origin["shape"]))
        classes = None if origin.get("label") is None else torch.tensor([int(origin["label"])])
        if (
            origin["space"] not in SPACES
            or not bool(code.isfinite().all())
            or code.ndim != (2 if origin["space"] == "w+" else 1)
        ):
            raise ValueError
    except (KeyError, TypeError, ValueError, RuntimeError):
        raise UsageError("origin: expected the code of a picture, as a search gives it") from None
    return Codes(origin["space"], code[None], classes, (str(origin.get("name", "")),))


def read_strokes(task: Task, model: Model) -> Array:
    """What was painted, uint8 [H, W, 4]. Raises: UsageError: another shape."""
    strokes, (_, height, width) = task.arrays.get("strokes"), model.shape
    if strokes is None or strokes.dtype != np.uint8 or strokes.shape != (height, width, STROKES):
        raise UsageError(f"strokes: expected uint8 [{height}, {width}, 4]")
    return strokes


def read_hole(task: Task, model: Model) -> npt.NDArray[np.bool_]:
    """What is to be filled, bool [H, W]. Raises: UsageError: nothing, or everything."""
    hole: npt.NDArray[np.bool_] = read_strokes(task, model)[..., 3] >= COVERED
    if not hole.any() or hole.all():
        raise UsageError(
            f"the hole: expected some of the picture, found {'all' if hole.all() else 'nothing'} of it; paint again"
        )
    return hole


def read_target(task: Task, model: Model) -> Tensor:
    """The picture of the person as the model is shown it, [1, C, H, W] in [-1, 1]. Raises: UsageError: another shape."""
    target, (channels, height, width) = task.arrays.get("target"), model.shape
    if target is None or target.dtype != np.uint8 or target.shape != (height, width, channels):
        raise UsageError(f"target: expected uint8 [{height}, {width}, {channels}]; choose the picture again")
    return as_samples(np.array(target)[None], model.shape)


def describe_edit(model: Model, task: Task, steps: list[Step]) -> dict[str, str]:
    """What a saved file says about how it was made; the page opens it again."""
    origin = task.facts.get("origin")
    seed = str(origin["seed"]) if isinstance(origin, dict) and "seed" in origin else "none: found by inversion"
    edit = {"origin": origin, "steps": write_steps(steps)}
    if task.facts.get("tuned"):
        edit["tuned"] = str(task.facts["tuned"])
    if "strokes" in task.arrays:
        edit["filled"] = True
    return {**model.provenance(seed), "edits": json.dumps(edit)}


def name_class(model: Model, label: int | None) -> str:
    """What a class is called; "" if there is none."""
    return "" if label is None else model.classes[label]
