"""The process of a page /animate: it keeps the models, and lets pictures move.

Tasks:

- `animate`: `model` (the run), array `picture` uint8 [H, W, 3], array `frames` uint8 [T, H', W', 3], `absolute`, perhaps
  `every`: only each k-th frame -> `frames` uint8 [T, side, side, 3], `source` and `driving` as the model got them, and the
  `motion` of each frame;
- `film`: the same, and `ending` gif, apng or mp4, and `milliseconds` of a frame -> `file`, its bytes.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from ganvas.errors import UsageError
from ganvas.inference.animation import Animated, animate_clip
from ganvas.inference.model import Model, load
from ganvas.media.animations import encode_animation
from ganvas.media.video import save_film
from ganvas.runtime.device import available_cores
from ganvas.studio.model_cache import ModelCache
from ganvas.studio.page_tasks import Result, Task, run_tasks
from ganvas.studio.run_task_socket import MOST_SENT
from ganvas.studio.socket import Array

KINDS = ("gif", "apng", "mp4")
FRAMES = (2, 64)  # of a clip, at least and at most
MILLISECONDS = (10, 2_000)  # of a frame
COLORS = 3
ADVICE = "do not take its poses as they are"  # as the box of absolute motion is called


class Projector:
    """The tasks, and the models that they use."""

    def __init__(self) -> None:
        self.models: dict[str, ModelCache[Model]] = {}

    def find_model(self, task: Task) -> Model:
        """The model of a task, on the device of the studio."""
        paths = task.facts["paths"]
        device = paths["device"]
        return self.models.setdefault(device, ModelCache(lambda folder: load(folder, device))).find(paths["run"])

    def animate(self, task: Task) -> Result:
        """The picture as it moves."""
        start = time.perf_counter()
        found = self.run(task)
        facts = describe(found) | {"milliseconds": round(1000 * (time.perf_counter() - start))}
        arrays = {"frames": color(found.frames), "source": found.source, "driving": found.driving}
        if sum(array.size for array in arrays.values()) > MOST_SENT:
            raise UsageError("the clip is too long to be shown here; cut it, or use ganvas animate")
        return facts, {name: np.ascontiguousarray(array) for name, array in arrays.items()}

    def film(self, task: Task) -> Result:
        """The same as the bytes of a file."""
        kind, pace = task.facts.get("ending"), task.facts.get("milliseconds", 0)
        if kind not in KINDS or type(pace) not in (int, float) or not MILLISECONDS[0] <= pace <= MILLISECONDS[1]:
            low, high = MILLISECONDS
            raise UsageError(f"film: expected {', '.join(KINDS)} with frames of {low} to {high} milliseconds")
        frames = list(color(self.run(task).frames))
        text = self.find_model(task).provenance("none") | {"direction": "animated"}
        if kind == "mp4":
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "film.mp4"
                save_film(path, [Image.fromarray(frame) for frame in frames], max(1, round(pace)), text)
                data = path.read_bytes()
        else:
            data = encode_animation(frames, [float(pace)] * len(frames), 0, ".gif" if kind == "gif" else ".png", text)
        if len(data) > MOST_SENT:
            raise UsageError("the film is too large to be sent at once; use ganvas animate")
        return {"ending": kind}, {"file": np.frombuffer(data, np.uint8)}

    def run(self, task: Task) -> Animated:
        """What a task asks for."""
        model, picture, frames = self.find_model(task), task.arrays.get("picture"), task.arrays.get("frames")
        if picture is None or picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != COLORS:
            raise UsageError("picture: expected uint8 [H, W, 3]")
        if frames is None or frames.dtype != np.uint8 or frames.ndim != 4 or not FRAMES[0] <= len(frames) <= FRAMES[1]:
            raise UsageError(f"frames: expected uint8 [T, H, W, 3] with {FRAMES[0]} to {FRAMES[1]} frames")
        every = task.facts.get("every", 1)
        every = every if type(every) is int and 1 <= every <= FRAMES[1] else 1
        clip = [np.array(frame) for frame in frames]
        chosen = clip[::every] if len(clip[::every]) >= FRAMES[0] else clip
        absolute = task.facts.get("absolute") is True
        return animate_clip(model, np.array(picture), chosen, absolute=absolute, advice=ADVICE)


def describe(found: Animated) -> dict[str, Any]:
    """What the page says about a result."""
    picture, clip = (crop.text() for crop in found.crops)
    facts = {"start": found.start, "motion": [round(each, 2) for each in found.motion], "notes": list(found.notes)}
    return {**facts, "cut": {"picture": picture, "clip": clip}}


def color(frames: Array) -> Array:
    """Frames [T, H, W, C] with three channels."""
    return frames if frames.shape[3] == COLORS else np.repeat(frames, COLORS, 3)


def main() -> None:
    """Do tasks until the page is gone."""
    torch.set_num_threads(max(1, len(available_cores()) // 2))
    projector = Projector()
    run_tasks({"animate": projector.animate, "film": projector.film})


if __name__ == "__main__":
    main()
