"""What a training writes for other tools, such as TensorBoard: `ganvas train RECIPE --log tensorboard`.

The run folder stays the truth. A `LogFollower` reads what is new in its log.jsonl and its samples/, and passes it on; so a
tracker knows nothing of the training, and the training nothing of trackers. What a tracker wrote before is replaced when the
run is continued, or goes back to a checkpoint, because the log is then another one.

Another tool is one class with the methods of `Tracker`, and a line in `TRACKERS`.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from PIL import Image

from ganvas.errors import GanvasError, UsageError, unknown_name
from ganvas.training.log import read_log
from ganvas.utils.parsing import printable

COUNTS = ("step", "items")  # of a row; everything else is a value, or the text of an event


class Tracker(Protocol):
    """Where a training is shown. `items` are the images that it had seen."""

    def add_scalars(self, items: int, values: Mapping[str, float]) -> None:
        """Loss terms and notes: means over some steps."""

    def add_sheet(self, items: int, picture: Path) -> None:
        """A PNG with samples of the same noise, or outputs for the same inputs, as each time."""

    def add_text(self, items: int, title: str, words: str) -> None:
        """What happened, or what the run is."""

    def close(self) -> None:
        """Write what is still held back: nothing is added after it."""


class TensorBoard:
    """Event files for TensorBoard in RUN/tensorboard: `tensorboard --logdir runs`."""

    def __init__(self, run: Path) -> None:
        from torch.utils.tensorboard import SummaryWriter

        folder = run / "tensorboard"
        shutil.rmtree(folder, ignore_errors=True)
        self.writer = SummaryWriter(str(folder))

    def add_scalars(self, items: int, values: Mapping[str, float]) -> None:
        """Each a curve of its own."""
        for name, value in values.items():
            self.writer.add_scalar(name, value, items)

    def add_sheet(self, items: int, picture: Path) -> None:
        """One picture with a slider over time."""
        with Image.open(picture) as image:
            pixels = np.array(image.convert("RGB"))
        self.writer.add_image("samples", pixels, items, dataformats="HWC")

    def add_text(self, items: int, title: str, words: str) -> None:
        """Shown as it is: four spaces before a line are a block of code in Markdown."""
        block = "\n".join(f"    {line}" for line in words.splitlines())
        self.writer.add_text(title, block, items)
        self.writer.flush()

    def close(self) -> None:
        """A thread of the writer holds back what came in the last two minutes, and would lose it as the process ends."""
        self.writer.close()


TRACKERS: Mapping[str, Callable[[Path], Tracker]] = {"tensorboard": TensorBoard}  # by the name of its package and extra


def require_tracker(name: str | None) -> None:
    """Raises: UsageError: no such tracker, or its extra is not installed."""
    if name is None:
        return
    if name not in TRACKERS:
        raise unknown_name("tracker", name, TRACKERS)
    if importlib.util.find_spec(name) is None:
        raise UsageError(f"--log {name} needs an extra: pip install 'ganvas[{name}]'")


class LogFollower:
    """Passes on to a tracker what is new in a run folder. What it cannot write is said once, and the training goes on."""

    def __init__(self, run: Path, make: Callable[[Path], Tracker], tell: Callable[[str], None]) -> None:
        self.run, self.make, self.tell = run, make, tell
        self.size, self.begun, self.refused = 0, False, False
        self.rows, self.pictures = 0, set[str]()
        self.tracker = make(run)

    def update(self) -> None:
        """Pass on the rows and sheets that have come since the last call."""
        try:
            size = (self.run / "log.jsonl").stat().st_size
        except OSError:  # no row yet
            return
        if size != self.size:
            self._attempt(lambda: self._pass_on(size))

    def close(self) -> None:
        """Pass on the rest, also a sheet that came after the last row, and close the tracker."""
        with suppress(OSError):  # no row yet
            size = (self.run / "log.jsonl").stat().st_size
            self._attempt(lambda: self._pass_on(size))
        self._attempt(self.tracker.close)

    def _attempt(self, write: Callable[[], None]) -> None:
        if self.refused:
            return
        try:
            write()
        except (OSError, ValueError, GanvasError) as failure:
            self.refused = True
            self.tell(f"no more is passed on by --log, training goes on: {printable(failure)}")

    def _pass_on(self, size: int) -> None:
        if size < self.size:  # the run went back to a checkpoint
            self.tracker.close()
            self.tracker, self.begun, self.rows = self.make(self.run), False, 0
            self.pictures.clear()
        self.size = size
        if not self.begun:
            self.begun = True
            recipe = json.loads((self.run / "recipe.json").read_text(encoding="utf-8"))
            self.tracker.add_text(0, "recipe", json.dumps(recipe, indent=1, ensure_ascii=False))
        rows = read_log(self.run / "log.jsonl")
        for row in rows[self.rows :]:
            self._add_row(row)
        self.rows = len(rows)
        for path in sorted((self.run / "samples").glob("*k.png")):
            if path.name not in self.pictures:
                self.pictures.add(path.name)
                self.tracker.add_sheet(round(1000 * float(path.name.removesuffix("k.png"))), path)

    def _add_row(self, row: Mapping[str, Any]) -> None:
        items = int(row.get("items", 0))
        if "event" in row:
            self.tracker.add_text(items, "events", str(row["event"]))
        else:
            self.tracker.add_scalars(items, {name: float(value) for name, value in row.items() if name not in COUNTS})


@contextmanager
def follow_log(run: Path, name: str | None, tell: Callable[[str], None]) -> Iterator[Callable[[], None]]:
    """A function to call after each step; at the end the rest is passed on. None: it does nothing.

    Raises:
        UsageError: as of `require_tracker`.
    """
    require_tracker(name)
    if name is None:
        yield lambda: None
        return
    follower = LogFollower(run, TRACKERS[name], tell)
    try:
        yield follower.update
    finally:
        follower.close()
