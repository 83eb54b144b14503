"""The process of a page /translate: it keeps the models, paints maps, translates pictures and fills holes in them.

Tasks, with `model` (the run), `seed`, `to`, `strength` from 0 to 1 and `back` (also the way back) in their facts:

- `paint`: array `map` uint8 [H, W] -> `picture` uint8 [H, W, 3];
- `translate`: array `picture` uint8 [H, W, C], or the id of a picture that was sent as the fact `picture` -> `picture`, `back`;
- `fill`: a picture in the same ways, and array `hole` uint8 [H, ceil(W / 8)], a bit for each pixel -> `picture`, the smallest
  part of the result that holds the hole; `corner` [x, y], its place.

A task with the fact `keep` writes its result as a PNG and answers with its id; a page asks so for what no frame can hold. With
`keep` "back" it is the picture of the way back.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from ganvas.core.capabilities import Inpaints
from ganvas.errors import UsageError
from ganvas.inference.holes import Hole, describe_hole, require_hole
from ganvas.inference.model import Model, load
from ganvas.inference.picture_inpainting import inpaint_one
from ganvas.inference.picture_translation import find_way, paint_one, translate_along
from ganvas.latents.seed_latents import SEEDS
from ganvas.media.image_files import save_png
from ganvas.runtime.device import available_cores
from ganvas.studio.model_cache import ModelCache
from ganvas.studio.page_tasks import Result, Task, run_tasks
from ganvas.studio.run_task_socket import MOST_SENT
from ganvas.studio.socket import Array

PREVIEW = 384  # pixels of the longer side of what is shown of a large result
RGB = 3  # channels


class Painter:
    """The tasks, and the models that they use."""

    def __init__(self) -> None:
        self.models: dict[str, ModelCache[Model]] = {}
        self.windows: tuple[str, dict[bytes, Array]] = ("", {})  # the identity of a model, and what it filled last

    def find_model(self, task: Task) -> Model:
        """The model of a task, on the device of the studio."""
        paths = task.facts["paths"]
        device = paths["device"]
        return self.models.setdefault(device, ModelCache(lambda folder: load(folder, device))).find(paths["run"])

    def paint(self, task: Task) -> Result:
        """A picture of a drawn map."""
        model, drawn, seed = self.find_model(task), task.arrays.get("map"), read_seed(task)
        if drawn is None or drawn.dtype != np.uint8 or drawn.ndim != 2:
            raise UsageError("map: expected the class of each pixel, uint8 [H, W]")
        start = time.perf_counter()
        painted = paint_one(model, np.array(drawn), seed=seed)  # a frame's own memory cannot be written to
        return self.answer(task, model, {"picture": painted}, start)

    def translate(self, task: Task) -> Result:
        """A picture in another domain, larger, or filtered; with the fact `back` also back again."""
        model, strength = self.find_model(task), task.facts.get("strength", 1.0)
        if type(strength) not in (int, float) or not 0 <= strength <= 1:
            raise UsageError("strength: expected a number from 0 to 1")
        way, picture, start = find_way(model, task.facts.get("to") or None), read_picture(task), time.perf_counter()
        picture, seed = reduce_grey(picture, way.game.keeps_grey), read_seed(task)

        def report(done: int, count: int) -> None:
            task.report(done, count)  # it also ends a task that is not wanted any more

        facts: dict[str, Any] = {}
        directions = {"picture": way.about}
        found = {"picture": translate_along(way, picture, strength=strength, seed=seed, progress=report)}
        reverse = way.reverse() if task.facts.get("back") else None
        if reverse:
            found["back"] = translate_along(reverse, found["picture"], strength=strength, seed=seed, progress=report)
            directions["back"] = f"{way.about} > {reverse.target}"
            facts["apart"] = round(float(np.abs(found["back"].astype(int) - picture.astype(int)).mean()), 1)
        return self.answer(task, model, found, start, facts, directions)

    def fill(self, task: Task) -> Result:
        """A picture with its hole filled; all other pixels keep their bits."""
        model, picture = self.find_model(task), read_picture(task)
        if not isinstance(model.game, Inpaints):
            raise UsageError(f"{model.name} fills no holes; choose a model of an inpaint-... recipe")
        hole, start = read_sent_hole(task, picture), time.perf_counter()
        given = reduce_grey(picture, keeps_grey=True)
        if self.windows[0] != model.identity:
            self.windows = (model.identity, {})
        seed, memory = read_seed(task), self.windows[1]
        filled = inpaint_one(model.game, given, hole, seed=seed, progress=task.report, memory=memory)
        rows, columns = (np.flatnonzero(hole.any(axis)) for axis in (1, 0))
        part = filled[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        facts = {"corner": [int(columns[0]), int(rows[0])], "filled": describe_hole(hole)}
        return self.answer(task, model, {"picture": filled}, start, facts, {"picture": "inpainted"}, {"picture": part})

    def answer(
        self,
        task: Task,
        model: Model,
        found: dict[str, Array],
        start: float,
        more: Mapping[str, Any] | None = None,
        directions: Mapping[str, str] | None = None,
        shown: dict[str, Array] | None = None,
    ) -> Result:
        """The end of a task: pictures in a frame, or the id of a file; and the facts, with `more`.

        `directions`: for each picture of `found` what its file says about how it was made. `shown`: what a frame holds in place
        of `found`.
        """
        picture = found["picture"]
        facts: dict[str, Any] = {
            **(more or {}),
            "milliseconds": round(1000 * (time.perf_counter() - start)),
            "width": picture.shape[1],
            "height": picture.shape[0],
        }
        if "out" in task.facts["paths"]:
            kept = find_kept(task, found)
            origin = {**describe_origin(task, model), **({"direction": directions[kept]} if directions else {})}
            write(Path(task.facts["paths"]["out"]), found[kept], origin)
            facts["kept"] = task.facts["kept"]
            found = {name: shrink(array) for name, array in found.items()}
        elif shown is not None:
            found = shown
        if sum(array.size for array in found.values()) > MOST_SENT:
            raise UsageError("the result is too large to be shown at once; ask for it as a file")
        return facts, {name: np.ascontiguousarray(array) for name, array in found.items()}


def read_seed(task: Task) -> int:
    """The seed of the noise. Raises: UsageError: it is none."""
    seed = task.facts.get("seed", 0)
    if type(seed) is not int or not 0 <= seed < SEEDS:
        raise UsageError(f"seed: expected a whole number from 0 to {SEEDS - 1:,}")
    return seed


def read_picture(task: Task) -> Array:
    """The picture of a task, uint8 [H, W, C]. Raises: UsageError: there is none."""
    path = task.facts["paths"].get("picture")
    if path:
        return read_kept(path)
    picture = task.arrays.get("picture")
    if picture is None or picture.dtype != np.uint8 or picture.ndim != 3:
        raise UsageError("picture: expected uint8 [H, W, C]")
    return np.array(picture)


@lru_cache(maxsize=1)  # each stroke of a hole asks for the same one; what an id names never changes
def read_kept(path: str) -> Array:
    """A picture of the store, uint8 [H, W, C]: it has only grey and color of 8 bits."""
    with Image.open(path) as image:
        kept = np.array(image)
    return kept if kept.ndim == 3 else kept[..., None]


def find_kept(task: Task, found: Mapping[str, Array]) -> str:
    """The name of the picture of `found` that a task keeps. Raises: UsageError: there is no way back to keep."""
    name = "back" if task.facts.get("keep") == "back" else "picture"
    if name not in found:
        raise UsageError("keep: there is no picture of a way back; ask for it with back")
    return name


def read_sent_hole(task: Task, picture: Array) -> Hole:
    """What is to be filled of a picture [H, W, C], bool [H, W]. Raises: UsageError: nothing, everything, or of another size."""
    (height, width), sent = picture.shape[:2], task.arrays.get("hole")
    if sent is None or sent.dtype != np.uint8 or sent.shape != (height, -(-width // 8)):
        raise UsageError(f"hole: expected one bit for each of {width} x {height} pixels; paint it again")
    hole: Hole = np.unpackbits(sent, axis=1, count=width).astype(bool)
    require_hole(hole, (height, width), "the hole")
    return hole


def reduce_grey(picture: Array, keeps_grey: bool) -> Array:
    """One channel of a grey picture, if the model keeps grey: a canvas has three of them, and so have its pictures."""
    is_grey = picture.shape[2] == RGB and bool((picture == picture[..., :1]).all())
    return picture[..., :1] if is_grey and keeps_grey else picture


def describe_origin(task: Task, model: Model) -> dict[str, str]:
    """What a saved file says about where it is from."""
    named = {name: str(task.facts[name]) for name in ("to", "strength") if task.facts.get(name) not in (None, "")}
    return {**model.provenance(str(read_seed(task))), **named}


def write(out: Path, picture: Array, text: dict[str, str]) -> None:
    """Write a picture uint8 [H, W, C] as a PNG. Raises: ResourceError: the disk refused."""
    save_png(out, Image.fromarray(picture[..., 0] if picture.shape[2] == 1 else picture), text)


def shrink(picture: Array) -> Array:
    """A picture for a first look, at most PREVIEW pixels on its longer side."""
    step = -(-max(picture.shape[:2]) // PREVIEW)
    return picture[::step, ::step]


def main() -> None:
    """Do tasks until the page is gone."""
    torch.set_num_threads(max(1, len(available_cores()) // 2))
    painter = Painter()
    run_tasks({"paint": painter.paint, "translate": painter.translate, "fill": painter.fill})


if __name__ == "__main__":
    main()
