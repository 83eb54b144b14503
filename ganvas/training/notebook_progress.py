"""The progress of a training in a notebook: words, bars and the newest sheet, each replaced in place.

ganvas does not depend on IPython: only where a notebook has loaded it already it is used.
"""

from __future__ import annotations

import base64
import html
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganvas.core.telemetry import list_discriminators, name_column
from ganvas.training.progress_text import CALLS, ProgressText, format_time_left, title_of
from ganvas.utils.parsing import printable

if TYPE_CHECKING:
    from ganvas.training.run_folder import Run
    from ganvas.training.trainer import Progress

PAUSE = 0.5  # seconds between two changes of the words
MOST_EVENTS = 6  # the newest of the messages that are shown
COLORS = {"green": "#2a9d58", "magenta": "#a050c8"}
Display = Callable[..., Any]  # as `IPython.display.display`


def find_display() -> Display | None:
    """The function that shows something in the notebook that runs this code; None: no notebook runs it."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if getattr(shell, "kernel", None) is None:  # also the IPython of a terminal, which shows no pictures
        return None
    from IPython.display import display

    return display


class NotebookProgress(ProgressText):
    """Shows a run while it is trained: at most twice a second the words, and each sheet when it is there."""

    def __init__(self, run: Run, display: Display) -> None:
        super().__init__(run)
        self.display = display
        self.handles: dict[str, Any] = {}  # what is shown, by kind of data
        self.events: list[str] = []
        self.updated, self.sheet = 0.0, ""

    def update(self, progress: Progress) -> None:
        """Add one step, and show how far it is."""
        self.add(progress)
        self.events += progress.events
        if time.monotonic() - self.updated < PAUSE:
            return
        self.updated = time.monotonic()
        self.show("text/html", self.make_panel(progress), self.make_line(progress))
        newest = max((self.run.folder / "samples").glob("*k.png"), default=None)
        if newest is not None:
            self.show_sheet(newest)

    def finish(self) -> None:
        """Show what came out: how long it took, where it is, and the sheet of the model."""
        if not self.run.finished:
            words = f"stopped and saved; continue with ganvas.resume({str(self.run.folder)!r})"
        else:
            result = self.run.result
            speed = f"{result['images_per_second']:,.0f} {self.unit}/s"
            words = f"{result['items']:,} {self.unit} in {result['seconds']:.0f} s ({speed})"
            self.show_sheet(self.run.folder / "sheet.png")
        losses = f"<br>losses: {html.escape(self.format_losses())}" if self.smooth else ""
        self.show("text/html", f"{self.heading()}<br>{html.escape(words)}{losses}{self.list_events()}", words)

    def show(self, kind: str, data: str, words: str) -> None:
        """Show data of a MIME type in its place; `words` are for whoever cannot show it."""
        bundle = {kind: data, "text/plain": words}
        if kind in self.handles:
            self.handles[kind].update(bundle, raw=True)
        else:
            self.handles[kind] = self.display(bundle, raw=True, display_id=True)

    def show_sheet(self, path: Path) -> None:
        """Show a sheet, unless it is the one that is shown."""
        if str(path) == self.sheet or not path.is_file():
            return
        self.sheet = str(path)
        self.show("image/png", base64.b64encode(path.read_bytes()).decode(), printable(path))

    def make_panel(self, progress: Progress) -> str:
        """The words as HTML: how far, and of each discriminator what it calls real, and its balance."""
        share = progress.items / progress.total
        speed = f"{share:.0%} · {progress.rate:,.0f} {self.unit}/s · {format_time_left(progress)} left"
        rows = [(f"{progress.items:,} of {progress.total:,} {self.unit}", share, "", speed)]
        for name in list_discriminators(self.smooth):
            for note, what, color in CALLS:
                if (value := self.smooth.get(name_column(note, name))) is not None:
                    rows.append((f"{title_of(name)}: {what}", value, COLORS[color], f"{value:.0%} called real"))
        rows += [(title, value, "", words) for title, value, words in self.describe_balances()]
        if "accuracy" in self.smooth:
            rows.append(("accuracy", self.smooth["accuracy"], "", f"{self.smooth['accuracy']:.1%}"))
        body = "".join(_make_row(*row) for row in rows)
        return f"{self.heading()}<table>{body}</table>losses: {html.escape(self.format_losses())}{self.list_events()}"

    def heading(self) -> str:
        """The recipe and the folder of the run."""
        return f"<strong>{html.escape(self.run.recipe.name)}</strong> {html.escape(printable(self.run.folder))}"

    def list_events(self) -> str:
        """The newest messages, a line each."""
        return "".join(f"<br>{html.escape(event)}" for event in self.events[-MOST_EVENTS:])


def _make_row(title: str, share: float, color: str, words: str) -> str:
    """One row of the table: a title, a bar from 0 to 1, words."""
    style = f"width: 14em; accent-color: {color}" if color else "width: 14em"
    bar = f'<progress max="1" value="{share:.3f}" style="{style}"></progress>'
    left = 'style="text-align: left"'
    return f"<tr><td {left}>{html.escape(title)}</td><td>{bar}</td><td {left}>{html.escape(words)}</td></tr>"


@contextmanager
def catch_interrupt(wanted: bool) -> Iterator[Callable[[], bool]]:
    """Whether the notebook's button `interrupt` was pressed, which then stops a training after the present step.

    A second one interrupts at once, as usual. If it is not wanted, nothing is caught.
    """
    caught: list[int] = []
    if not wanted or threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    before = signal.getsignal(signal.SIGINT) or signal.default_int_handler  # None: one that was not set from Python

    def store(number: int, _: object) -> None:
        caught.append(number)
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, store)
    try:
        yield lambda: bool(caught)
    finally:
        signal.signal(signal.SIGINT, before)
