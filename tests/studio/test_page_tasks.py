"""Tasks of a page: progress, pictures on the way, cancelling; in a lane the newest wins; no end gets lost."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganvas.errors import UsageError
from ganvas.studio import page_tasks
from ganvas.studio.page_tasks import Result, Task, TaskQueue, TaskSocket, do_task
from ganvas.studio.socket import Frame, encode


def ask(number: int, name: str = "draw", **facts: Any) -> Frame:
    return Frame("task", {"id": number, "name": name, **facts})


def make_queue() -> tuple[TaskQueue, list[tuple[str, int]]]:
    sent: list[tuple[str, int]] = []
    return TaskQueue(lambda frame: sent.append((frame.kind, frame.facts["id"]))), sent


def test_in_a_lane_the_newest_waits_and_cancels_the_one_that_runs() -> None:
    queue, sent = make_queue()
    queue.take(ask(1))
    running = queue.wait()
    assert running is not None
    for number in (2, 3):
        queue.take(ask(number))
    queue.take(ask(4, lane="other"))
    assert running.cancelled
    assert sent == [("cancelled", 2)]
    found = [queue.wait(), queue.wait()]
    assert [task.id for task in found if task] == [3, 4]
    assert not any(task.cancelled for task in found if task)


def test_a_page_can_cancel_what_waits_and_what_runs() -> None:
    queue, sent = make_queue()
    queue.take(ask(1, lane="a"))
    running = queue.wait()
    queue.take(ask(2, lane="b"))
    queue.take(Frame("cancel", {"id": 2}))
    queue.take(Frame("cancel", {"id": 1}))
    queue.take(Frame("cancel", {"id": 77}))  # has ended already
    assert sent == [("cancelled", 2)]
    assert running
    assert running.cancelled
    queue.end()
    assert queue.wait() is None


@pytest.mark.parametrize(
    "frame", [Frame("task"), Frame("task", {"id": "1"}), Frame("task", {"id": True}), Frame("x", {"id": 1})]
)
def test_what_is_no_task_is_refused(frame: Frame) -> None:
    with pytest.raises(UsageError, match="expected task or cancel"):
        make_queue()[0].take(frame)


def test_no_more_lanes_than_allowed_may_wait() -> None:
    queue, _ = make_queue()
    for number in range(page_tasks.MAX_LANES):
        queue.take(ask(number, lane=str(number)))
    with pytest.raises(UsageError, match="expected at most 16 tasks"):
        queue.take(ask(99, lane="one more"))


def test_a_task_shows_how_far_it_is_and_ends_once() -> None:
    sent: list[Frame] = []

    def draw(task: Task) -> Result:
        task.report(1, 2, "half")
        task.show({"step": 1}, {"picture": np.zeros((2, 2), "u1")})
        return {"answer": 42}, {"picture": np.ones((2, 2), "u1")}

    end = do_task(Task(7, "draw", "draw", {}, {}, sent.append), {"draw": draw})
    assert [(frame.kind, frame.facts["id"]) for frame in sent] == [("progress", 7), ("picture", 7)]
    assert sent[0].facts == {"done": 1, "all": 2, "text": "half", "id": 7}
    assert (end.kind, dict(end.facts), end.arrays["picture"].sum()) == ("done", {"answer": 42, "id": 7}, 4)


def test_a_cancelled_task_stops_at_its_next_report_and_shows_nothing_more() -> None:
    sent: list[Frame] = []

    def draw(task: Task) -> Result:
        task.stop.set()
        task.report(1, 2)
        raise AssertionError("it went on")

    end = do_task(Task(7, "draw", "draw", {}, {}, sent.append), {"draw": draw})
    assert (end.kind, end.facts["id"], sent) == ("cancelled", 7, [])


@pytest.mark.parametrize(
    ("wrong", "text"),
    [(UsageError("no such digit"), "no such digit"), (ZeroDivisionError("x / 0"), "ZeroDivisionError: x / 0")],
)
def test_an_error_is_the_end_of_its_task_only(wrong: Exception, text: str) -> None:
    def draw(_: Task) -> Result:
        raise wrong

    end = do_task(Task(7, "draw", "draw", {}, {}, lambda _: None), {"draw": draw})
    assert end.kind == "failed"
    assert text in end.facts["text"]
    unknown = do_task(Task(8, "sing", "sing", {}, {}, lambda _: None), {"draw": draw})
    assert "expected one of draw" in unknown.facts["text"]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["task", "cancel", "do"]), st.integers(0, 4), st.sampled_from("ab")), max_size=30))
def test_every_task_ends_exactly_once(moves: list[tuple[str, int, str]]) -> None:
    queue, sent = make_queue()
    asked: list[int] = []
    number = 0

    def do_next() -> None:
        task = queue.wait()
        assert task
        end = do_task(task, {"draw": lambda _: ({}, {})})
        sent.append((end.kind, end.facts["id"]))

    for kind, which, lane in moves:
        if kind == "task":
            number += 1
            asked.append(number)
            queue.take(ask(number, lane=lane))
        elif kind == "cancel":
            queue.take(Frame("cancel", {"id": which}))
        elif queue.waiting:
            do_next()
    while queue.waiting:
        do_next()
    assert sorted(task_id for _, task_id in sent) == asked


class Page:
    """A channel that remembers."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, dict[str, Any]]] = []
        self.pictures: list[bytes] = []

    def send_message(self, kind: str, facts: dict[str, Any], arrays: Any = None) -> None:
        self.messages.append((kind, facts))

    def send_latest(self, data: bytes) -> None:
        self.pictures.append(data)


def test_pictures_may_be_replaced_ends_may_not_and_a_death_ends_all() -> None:
    page = Page()
    line = TaskSocket(page, "nowhere")  # type: ignore[arg-type]
    line.open_tasks = {3, 5}
    line.pass_back(encode(Frame("progress", {"id": 3, "done": 1, "all": 2})))
    line.pass_back(encode(Frame("done", {"id": 3})))
    line.report_end(-9)
    assert len(page.pictures) == 1
    assert [(kind, facts["id"]) for kind, facts in page.messages] == [("done", 3), ("failed", 5)]
    assert "signal 9" in page.messages[1][1]["text"]


def test_a_real_child_trains_digits_until_it_is_cancelled() -> None:
    """Through a real process: the game on digits shows its first sheet, and a cancel ends it."""

    async def play() -> Page:
        page, seen = Page(), asyncio.Event()
        line = TaskSocket(page, "ganvas.studio.play.digits_process")  # type: ignore[arg-type]
        take = line.pass_back

        def pass_back(data: bytes) -> None:
            take(data)
            seen.set()

        line.pass_back = pass_back  # type: ignore[method-assign]
        await line.receive(Frame("task", {"id": 1, "name": "digits", "setup": {"data": "ring"}}))
        while sum(len(data) > 4 * 8 * 28 * 28 for data in page.pictures) < 1:
            await asyncio.wait_for(seen.wait(), 200)
            seen.clear()
        await line.receive(Frame("cancel", {"id": 1}))
        while not page.messages:
            await asyncio.wait_for(seen.wait(), 200)
            seen.clear()
        await line.close()
        return page

    found: list[Page] = []
    thread = threading.Thread(target=lambda: found.append(asyncio.run(play())))
    thread.start()
    thread.join()
    assert found[0].messages == [("cancelled", {"id": 1})]
