"""The progress of a training in a notebook: in place, with the newest sheet; an interrupt saves."""

from __future__ import annotations

import base64
import os
import signal
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

import ganvas
from ganvas.training import notebook_progress
from ganvas.training.notebook_progress import NotebookProgress, catch_interrupt, find_display

QUICK = {"batch": 256, "ranks": 1, "precision": "float32", "config.width": 8, "train.snapshots": 3}


class Notebook:
    """Stands for the display of IPython: what is shown now, and how often each was replaced."""

    def __init__(self) -> None:
        self.shown: list[dict[str, str]] = []
        self.updates = 0

    def display(self, bundle: dict[str, str], *, raw: bool, display_id: bool) -> Any:
        assert raw
        assert display_id
        self.shown.append(bundle)
        place = len(self.shown) - 1

        def update(newer: dict[str, str], *, raw: bool) -> None:
            assert raw
            self.shown[place] = newer
            self.updates += 1

        return SimpleNamespace(update=update)


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> Notebook:
    made = Notebook()
    monkeypatch.setattr("ganvas.training.api.find_display", lambda: made.display)
    monkeypatch.setattr(notebook_progress, "PAUSE", 0.0)
    return made


def test_a_training_shows_its_progress_and_its_sheet_in_place(
    notebook: Notebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, panels, make = tmp_path / "a<b>", list[str](), NotebookProgress.make_panel
    monkeypatch.setattr(NotebookProgress, "make_panel", lambda *given: panels.append(make(*given)) or panels[-1])
    ganvas.train("gan-ring", images=2560, **QUICK, out=out)
    assert "1,280 of 2,560 points" in panels[4]
    assert 'value="0.500"' in panels[4]
    assert "called real" in panels[4]
    words, sheet = notebook.shown
    assert notebook.updates >= 10
    assert "2,560 points in" in words["text/html"]
    assert "a&lt;b&gt;" in words["text/html"]
    assert "2 ln 2 = 1.39 if D only guesses" in words["text/html"]
    with Image.open(BytesIO(base64.b64decode(sheet["image/png"]))) as shown, Image.open(out / "sheet.png") as saved:
        assert shown.tobytes() == saved.tobytes()


def test_an_interrupt_saves_and_it_goes_on(notebook: Notebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = NotebookProgress.update

    def interrupt(self: Any, progress: Any) -> None:
        kept(self, progress)
        if progress.items == 512:
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(NotebookProgress, "update", interrupt)
    model = ganvas.train("gan-ring", images=5120, **QUICK, out=tmp_path / "run")
    assert 512 <= model.card["items"] < 5120
    assert "stopped and saved; continue with ganvas.resume(" in notebook.shown[0]["text/html"]
    assert ganvas.resume(tmp_path / "run").card["items"] == 5120


@pytest.fixture
def usual_interrupt() -> Iterator[None]:
    """An interrupt raises KeyboardInterrupt, also where a shell had these tests started in the background, without it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_a_second_interrupt_is_the_usual_one(usual_interrupt: None) -> None:
    with catch_interrupt(True) as stopped:
        assert not stopped()
        os.kill(os.getpid(), signal.SIGINT)
        assert stopped()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_only_a_notebook_has_a_display(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "IPython", None)  # not imported, and it must not be
    assert find_display() is None
    for shell, found in ((None, False), (SimpleNamespace(kernel=None), False), (SimpleNamespace(kernel=object()), True)):
        monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda shell=shell: shell))
        monkeypatch.setitem(sys.modules, "IPython.display", SimpleNamespace(display=print))
        assert (find_display() is print) is found
