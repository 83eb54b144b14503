"""The process of the page /edit without a browser: what a job that was stopped keeps, holes, floors, and wrong input."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import PLAN, miniature

from ganvas.editing.floors import FLOORS, MANY_LEVELS
from ganvas.engine.autotune import initial_state
from ganvas.errors import UsageError
from ganvas.inference import model_file
from ganvas.inference.model import load
from ganvas.studio.edit.edit_process import Desk
from ganvas.studio.page_tasks import CancelledTaskError, Task
from ganvas.studio.socket import Frame
from ganvas.utils.settings import to_dict

SIDE = 28


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of digits that has not learned."""
    recipe, data = miniature("cgan-mnist")
    recipe = replace(recipe, data=replace(recipe.data, source="not-here"))
    folder = tmp_path_factory.mktemp("edit") / "digits"
    folder.mkdir()
    card = {"recipe": to_dict(recipe), "classes": list(data.classes), "items": 0}
    model_file.save(folder / "model.safetensors", initial_state(recipe, PLAN).average, card)
    return folder


@pytest.fixture(scope="module")
def target(run: Path) -> np.ndarray[Any, Any]:
    """A sample of class 2, uint8 [H, W, 1]."""
    return load(run).sample(1, seed=50_000, label=2)[0]


def ask(run: Path, stops_after: int = 0, arrays: Any = None, **facts: Any) -> tuple[Task, list[Frame]]:
    """A task, which is cancelled when it has sent so many frames; and what it sent."""
    sent: list[Frame] = []

    def send(frame: Frame) -> None:
        sent.append(frame)
        if len(sent) == stops_after:
            task.stop.set()

    given = {"paths": {"run": str(run), "device": "cpu"}, "origin": {"seed": 0, "label": 2}, "steps": [], **facts}
    task = Task(1, "", "", given, arrays or {}, send)
    return task, sent


def cover(rows: slice) -> np.ndarray[Any, Any]:
    strokes = np.zeros((SIDE, SIDE, 4), np.uint8)
    strokes[rows, :, 3] = 255
    return strokes


def test_a_stopped_search_keeps_its_best_for_its_own_job_only(run: Path, target: np.ndarray[Any, Any]) -> None:
    desk = Desk()
    task, sent = ask(run, 2, {"target": 255 - target}, job=7)
    desk.invert(task)
    assert len(sent) == 2  # it ended at once
    facts, _ = desk.get_found(ask(run, job=7)[0])
    assert facts["origin"]["space"] == "z"
    with pytest.raises(UsageError, match="before anything was found"):
        desk.get_found(ask(run, job=8)[0])


def test_a_stopped_copy_and_a_stopped_brush_are_kept_too(run: Path, target: np.ndarray[Any, Any]) -> None:
    desk = Desk()
    origin = desk.invert(ask(run, 0, {"target": target})[0])[0]["origin"]
    task, sent = ask(run, 1, {"target": 255 - target}, origin=origin, job=1)
    desk.tune(task)
    assert [frame.kind for frame in sent] == ["progress"]
    tuned = desk.get_found(ask(run, job=1)[0])[0]["tuned"]
    assert desk.draw(ask(run, tuned=tuned, origin=origin)[0])[1]["after"].shape == (SIDE, SIDE, 1)
    task, _ = ask(run, 0, {"strokes": cover(slice(0, 9))}, job=2)
    task.stop.set()
    desk.brush(task)
    assert desk.get_found(ask(run, job=2)[0])[0]["step"]["name"] == "brush"


def test_what_is_in_the_hole_does_not_count(run: Path, target: np.ndarray[Any, Any]) -> None:
    desk, spoiled = Desk(), target.copy()
    spoiled[9:13] = 255 - spoiled[9:13]
    strokes = cover(slice(9, 13))
    facts, arrays = desk.fill(ask(run, 0, {"target": spoiled, "strokes": strokes})[0])
    assert facts["error"] < 3
    assert np.array_equal(arrays["target"], spoiled)
    after = desk.draw(ask(run, origin=facts["origin"])[0])[1]["after"]
    assert np.abs(after.astype(int) - target).mean() < 3  # also in the hole


def test_a_class_is_searched_if_one_is_asked_for(run: Path, target: np.ndarray[Any, Any]) -> None:
    facts, _ = Desk().invert(ask(run, 0, {"target": target}, label=5)[0])
    assert (facts["class"], facts["origin"]["label"]) == ("5", 5)


def test_a_floor_goes_on_where_it_was_cancelled(run: Path) -> None:
    desk = Desk()
    task, _ = ask(run, 2)
    with pytest.raises(CancelledTaskError):
        desk.floor(task)
    (floors,) = desk.floors.values()
    assert len(floors.errors) == 1
    task, sent = ask(run)
    facts, _ = desk.floor(task)
    assert (sent[0].facts["done"], sent[0].facts["all"]) == (1, FLOORS)
    assert facts["own"] < 3
    assert facts["held_out"] is None  # its data are not here
    assert facts["limit"] == MANY_LEVELS


@pytest.mark.parametrize(
    ("name", "arrays", "facts", "says"),
    [
        ("fill", {"strokes": cover(slice(0, 0))}, {}, "found nothing of it"),
        ("fill", {"strokes": cover(slice(0, SIDE))}, {}, "found all of it"),
        ("fill", {"strokes": np.zeros((4, 4, 4), np.uint8)}, {}, "strokes: expected"),
        ("invert", {"target": np.zeros((4, 4, 1), np.uint8)}, {}, "target: expected"),
        ("invert", {}, {}, "picture: expected"),
        ("invert", None, {"label": "two"}, "label: expected"),
        ("tune", None, {}, "search for it first"),
    ],
)
def test_wrong_input(run: Path, target: Any, name: str, arrays: Any, facts: Any, says: str) -> None:
    given = {"target": target, **arrays} if name == "fill" else {"target": target} if arrays is None else arrays
    with pytest.raises(UsageError, match=says):
        getattr(Desk(), name)(ask(run, 0, given, **facts)[0])
