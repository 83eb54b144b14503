"""The process of a page /edit: it keeps the models, finds codes of pictures, and follows steps.

Tasks have `model` (the run), `origin` and `steps` in their facts. An origin is {seed, label}, or a code that was found:
{space, code, shape, label, name}; `tuned` names a copy of the model that was tuned here.

- `describe`: what the model offers;
- `draw` -> `before` and `after` uint8 [H, W, C], `film` uint8 [n, h, w, C], small, with the picture after each step; with
  `keep` the picture is a PNG too, which says how it was made;
- `ends`: `names` of directions -> `ends` uint8 [2 n, h, w, C], the two ends of each;
- `invert`: array `picture`, which is `called` so, perhaps with the class `label` that it has -> `origin`, its `error` in levels
  of 255, and `target`, the picture as the model was shown it; or array `target` itself, once more;
- `fill`: arrays `target`, and `strokes` uint8 [H, W, 4], not transparent where the hole is -> `origin` of the picture that is
  nearest outside the hole, and its `error` there. `draw` with these arrays keeps the target with its hole filled;
- `floor` -> `own` and `held_out`, the errors that samples of the model, and pictures of its data, are found with;
- `found`: what the task with this `job` had found when it was cancelled;
- `tune`: array `target` -> `tuned`, a copy of the model whose code gives the target, and the new `error`;
- `brush`: array `strokes` -> `step`;
- `drag`: `handles` and `targets`, pixels [x, y], perhaps array `mask` uint8 [H, W], white where it may move -> `step`, the
  `reason` for its end, the same in `words`, and the `distances` that are left.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganvas.core.capabilities import Projects, Styled
from ganvas.data.images import fit_to_side
from ganvas.editing.code_search import STEPS
from ganvas.editing.drag import REASONS
from ganvas.editing.edits import Editor, Step, read_steps
from ganvas.editing.floors import Floors, find_limit
from ganvas.editing.inversion import Inversion, invert
from ganvas.editing.named_directions import separable_classes
from ganvas.editing.tuning import EVERY, tune
from ganvas.errors import UsageError
from ganvas.inference.aligned_inputs import LOOKED_AT
from ganvas.inference.alignment import Ground
from ganvas.inference.encoding import as_samples
from ganvas.inference.model import Model, load
from ganvas.media.image_files import to_bytes
from ganvas.runtime.device import available_cores
from ganvas.studio.edit.edit_origins import (
    describe_edit,
    name_class,
    read_codes,
    read_hole,
    read_origin,
    read_points,
    read_strokes,
    read_target,
)
from ganvas.studio.edit.edit_pictures import error_of, shrink, to_picture, write
from ganvas.studio.model_cache import ModelCache
from ganvas.studio.page_tasks import CancelledTaskError, Result, Task, run_tasks
from ganvas.studio.socket import Array

END = 3.0  # standard deviations to the two ends of a direction
OFFERED = 6  # directions of each kind
MOST_SECONDS = 4.0  # a search ends when it has taken so long, and
LEAST_STEPS, LEAST_BY_GRADIENT = 30, 45  # made so many steps; more are needed to come to the styles of each layer
SMALL_SIDE, RESTARTS, FEW_RESTARTS = 32, 32, 6  # starts of a search in z of pictures of at most this side; of all others
TUNING_STEPS = 150
MOST_TUNED = 4  # copies that are kept
SHOW_EACH = 4  # steps of a drag from one picture to the next


class Desk:
    """The tasks, and the models that they use."""

    def __init__(self) -> None:
        self.models: dict[str, ModelCache[Editor]] = {}
        self.tuned: dict[str, Editor] = {}
        self.grounds: dict[str, Ground | None] = {}
        self.floors: dict[str, Floors] = {}
        self.last: tuple[Any, Result] | None = None  # the job, and its result

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
            "quick": is_quick(self.find_editor(task)),
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
            kept = pictures[-1]
            if "strokes" in task.arrays:
                target = to_picture(read_target(task, editor.model)[0])
                kept = np.where(read_hole(task, editor.model)[..., None], kept, target)
            write(Path(task.facts["paths"]["out"]), kept, describe_edit(editor.model, task, steps))
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
        if "target" in task.arrays:
            return self.search(task, editor, read_target(task, editor.model), "")
        if picture is None or picture.dtype != np.uint8 or picture.ndim != 3:
            raise UsageError("picture: expected uint8 [H, W, C]")
        target, aligned = self.align(editor.model, np.array(picture))
        return self.search(task, editor, target, aligned)

    def fill(self, task: Task) -> Result:
        """The code of the picture that is nearest to one outside a hole."""
        editor = self.find_editor(task)
        hole, target = read_hole(task, editor.model), read_target(task, editor.model)
        return self.search(task, editor, target, "", torch.from_numpy(~hole).float())

    def search(self, task: Task, editor: Editor, target: Tensor, aligned: str, weights: Tensor | None = None) -> Result:
        """The code of a picture [1, C, H, W], and how near it comes."""
        model, wanted = editor.model, task.facts.get("label")
        if type(wanted) not in (int, type(None)):
            raise UsageError("label: expected the number of a class, or none")
        limit = Limit(editor)

        def watch(best: Tensor) -> bool:
            with suppress(CancelledTaskError):  # stopped: the best code so far is the result, see `get_found`
                task.show({"step": limit.steps + 1}, {"picture": to_picture(best)})
            return not task.cancelled and limit.allows()

        found = invert(model, target, wanted, watch=watch, weights=weights, **choose_search(editor))
        label = None if found.classes is None else int(found.classes[0])
        code = found.codes[0]
        origin: dict[str, Any] = {"space": found.space, "label": label, "name": str(task.facts.get("called", ""))[:100]}
        origin |= {"shape": list(code.shape), "code": code.flatten().tolist()}
        facts = {"origin": origin, "error": round(float(found.errors[0]), 1), "aligned": aligned}
        return self.keep(task, ({**facts, "class": name_class(model, label)}, {"target": to_picture(target[0])}))

    def keep(self, task: Task, result: Result) -> Result:
        """Keep the result of a job, in case that it was stopped; a stopped task ends without one."""
        self.last = task.facts.get("job"), result
        return result

    def get_found(self, task: Task) -> Result:
        """What a job had found when it was stopped."""
        if self.last is None or self.last[0] != task.facts.get("job"):
            raise UsageError("stopped before anything was found")
        return self.last[1]

    def floor(self, task: Task) -> Result:
        """The errors to compare with. What is measured already stays when the task is cancelled."""
        editor = self.find_editor(task)
        model = editor.model
        if model.identity not in self.floors:
            self.floors[model.identity] = Floors(model)
        floors = self.floors[model.identity]
        while not floors.is_done:
            task.report(len(floors.errors), len(floors.targets))  # it also ends a task that is not wanted any more
            limit = Limit(editor)
            floors.measure_one(watch=limit.allows, stop=lambda: task.cancelled, **choose_search(editor))
        own, held_out = floors.read()
        medians = {"own": round(own, 1), "held_out": None if held_out is None else round(held_out, 1)}
        return {**medians, "limit": find_limit(own, held_out)}, {}

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
        editor = self.find_editor(task)
        model, codes = editor.model, read_codes(task.facts.get("origin"))
        if codes is None:
            raise UsageError("tune: expected the code of a picture; search for it first")
        wanted = read_target(task, model)
        before = editor.draw([editor.of_codes(codes)])
        found = Inversion(codes.space, codes.codes, codes.classes, before, error_of(before, wanted))
        looks = 0

        def watch(_: Tensor) -> bool:
            nonlocal looks
            looks += 1
            with suppress(CancelledTaskError):  # stopped: the best copy so far is the result
                task.report(looks, TUNING_STEPS // EVERY)
            return not task.cancelled

        game, found = tune(model, found, wanted, TUNING_STEPS, watch=watch)
        name = f"{model.identity}-{len(self.tuned) + 1}-{time.monotonic_ns():x}"
        self.tuned[name] = Editor(Model(game, model.card | {"tuned_from": model.identity}, f"{model.identity}-tuned"))
        while len(self.tuned) > MOST_TUNED:
            self.tuned.pop(next(iter(self.tuned)))
        return self.keep(task, ({"tuned": name, "error": round(float(found.errors[0]), 1)}, {}))

    def brush(self, task: Task) -> Result:
        """The step to what was painted."""
        editor = self.find_editor(task)
        channels, strokes = editor.model.shape[0], read_strokes(task, editor.model)
        place = editor.follow(read_origin(editor, task.facts.get("origin")), read_steps(task.facts.get("steps", [])))[-1]
        color = torch.from_numpy(strokes[..., :3].astype(np.float32)).permute(2, 0, 1) / 127.5 - 1
        covered = torch.from_numpy(strokes[..., 3].astype(np.float32)) / 255
        color = color if channels > 1 else color.mean(0, keepdim=True)
        step, _ = editor.brush(place, color, covered, watch=lambda _: not task.cancelled)
        return self.keep(task, ({"step": asdict(step)}, {}))

    def drag(self, task: Task) -> Result:
        """The step that drags points to where they should be."""
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
        return self.keep(task, (facts, {}))


class Limit:
    """The end of a search, so that one need not wait for what more attempts might find."""

    def __init__(self, editor: Editor) -> None:
        self.start, self.steps = time.perf_counter(), 0
        self.least = LEAST_STEPS if is_quick(editor) else LEAST_BY_GRADIENT

    def allows(self, _: Any = None) -> bool:
        """Count a step; whether another one may follow."""
        self.steps += 1
        return self.steps < self.least or time.perf_counter() - self.start < MOST_SECONDS


def choose_search(editor: Editor) -> dict[str, Any]:
    """How codes of a model are searched: more starts where they cost little."""
    restarts = RESTARTS if is_quick(editor) else FEW_RESTARTS
    return {"where": "w+" if editor.styles else "z", "restarts": restarts, "steps": STEPS}


def is_quick(editor: Editor) -> bool:
    """Whether a search takes a few seconds: small pictures, and no styles of many layers."""
    return not editor.styles and editor.model.shape[-1] <= SMALL_SIDE


def main() -> None:
    """Do tasks until the page is gone."""
    torch.set_num_threads(max(1, len(available_cores()) // 2))
    desk = Desk()
    works = {"describe": desk.describe, "draw": desk.draw, "ends": desk.ends, "invert": desk.invert, "found": desk.get_found}
    run_tasks({**works, "fill": desk.fill, "floor": desk.floor, "tune": desk.tune, "brush": desk.brush, "drag": desk.drag})


if __name__ == "__main__":
    main()
