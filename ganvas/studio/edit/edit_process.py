"""The process of a page /edit: it keeps the models, finds codes of pictures, and follows steps.

Tasks have `model` (the run), `origin` and `steps` in their facts. An origin is {seed, label}, or a code that was found:
{space, code, shape, label, name}; `tuned` names a copy of the model that was tuned here.

- `describe`: what the model offers;
- `draw` -> `before` and `after` uint8 [H, W, C], `film` uint8 [n, h, w, C], small, with the picture after each step; with
  `keep` the picture is a PNG too, which says how it was made;
- `ends`: `names` of directions -> `ends` uint8 [2 n, h, w, C], the two ends of each;
- `invert`: array `picture`, which is `called` so -> `origin`, its `error` in levels of 255, and `target`, the picture as the
  model was shown it;
- `found`: what `invert` or `drag` had found when it was cancelled;
- `tune`: array `target` -> `tuned`, a copy of the model whose code gives the target, and the new `error`;
- `brush`: array `strokes` uint8 [H, W, 4], not transparent where it was painted -> `step`;
- `drag`: `handles` and `targets`, pixels [x, y], perhaps array `mask` uint8 [H, W], white where it may move -> `step`, the
  `reason` for its end, the same in `words`, and the `distances` that are left.
"""

from __future__ import annotations

import json
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ganvas.core.capabilities import Projects, Styled
from ganvas.data.images import fit_to_side
from ganvas.editing.alignment import Ground
from ganvas.editing.drag import REASONS, Point
from ganvas.editing.edits import Editor, Place, Step, read_steps, write_steps
from ganvas.editing.inversion import Inversion, invert
from ganvas.editing.named_directions import separable_classes
from ganvas.editing.tuning import tune
from ganvas.errors import UsageError
from ganvas.inference.codes import SPACES, Codes
from ganvas.inference.encoding import as_samples
from ganvas.inference.model import Model, load
from ganvas.media.image_files import save_png, to_bytes
from ganvas.runtime.device import available_cores
from ganvas.studio.model_cache import ModelCache
from ganvas.studio.page_tasks import CancelledTaskError, Result, Task, run_tasks
from ganvas.studio.socket import Array

SMALL = 48  # pixels of the longer side of a picture of the film, and of an end of a direction
END = 3.0  # standard deviations to the two ends of a direction
OFFERED = 6  # directions of each kind
RESTARTS, SEARCH_STEPS = 8, 40  # of a search, so that it takes seconds
TUNING_STEPS = 150
MOST_TUNED = 4  # copies that are kept
LOOKED_AT = 128  # samples that say how the data were aligned
SHOW_EACH = 4  # steps of a drag from one picture to the next
XY = 2  # numbers of a point
CHOICES = 4  # channels of strokes: color, and whether it was painted


class Desk:
    """The tasks, and the models that they use."""

    def __init__(self) -> None:
        self.models: dict[str, ModelCache[Editor]] = {}
        self.tuned: dict[str, Editor] = {}
        self.grounds: dict[str, Ground | None] = {}
        self.last: Result | None = None

    def find_editor(self, task: Task) -> Editor:
        """The editor of the model of a task, on the device of the studio, or of its tuned copy."""
        if name := task.facts.get("tuned"):
            if str(name) not in self.tuned:
                raise UsageError("the tuned copy is not here any more; tune again, or undo")
            return self.tuned[str(name)]
        paths = task.facts["paths"]
        device = paths["device"]
        cache = self.models.setdefault(device, ModelCache(lambda folder: Editor(load(folder, device))))
        return cache.find(paths["run"])

    def describe(self, task: Task) -> Result:
        """What the model offers."""
        model = self.find_editor(task).model
        game, between = model.drawer, separable_classes(model)
        kinds = ["pca", "sefa"] if isinstance(game, Styled) else ["sefa"] if isinstance(game, Projects) else ["axis"]
        names = [f"{kind}:{i}" for kind in kinds for i in range(min(OFFERED, game.latent_dim))]
        return {
            "identity": model.identity,
            "side": model.shape[-1],
            "channels": model.shape[0],
            "classes": model.classes,
            "styles": game.styles if isinstance(game, Styled) else 0,
            "directions": names,
            "between": [] if model.classes else between,
        }, {}

    def draw(self, task: Task) -> Result:
        """The picture before all steps, after them, and after each one."""
        editor, steps = self.find_editor(task), read_steps(task.facts.get("steps", []))
        start = time.perf_counter()
        places = editor.follow(read_origin(editor, task.facts.get("origin")), steps)
        pictures = to_bytes(editor.draw(places)).permute(0, 2, 3, 1).numpy()
        facts: dict[str, Any] = {"milliseconds": round(1000 * (time.perf_counter() - start))}
        if "out" in task.facts["paths"]:
            write(Path(task.facts["paths"]["out"]), pictures[-1], describe_edit(editor.model, task, steps))
            facts["kept"] = task.facts["kept"]
        return facts, {"before": pictures[0].copy(), "after": pictures[-1].copy(), "film": shrink(pictures)}

    def ends(self, task: Task) -> Result:
        """The two ends of directions."""
        editor, names = self.find_editor(task), task.facts.get("names")
        if not isinstance(names, list) or not 0 < len(names) <= 4 * OFFERED:
            raise UsageError("names: expected some names of directions")
        place = editor.follow(read_origin(editor, task.facts.get("origin")), read_steps(task.facts.get("steps", [])))[-1]
        both = [Step(kind="move", name=str(name), amount=way) for name in names for way in (-END, END)]
        pictures = to_bytes(editor.draw([editor.apply(place, step) for step in both])).permute(0, 2, 3, 1).numpy()
        return {"amount": END}, {"ends": shrink(pictures)}

    def invert(self, task: Task) -> Result:
        """The code of a picture."""
        editor, picture = self.find_editor(task), task.arrays.get("picture")
        if picture is None or picture.dtype != np.uint8 or picture.ndim != 3:
            raise UsageError("picture: expected uint8 [H, W, C]")
        model = editor.model
        target, aligned = self.align(model, np.array(picture))
        count = 0

        def watch(best: Tensor) -> bool:
            nonlocal count
            count += 1
            with suppress(CancelledTaskError):  # stopped: the best code so far is the result, see `get_found`
                task.show({"step": count}, {"picture": to_picture(best)})
            return not task.cancelled

        where = "w+" if editor.styles else "z"
        found = invert(model, target, task.facts.get("label"), where=where, restarts=RESTARTS, steps=SEARCH_STEPS, watch=watch)
        label = None if found.classes is None else int(found.classes[0])
        code = found.codes[0]
        origin: dict[str, Any] = {"space": found.space, "label": label, "name": str(task.facts.get("called", ""))[:100]}
        origin |= {"shape": list(code.shape), "code": code.flatten().tolist()}
        facts = {"origin": origin, "error": round(float(found.errors[0]), 1), "aligned": aligned}
        self.last = {**facts, "class": name_class(model, label)}, {"target": to_picture(target[0])}
        return self.last

    def get_found(self, _: Task) -> Result:
        """What the last search had found when it was stopped."""
        if self.last is None:
            raise UsageError("nothing was found yet")
        return self.last

    def align(self, model: Model, picture: Array) -> tuple[Tensor, str]:
        """A picture [H, W, C] as the model takes it, [1, C, side, side], and what was done to it."""
        if model.identity not in self.grounds:
            self.grounds[model.identity] = Ground.of_samples(torch.cat([part for part, _ in model.stream(LOOKED_AT)]))
        channels, _, side = model.shape
        ground = self.grounds[model.identity]
        picture, done = ground.align(picture, side) if ground else (picture, "")
        pixels = fit_to_side(picture, side, channels, model.data_config("").fit)
        return as_samples(pixels.transpose(1, 2, 0)[None], model.shape), done

    def tune(self, task: Task) -> Result:
        """A copy of the model whose code gives the picture itself."""
        editor, target = self.find_editor(task), task.arrays.get("target")
        model, origin = editor.model, task.facts.get("origin")
        codes = read_codes(origin)
        if target is None or codes is None:
            raise UsageError("tune: expected the code of a picture, and the picture; search for it first")
        wanted = as_samples(np.array(target)[None], model.shape)
        before = editor.draw([editor.of_codes(codes)])
        found = Inversion(codes.space, codes.codes, codes.classes, before, error_of(before, wanted))
        looks = 0

        def watch(_: Tensor) -> bool:
            nonlocal looks
            looks += 1
            task.report(looks, TUNING_STEPS // 10)
            return True

        game, found = tune(model, found, wanted, TUNING_STEPS, watch=watch)
        name = f"{model.identity}-{len(self.tuned) + 1}-{time.monotonic_ns():x}"
        self.tuned[name] = Editor(Model(game, model.card | {"tuned_from": model.identity}, f"{model.identity}-tuned"))
        while len(self.tuned) > MOST_TUNED:
            self.tuned.pop(next(iter(self.tuned)))
        return {"tuned": name, "error": round(float(found.errors[0]), 1)}, {}

    def brush(self, task: Task) -> Result:
        """The step to what was painted."""
        editor, strokes = self.find_editor(task), task.arrays.get("strokes")
        channels, height, width = editor.model.shape
        if strokes is None or strokes.dtype != np.uint8 or strokes.shape != (height, width, CHOICES):
            raise UsageError(f"strokes: expected uint8 [{height}, {width}, 4]")
        place = editor.follow(read_origin(editor, task.facts.get("origin")), read_steps(task.facts.get("steps", [])))[-1]
        color = torch.from_numpy(strokes[..., :3].astype(np.float32)).permute(2, 0, 1) / 127.5 - 1
        covered = torch.from_numpy(strokes[..., 3].astype(np.float32)) / 255
        color = color if channels > 1 else color.mean(0, keepdim=True)
        step = editor.brush(place, color, covered, watch=lambda _: not task.cancelled)
        return {"step": asdict(step)}, {}

    def drag(self, task: Task) -> Result:
        """The step that drags points to where they shall be."""
        editor, mask = self.find_editor(task), task.arrays.get("mask")
        place = editor.follow(read_origin(editor, task.facts.get("origin")), read_steps(task.facts.get("steps", [])))[-1]
        handles, targets = read_points(task.facts.get("handles")), read_points(task.facts.get("targets"))
        count = 0

        def watch(picture: Tensor, points: Tensor) -> bool:
            nonlocal count
            count += 1
            if count % SHOW_EACH == 0:
                with suppress(CancelledTaskError):  # stopped: what was reached is the result, see `get_found`
                    task.show({"step": count, "points": points.tolist()}, {"picture": to_picture(picture)})
            return not task.cancelled

        given = None if mask is None else np.array(mask)
        step, found = editor.drag(place, handles, targets, given, watch=watch)
        facts: dict[str, Any] = {"step": asdict(step), "reason": found.reason, "words": REASONS[found.reason]}
        facts |= {"distances": [round(each, 1) for each in found.distances], "count": found.steps}
        self.last = facts, {}
        return self.last


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
    if type(seed) is not int or not 0 <= seed < 2**53 or type(label) not in (int, type(None)):
        raise UsageError("origin: expected a seed from 0 on, and the number of a class or none")
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


def describe_edit(model: Model, task: Task, steps: list[Step]) -> dict[str, str]:
    """What a saved file says about how it was made; the page opens it again."""
    origin = task.facts.get("origin")
    seed = str(origin["seed"]) if isinstance(origin, dict) and "seed" in origin else "none: found by inversion"
    edit = {"origin": origin, "steps": write_steps(steps)}
    return {**model.provenance(seed), "edits": json.dumps(edit)}


def name_class(model: Model, label: int | None) -> str:
    """What a class is called; "" if there is none."""
    return "" if label is None else model.classes[label]


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


def main() -> None:
    """Do tasks until the page is gone."""
    torch.set_num_threads(max(1, len(available_cores()) // 2))
    desk = Desk()
    works = {"describe": desk.describe, "draw": desk.draw, "ends": desk.ends, "invert": desk.invert, "found": desk.get_found}
    run_tasks({**works, "tune": desk.tune, "brush": desk.brush, "drag": desk.drag})


if __name__ == "__main__":
    main()
