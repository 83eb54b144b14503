"""Play a session at the chosen speed, in slow motion, or through what a link asks for; and send its pictures."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from ganvas.errors import GanvasError
from ganvas.studio.play.history import Event, count_steps
from ganvas.studio.play.play_lessons import CAPTIONS
from ganvas.studio.play.play_presets import choose_settings
from ganvas.studio.play.session import Session
from ganvas.studio.play.simulation import Simulation
from ganvas.studio.socket import Frame

SPEEDS = {  # label -> steps a second
    "1 step a second": 1.0,
    "5 steps a second": 5.0,
    "25 steps a second": 25.0,
    "100 steps a second": 100.0,
    "as fast as it can": math.inf,
}
RATES = tuple(SPEEDS.values())
FIRST_SPEED = 3  # its place in SPEEDS
PICTURES = 12.0  # a second, at most
CAPTION_SECONDS = 1.25
MAX_UNDO = 4
MAX_DROPPED = 10  # steps in a row whose update was not finite


class Player:
    """One session and how it is played: the speed, what is pending, and whether undo is possible."""

    def __init__(self, send: Callable[[Frame], None]) -> None:
        self.send = send
        self.session = Session(Simulation(choose_settings("gaussians")))
        self.undo: deque[tuple[str, Callable[[], None]]] = deque(maxlen=MAX_UNDO)  # what would be undone, and how
        self.playing, self.slow, self.speed, self.caption = False, False, FIRST_SPEED, -1
        self.pending: list[Event] = []  # of a link or a command, not done yet
        self.play_after = False  # whether the game plays by itself after that
        self.number = 0  # the page's number of the session that it began last
        self.restoring = 0  # steps that a link asked for
        self.due, self.picture_seconds = 0.0, 0.0  # picture_seconds: what the last picture took

    @property
    def simulation(self) -> Simulation:
        """The game of the session."""
        return self.session.simulation

    def get_wait(self) -> float | None:
        """Seconds until there is something to do; None: not before the next command."""
        if not self.playing and not self.pending:
            return None
        return 0.0 if self.pending else max(0.0, self.due - time.monotonic())

    def tick(self) -> None:
        """Play until the next picture is due, and send it."""
        # Slow pictures come less often: they take at most a quarter of the time. While a link is done again, two a second.
        shortest = max(1 / PICTURES, 3 * self.picture_seconds, 0.5 if self.pending and self.restoring else 0)
        end = time.monotonic() + shortest
        if self.pending:
            while self.pending and time.monotonic() < end:
                self.do_pending()
            if not self.pending and self.play_after:
                self.playing, self.play_after = True, False
        elif self.slow:
            self.show_next_caption()
            self.due = time.monotonic() + CAPTION_SECONDS
        else:
            rate, begin = RATES[self.speed], time.monotonic()
            self.caption, steps = -1, 0
            while self.advance("b"):
                steps += 1
                if steps >= rate / PICTURES or time.monotonic() >= end:
                    break
            self.due = begin + max(1 / rate, 1 / PICTURES)
        self.session.save_state()
        self.send_picture()

    def do_pending(self) -> None:
        """Do the first pending event, one step at a time."""
        event = self.pending[0]
        if event[0] == "set":
            self.pending.pop(0)
            try:
                self.simulation.change(event[1], event[2])
            except GanvasError as wrong:
                self.halt(str(wrong))
            return
        if not self.advance(event[0]):
            return
        event[1] -= 1
        if event[1] <= 0:
            self.pending.pop(0)

    def advance(self, who: str) -> bool:
        """One step. False if the game cannot go on."""
        try:
            self.session.advance(who)
        except GanvasError as wrong:
            self.halt(str(wrong))
            return False
        if self.simulation.state.dropped_in_a_row >= MAX_DROPPED:
            self.halt("The losses are no longer finite numbers, so the game stops: go back, and lower a rate or add a penalty.")
            return False
        return True

    def halt(self, why: str) -> None:
        """Stop, and say why."""
        self.playing, self.pending = False, []
        self.send(Frame("error", {"text": why}))

    def show_next_caption(self) -> None:
        """Slow motion: the next stage of a step, D's five and then G's."""
        self.caption = (self.caption + 1) % len(CAPTIONS)
        if CAPTIONS[self.caption].moves:
            self.advance(CAPTIONS[self.caption].player.lower())
            self.session.save_state()

    def send_picture(self) -> None:
        """Send the picture with all that belongs to it."""
        begin = time.monotonic()
        facts, arrays = self.session.make_picture(resting=not (self.playing or self.pending))
        left = count_steps(self.pending)
        facts |= {
            "number": self.number,
            "playing": self.playing,
            "slow": self.slow,
            "speed": self.speed,
            "caption": None if self.caption < 0 else self.caption,
            "restoring": [self.restoring - left, self.restoring] if self.pending and self.restoring else None,
            "undo": self.undo[-1][0] if self.undo else "",
        }
        self.send(Frame("frame", facts, arrays))
        self.picture_seconds = min(1.0, time.monotonic() - begin)


def clamp_speed(level: Any) -> int:
    """The place in SPEEDS that is nearest to `level`."""
    return min(len(SPEEDS) - 1, max(0, int(level)))
