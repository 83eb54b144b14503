"""What runs in a session's own process: it takes the page's commands, plays at the chosen speed, and sends pictures.

`python -m ganvas.studio.play.play_process`, frames by pipes. The next step never waits for a picture.
"""

from __future__ import annotations

import dataclasses
import itertools
import queue
import threading
import time
from collections.abc import Callable
from typing import Any

import torch

from ganvas.errors import GanvasError, UsageError
from ganvas.studio.child_process import open_pipes
from ganvas.studio.play.history import check_history, count_steps
from ganvas.studio.play.play_points import Places, check_points
from ganvas.studio.play.play_presets import choose_settings, parse_link
from ganvas.studio.play.play_settings import LIVE, PlaySettings
from ganvas.studio.play.player import FIRST_SPEED, Player, clamp_speed
from ganvas.studio.play.session import Session
from ganvas.studio.play.simulation import Simulation
from ganvas.studio.socket import Frame

COMMANDS = ("begin", "play", "step", "set", "speed", "slow", "rewind", "reset", "undo")
MAX_COMMAND_STEPS = 2_000


class PlayProcess(Player):
    """Takes the commands of the page."""

    def __init__(self, send: Callable[[Frame], None]) -> None:
        super().__init__(send)
        self.previous: Session | None = None  # the last one that was left; those before it keep one state only
        self.commands: dict[str, Callable[[dict[str, Any]], None]] = {name: getattr(self, f"on_{name}") for name in COMMANDS}

    def handle(self, *frames: Frame) -> None:
        """Do what the page asks, and send the picture."""
        for frame in frames:
            self.handle_one(frame)
        self.send_picture()

    def handle_one(self, frame: Frame) -> None:
        """Do one command. One that cannot be done is answered by a line."""
        try:
            if frame.kind not in self.commands:
                raise UsageError(f"no such command: {frame.kind!r}; expected one of {', '.join(COMMANDS)}")
            self.commands[frame.kind](dict(frame.facts))
        except GanvasError as wrong:
            self.send(Frame("error", {"text": str(wrong), "refused": frame.kind}))
        except (KeyError, TypeError, ValueError) as wrong:
            text = f"{frame.kind}: not understood ({type(wrong).__name__})"
            self.send(Frame("error", {"text": text, "refused": frame.kind}))

    def on_begin(self, facts: dict[str, Any]) -> None:
        """A new session: settings, perhaps a person's own points, perhaps a history to do again."""
        setup = parse_link(facts.get("setup") or {})
        places = check_points(facts.get("points"), setup)
        pending = check_history(facts.get("history") or [], setup)
        number, speed = int(facts.get("number", 0)), clamp_speed(facts.get("speed", FIRST_SPEED))
        self.begin_session(setup, places)
        self.number, self.speed, self.slow = number, speed, bool(facts.get("slow"))
        self.pending = [list(event) for event in pending]
        self.restoring = count_steps(pending)
        self.playing = bool(facts.get("play")) and not pending

    def begin_session(self, setup: PlaySettings, places: Places = ()) -> None:
        """Begin another session at step 0. The one before can be continued by undo."""
        before, session = self.session, Session(Simulation(setup, places))
        old = before.simulation
        unchanged = old.step == 0 and (old.setup, old.places) == (setup, places)
        if self.number and not unchanged:
            if self.previous and self.previous is not before:
                self.previous.drop_states()
            self.previous = before
            self.undo.append(("continue the game before", lambda: self.continue_session(before)))
        self.continue_session(session)

    def continue_session(self, session: Session) -> None:
        """Make a session the present one, where it is."""
        self.session, self.pending, self.caption = session, [], -1
        self.playing = self.play_after = False

    def on_undo(self, _: dict[str, Any]) -> None:
        """Take back the last change of a setting, or continue the session before the last beginning."""
        if not self.undo:
            raise UsageError("There is nothing to undo.")
        self.playing, self.pending = False, []
        self.undo.pop()[1]()
        self.send(Frame("undone", {"points": self.simulation.places}))

    def on_play(self, facts: dict[str, Any]) -> None:
        """Play, or pause."""
        self.playing = bool(facts["on"])
        self.due = time.monotonic()
        if not self.playing:
            self.pending = []

    def on_step(self, facts: dict[str, Any]) -> None:
        """Some steps; in slow motion the next caption."""
        count = int(facts.get("count", 1))
        if not 1 <= count <= MAX_COMMAND_STEPS:
            raise UsageError(f"expected 1 to {MAX_COMMAND_STEPS:,} steps at once, got {count}")
        self.playing, who = False, str(facts["who"])
        if self.slow and who == "b":
            self.show_next_caption()
            return
        self.caption = -1
        self.simulation.drop_later_states()
        self.pending.append([who, count])
        self.restoring = 0 if count < 50 else count
        self.play_after = bool(facts.get("then"))

    def on_set(self, facts: dict[str, Any]) -> None:
        """Change a setting: in the running game if that is possible, else in a new one."""
        name, simulation = str(facts["name"]), self.simulation
        before = simulation.setup
        after = before.with_change(name, facts["value"])
        if after == before:
            return
        if name in LIVE:
            simulation.change(name, facts["value"])
            self.undo.append((f"take back {name} = {facts['value']}", lambda: simulation.change_back(before)))
            return
        playing = self.playing or self.play_after
        self.begin_session(after, simulation.places)
        self.playing = playing
        self.send_note("Other networks or data: the game starts again, at step 0.")

    def on_speed(self, facts: dict[str, Any]) -> None:
        """Another speed."""
        self.speed = clamp_speed(facts["level"])

    def on_slow(self, facts: dict[str, Any]) -> None:
        """Slow motion on or off."""
        self.slow, self.caption = bool(facts["on"]), -1

    def on_rewind(self, facts: dict[str, Any]) -> None:
        """Go to another saved state."""
        self.playing, self.pending = False, []
        self.session.rewind(int(facts["place"]))

    def on_reset(self, facts: dict[str, Any]) -> None:
        """Step 0 of the same settings; or, for other `data`, of the settings that suit them."""
        old = self.simulation
        if "data" in facts:
            setup = dataclasses.replace(choose_settings(str(facts["data"])), seed=old.setup.seed, beside=old.setup.beside)
            self.begin_session(setup, check_points(facts.get("points"), setup))
        else:
            self.begin_session(old.setup, old.places)
        self.send_note("A new game, at step 0.")

    def send_note(self, text: str) -> None:
        """A line for the person, with whether undo is possible."""
        self.send(Frame("note", {"text": text, "undo": bool(self.undo)}))


def drop_superseded(frames: list[Frame]) -> list[Frame]:
    """The frames without each rewind or speed that is followed by another of its kind."""
    pairs = itertools.pairwise(frames)
    return [
        *(this for this, then in pairs if this.kind != then.kind or this.kind not in ("rewind", "speed")),
        *frames[-1:],
    ]


def main() -> None:
    """Take commands and play until the page is gone."""
    receive, send = open_pipes()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    waiting: queue.Queue[Frame | None] = queue.Queue()

    def listen() -> None:
        while frame := receive():
            waiting.put(frame)
        waiting.put(None)

    threading.Thread(target=listen, daemon=True).start()
    process = PlayProcess(send)
    while True:
        try:
            wait = process.get_wait()
            frames = [waiting.get(timeout=wait) if wait != 0 else waiting.get_nowait()]
        except queue.Empty:
            process.tick()
            continue
        while not waiting.empty():
            frames.append(waiting.get())
        if None in frames:
            return
        process.handle(*drop_superseded([frame for frame in frames if frame]))


if __name__ == "__main__":
    main()
