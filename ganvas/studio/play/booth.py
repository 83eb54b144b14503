"""What runs in a session's own process: takes the page's commands, plays at the speed asked for, shows pictures.

`python -m ganvas.studio.play.booth`, frames by pipes. At most FRAMES pictures a second; the next step never waits for one.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import torch

from ganvas.errors import GanvasError, UsageError
from ganvas.studio.channel import Frame
from ganvas.studio.child import pipes
from ganvas.studio.play.lessons import CAPTIONS, MOVES
from ganvas.studio.play.session import Session
from ganvas.studio.play.setup import LIVE, Setup, linked, usual
from ganvas.studio.play.setup import checked as checked_points
from ganvas.studio.play.stage import Event, Stage, checked

SPEEDS = (1.0, 5.0, 25.0, 100.0, math.inf)  # steps a second
SPEED = 3  # where it begins
FRAMES = 12.0
CAPTION = 1.25  # seconds
UNDOS = 4
COMMANDS = ("begin", "play", "step", "set", "speed", "slow", "rewind", "reset", "undo")
MOST_AT_ONCE = 2_000  # steps by one command


class Booth:
    """One session and how it is played."""

    def __init__(self, say: Callable[[Frame], None]) -> None:
        self.say = say
        self.session = Session(Stage(usual("gaussians")))
        self.aside: Session | None = None  # the one that was left last; those before it keep no ring
        self.past: deque[tuple[str, Callable[[], None]]] = deque(maxlen=UNDOS)  # what would be undone, and how
        self.playing, self.slow, self.speed, self.caption = False, False, SPEED, -1
        self.pending: list[Event] = []  # of a link or a command, still to be done
        self.onwards = False  # whether the game goes on by itself after that
        self.begun = 0  # the page's number of the session that it began last
        self.restoring = 0  # steps that a link asked for
        self.due, self.cost = 0.0, 0.0  # cost: seconds of the last picture
        self.commands: dict[str, Callable[[dict[str, Any]], None]] = {name: getattr(self, f"on_{name}") for name in COMMANDS}

    @property
    def stage(self) -> Stage:
        """What is played on."""
        return self.session.stage

    # Commands ------------------------------------------------------------------------------------------------------------

    def obey(self, *frames: Frame) -> None:
        """Do what the page asks, and show it; what it may not ask is answered by a line."""
        for frame in frames:
            self.do(frame)
        self.show()

    def do(self, frame: Frame) -> None:
        try:
            if frame.kind not in self.commands:
                raise UsageError(f"no such command: {frame.kind!r}")
            self.commands[frame.kind](dict(frame.facts))
        except GanvasError as wrong:
            self.say(Frame("error", {"text": str(wrong), "refused": frame.kind}))
        except (KeyError, TypeError, ValueError) as wrong:
            self.say(Frame("error", {"text": f"{frame.kind}: not understood ({type(wrong).__name__})", "refused": frame.kind}))

    def on_begin(self, facts: dict[str, Any]) -> None:
        """A new session: a setup, perhaps drawn points, perhaps a history to do again."""
        setup = linked(facts.get("setup") or {})
        drawn = tuple(checked_points(facts.get("points"), setup))
        pending = checked(facts.get("history") or [], setup)
        number, speed = int(facts.get("number", 0)), at_speed(facts.get("speed", SPEED))
        self.anew(setup, drawn)
        self.begun, self.speed, self.slow = number, speed, bool(facts.get("slow"))
        self.pending = [list(event) for event in pending]
        self.restoring = sum(event[1] for event in pending if event[0] != "set")
        self.playing = bool(facts.get("play")) and not pending

    def anew(self, setup: Setup, drawn: tuple[tuple[float, float], ...] = ()) -> None:
        """Another session, at its step 0; the one before can be taken up again."""
        before, session = self.session, Session(Stage(setup, drawn))
        untouched = before.stage.step == 0 and (before.stage.setup, before.stage.drawn) == (setup, drawn)
        if self.begun and not untouched:
            if self.aside and self.aside is not before:
                self.aside.forget_the_way()
            self.aside = before
            self.past.append(("take up the game before", lambda: self.take_up(before)))
        self.take_up(session)

    def take_up(self, session: Session) -> None:
        """Go on with a session where it is."""
        self.session, self.pending, self.caption = session, [], -1
        self.playing = self.onwards = False

    def on_undo(self, _: dict[str, Any]) -> None:
        """Take back the last change of a setting, or take up the session before the last beginning."""
        if not self.past:
            raise UsageError("There is nothing to undo.")
        self.playing, self.pending = False, []
        self.past.pop()[1]()
        self.say(Frame("undone", {"points": self.stage.drawn}))

    def on_play(self, facts: dict[str, Any]) -> None:
        self.playing = bool(facts["on"])
        self.due = time.monotonic()
        if not self.playing:
            self.pending = []

    def on_step(self, facts: dict[str, Any]) -> None:
        count = int(facts.get("count", 1))
        if not 1 <= count <= MOST_AT_ONCE:
            raise UsageError(f"expected 1 to {MOST_AT_ONCE:,} steps at once, got {count}")
        self.playing, who = False, str(facts["who"])
        if self.slow and who == "b":
            return self.next_caption()
        self.caption = -1
        self.stage.forget_what_came_later()
        self.pending.append([who, count])
        self.restoring = 0 if count < 50 else count
        self.onwards = bool(facts.get("then"))
        return None

    def on_set(self, facts: dict[str, Any]) -> None:
        name, stage, before = str(facts["name"]), self.stage, self.stage.setup
        changed = before.changed(name, facts["value"])
        if changed == before:
            return
        if name in LIVE:
            stage.set(name, facts["value"])
            self.past.append((f"take back {name} = {facts['value']}", lambda: stage.set_back(before)))
            return
        playing = self.playing or self.onwards
        self.anew(changed, stage.drawn)
        self.playing = playing
        self.say(Frame("told", {"text": "Other networks or data: the game begins anew, at step 0.", "undo": bool(self.past)}))

    def on_speed(self, facts: dict[str, Any]) -> None:
        self.speed = at_speed(facts["level"])

    def on_slow(self, facts: dict[str, Any]) -> None:
        self.slow, self.caption = bool(facts["on"]), -1

    def on_rewind(self, facts: dict[str, Any]) -> None:
        self.playing, self.pending = False, []
        self.session.rewind(int(facts["place"]))

    def on_reset(self, facts: dict[str, Any]) -> None:
        """Step 0 of the same setup; or, for other `data`, of the settings that suit them."""
        if "data" in facts:
            setup = dataclasses.replace(usual(str(facts["data"])), seed=self.stage.setup.seed, beside=self.stage.setup.beside)
            self.anew(setup, tuple(checked_points(facts.get("points"), setup)))
        else:
            self.anew(self.stage.setup, self.stage.drawn)
        self.say(Frame("told", {"text": "A new game, at step 0.", "undo": bool(self.past)}))

    # Playing -------------------------------------------------------------------------------------------------------------

    def wait(self) -> float | None:
        """Seconds until there is something to do; None: a command is needed."""
        if not self.playing and not self.pending:
            return None
        return 0.0 if self.pending else max(0.0, self.due - time.monotonic())

    def tick(self) -> None:
        """Play until the next picture is due, and show it."""
        # Fewer pictures where they are dear: at most a quarter of the time, and two a second while a link is played again.
        end = time.monotonic() + max(1 / FRAMES, 3 * self.cost, 0.5 if self.pending and self.restoring else 0)
        if self.pending:
            while self.pending and time.monotonic() < end:
                self.catch_up()
            if not self.pending and self.onwards:
                self.playing, self.onwards = True, False
        elif self.slow:
            self.next_caption()
            self.due = time.monotonic() + CAPTION
        else:
            rate, begin = SPEEDS[self.speed], time.monotonic()
            self.caption, steps = -1, 0
            while self.advance("b"):
                steps += 1
                if steps >= rate / FRAMES or time.monotonic() >= end:
                    break
            self.due = begin + max(1 / rate, 1 / FRAMES)
        self.session.keep()
        self.show()

    def catch_up(self) -> None:
        """Do the first of what is pending, a step at a time."""
        event = self.pending[0]
        if event[0] == "set":
            self.pending.pop(0)
            try:
                self.stage.set(event[1], event[2])
            except GanvasError as wrong:
                self.halt(str(wrong))
            return
        if not self.advance(event[0]):
            return
        event[1] -= 1
        if event[1] <= 0:
            self.pending.pop(0)

    def advance(self, who: str) -> bool:
        """One step. False where the game cannot go on."""
        try:
            self.session.advance(who)
        except GanvasError as wrong:
            self.halt(str(wrong))
            return False
        if self.stage.state.dropped_in_a_row >= 10:
            self.halt("The game has left the finite numbers and stands still; go back, and lower a rate or add a penalty.")
            return False
        return True

    def halt(self, why: str) -> None:
        """Stop, and say why."""
        self.playing, self.pending = False, []
        self.say(Frame("error", {"text": why}))

    def next_caption(self) -> None:
        """Slow motion: the next stage of a step, D's five and then G's."""
        self.caption = (self.caption + 1) % len(CAPTIONS)
        if self.caption in MOVES:
            self.advance(MOVES[self.caption])
            self.session.keep()

    # Showing -------------------------------------------------------------------------------------------------------------

    def show(self) -> None:
        """One picture with all that belongs to it."""
        begun = time.monotonic()
        facts, arrays = self.session.seen(resting=not (self.playing or self.pending))
        left = sum(event[1] for event in self.pending if event[0] != "set")
        facts |= {
            "begun": self.begun,
            "playing": self.playing,
            "slow": self.slow,
            "speed": self.speed,
            "caption": None if self.caption < 0 else [self.caption + 1, len(CAPTIONS), *CAPTIONS[self.caption]],
            "restoring": [self.restoring - left, self.restoring] if self.pending and self.restoring else None,
            "undo": self.past[-1][0] if self.past else "",
        }
        self.say(Frame("frame", facts, arrays))
        self.cost = min(1.0, time.monotonic() - begun)


def at_speed(level: Any) -> int:
    """The place in SPEEDS that is nearest to `level`."""
    return min(len(SPEEDS) - 1, max(0, int(level)))


def latest(frames: list[Frame]) -> list[Frame]:
    """Without each rewind, or speed, that is followed by another."""
    return [
        *(this for this, then in itertools.pairwise(frames) if this.kind != then.kind or this.kind not in ("rewind", "speed")),
        *frames[-1:],
    ]


def main() -> None:
    """Obey and play until the page has gone."""
    hear, say = pipes()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    waiting: queue.Queue[Frame | None] = queue.Queue()

    def listen() -> None:
        while frame := hear():
            waiting.put(frame)
        waiting.put(None)

    threading.Thread(target=listen, daemon=True).start()
    booth = Booth(say)
    while True:
        try:
            wait = booth.wait()
            frames = [waiting.get(timeout=wait) if wait != 0 else waiting.get_nowait()]
        except queue.Empty:
            booth.tick()
            continue
        while not waiting.empty():
            frames.append(waiting.get())
        if None in frames:
            return
        booth.obey(*latest([frame for frame in frames if frame]))


if __name__ == "__main__":
    main()
