"""Long tasks of a page in a child process, with progress, pictures on the way, and cancelling. One protocol for all pages.

The page sends two kinds of frames on its socket:

- `task` {id, name, ...}: do the task `name`; its other facts and arrays are the input. `lane` (its name if it has none) says
  which tasks supersede each other: of a lane at most one waits, the newest, and it cancels the one that runs;
- `cancel` {id}: do not do it, or stop.

It gets, each with the `id`:

- `progress` {done, all, text} and `picture` {...} with arrays, any number of times; of each kind only the newest may arrive;
- at the end exactly one of `done` {...} with arrays, `failed` {text}, `cancelled` {}.

The child is a module whose main function calls `run_tasks` with a function for each name.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ganvas.errors import GanvasError, UsageError
from ganvas.studio.child_process import ChildProcess, open_pipes
from ganvas.studio.socket import Array, Channel, Frame, decode

MAX_LANES = 16  # lanes in which a task waits
KINDS = ("task", "cancel")  # of frames from a page
PICTURES = ("progress", "picture")  # kinds of which only the newest need arrive


class CancelledTaskError(GanvasError):
    """The page does not want the result any more."""


@dataclass
class Task:
    """One task in the child: its input, and what it can tell the page while it runs."""

    id: int
    name: str
    lane: str
    facts: Mapping[str, Any]
    arrays: Mapping[str, Array]
    send: Callable[[Frame], None]
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def cancelled(self) -> bool:
        """Whether the page does not want the result any more."""
        return self.stop.is_set()

    def report(self, done: float, of: float, text: str = "") -> None:
        """Say how far it is. Raises: CancelledTaskError: the task is not wanted any more."""
        self.answer("progress", {"done": done, "all": of, "text": text})

    def show(self, facts: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
        """Send a picture on the way. Raises: CancelledTaskError: the task is not wanted any more."""
        self.answer("picture", facts, arrays)

    def answer(self, kind: str, facts: Mapping[str, Any], arrays: Mapping[str, Array] | None = None) -> None:
        """Send a frame of this task. Raises: CancelledTaskError: the task is not wanted any more."""
        if self.cancelled:
            raise CancelledTaskError("cancelled")
        self.send(Frame(kind, {**facts, "id": self.id}, arrays or {}))


Result = tuple[Mapping[str, Any], Mapping[str, Array]]
Work = Callable[[Task], Result]


class TaskQueue:
    """The tasks that wait, at most one in a lane, and the one that runs. Safe for two threads."""

    def __init__(self, send: Callable[[Frame], None]) -> None:
        self.send = send
        self.waiting: OrderedDict[str, Task] = OrderedDict()
        self.current: Task | None = None
        self.ready = threading.Condition()
        self.ended = False

    def take(self, frame: Frame) -> None:
        """Take a frame of the page. Raises: UsageError: it is neither a task nor a cancel, or too much waits."""
        task_id = frame.facts.get("id")
        if frame.kind not in KINDS or type(task_id) is not int:
            raise UsageError(f"frame {frame.kind!r}: expected {' or '.join(KINDS)}, with a whole number as id")
        with self.ready:
            if frame.kind == "cancel":
                self.cancel(lambda task: task.id == task_id)
                return
            name = str(frame.facts.get("name"))
            task = Task(task_id, name, str(frame.facts.get("lane", name)), frame.facts, frame.arrays, self.send)
            self.cancel(lambda other: other.lane == task.lane)
            if len(self.waiting) >= MAX_LANES:
                raise UsageError(f"expected at most {MAX_LANES} tasks that wait; cancel some, or wait for their ends")
            self.waiting[task.lane] = task
            self.ready.notify()

    def cancel(self, matches: Callable[[Task], bool]) -> None:
        """Cancel the tasks that match, waiting or running."""
        for lane, task in list(self.waiting.items()):
            if matches(task):
                del self.waiting[lane]
                self.send(Frame("cancelled", {"id": task.id}))
        if self.current and matches(self.current):
            self.current.stop.set()

    def wait(self) -> Task | None:
        """The next task; None at the end."""
        with self.ready:
            self.current = None
            self.ready.wait_for(lambda: self.waiting or self.ended)
            if self.ended:
                return None
            self.current = self.waiting.popitem(last=False)[1]
            return self.current

    def end(self) -> None:
        """The page is gone: nothing is wanted any more."""
        with self.ready:
            self.ended = True
            if self.current:
                self.current.stop.set()
            self.ready.notify()


def do_task(task: Task, works: Mapping[str, Work]) -> Frame:
    """Do a task; the frame that ends it. An error of any kind is one line: the next task is not its fault."""
    try:
        if task.name not in works:
            raise UsageError(f"no such task: {task.name!r}; expected one of {', '.join(works)}")
        facts, arrays = works[task.name](task)
        return Frame("cancelled", {"id": task.id}) if task.cancelled else Frame("done", {**facts, "id": task.id}, arrays)
    except CancelledTaskError:
        return Frame("cancelled", {"id": task.id})
    except GanvasError as wrong:
        return Frame("failed", {"id": task.id, "text": str(wrong)})
    except Exception as wrong:
        return Frame("failed", {"id": task.id, "text": f"{task.name}: not done ({type(wrong).__name__}: {wrong})"})


def run_tasks(works: Mapping[str, Work]) -> None:
    """The child's main function: do tasks until the page is gone."""
    receive, write = open_pipes()
    lock = threading.Lock()

    def send(frame: Frame) -> None:
        with lock:  # both threads answer
            write(frame)

    queue = TaskQueue(send)

    def listen() -> None:
        while frame := receive():
            try:
                queue.take(frame)
            except GanvasError as wrong:
                send(Frame("failed", {"id": frame.facts.get("id"), "text": str(wrong)}))
        queue.end()

    threading.Thread(target=listen, daemon=True).start()
    while task := queue.wait():
        send(do_task(task, works))


class TaskSocket:
    """The server's end: a socket handler whose child process does the tasks. The child starts with the first of them."""

    def __init__(self, channel: Channel, module: str) -> None:
        self.channel, self.module = channel, module
        self.child: ChildProcess | None = None
        self.open_tasks: set[int] = set()

    async def receive(self, frame: Frame) -> None:
        """Pass a task or a cancel on."""
        task_id = frame.facts.get("id")
        if frame.kind == "task" and type(task_id) is int:
            self.open_tasks.add(task_id)
            if self.child is None:
                self.child = ChildProcess(self.module, self.pass_back, self.report_end)
                await self.child.start()
        if self.child:
            await self.child.send(frame)

    def pass_back(self, data: bytes) -> None:
        """Pass a frame to the page: the newest picture, and each end."""
        frame = decode(data)
        if frame.kind in PICTURES:
            self.channel.send_latest(data)
            return
        self.open_tasks.discard(frame.facts["id"])
        self.channel.send_message(frame.kind, frame.facts, frame.arrays)

    def report_end(self, code: int) -> None:
        """The child ended by itself: all its tasks have failed. The next one starts another child."""
        self.child = None
        why = f"signal {-code}" if code < 0 else f"code {code}"
        for task_id in sorted(self.open_tasks):
            self.channel.send_message("failed", {"id": task_id, "text": f"The process that did this ended ({why}); try again."})
        self.open_tasks.clear()

    async def close(self) -> None:
        """End the child with the page."""
        if self.child:
            await self.child.stop()
