"""What was done in a session, as a list of events. A link holds it, so that it can be done again."""

from __future__ import annotations

from typing import Any

from ganvas.errors import UsageError
from ganvas.studio.play.play_settings import LIVE, PlaySettings

MAX_STEPS = 60_000  # that a link may ask for
MAX_EVENTS = 2_000
Event = list[Any]  # ["b", 500]: both players moved 500 times; ["d", 3]; ["g", 1]; ["set", "objective", "hinge"]


def count_steps(history: list[Event]) -> int:
    """How many steps a history takes."""
    return sum(event[1] for event in history if event[0] != "set")


def require_room(history: list[Event], kind: str, count: int = 0) -> None:
    """Raises: UsageError: after `count` more steps, or another event of this kind, no link could restore the session."""
    if count_steps(history) + count > MAX_STEPS:
        raise UsageError(f"A link restores at most {MAX_STEPS:,} steps, and the game has reached them: rewind, or reset.")
    joins_last = kind != "set" and history and history[-1][0] == kind
    if not joins_last and len(history) >= MAX_EVENTS:
        raise UsageError(f"A link restores at most {MAX_EVENTS:,} moves and changes, and they are used up: rewind, or reset.")


def check_history(history: object, setup: PlaySettings) -> list[Event]:
    """A history from a link, which begins at `setup`.

    Raises:
        UsageError: it is not a history, is too long, or makes a change that cannot be made.
    """
    if not isinstance(history, list) or len(history) > MAX_EVENTS:
        raise UsageError(f"history: expected a list of at most {MAX_EVENTS:,} moves and changes")
    steps = 0
    for event in history:
        kind = event[0] if isinstance(event, list) and event else None
        if kind in ("b", "d", "g") and len(event) == 2 and type(event[1]) is int and event[1] > 0:
            steps += event[1]
        elif kind == "set" and len(event) == 3 and isinstance(event[1], str) and event[1] in LIVE:
            try:
                setup = setup.with_change(event[1], event[2])
            except UsageError as wrong:
                raise UsageError(f"history: {event[1]}:{event[2]} cannot be done again: {wrong}") from None
        else:
            raise UsageError(f"history: {event!r} cannot be done again; expected a move (b, d, g) or a change of a setting")
    if steps > MAX_STEPS:
        raise UsageError(f"history: {steps:,} steps are more than the {MAX_STEPS:,} that a link may ask for")
    return history
