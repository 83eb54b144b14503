"""The states that a session can go back to: over the whole run, the recent ones closer together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from ganvas.studio.play.history import Event
from ganvas.studio.play.play_settings import PlaySettings

MAX_STATES = 160
MAX_STATE_BYTES = 96 << 20


@dataclass(frozen=True, eq=False)
class SavedState:
    """One state, and what led to it."""

    step: int
    setup: PlaySettings
    history: list[Event]
    terms: dict[str, float]  # the losses of its last step
    notes: dict[str, float]
    tensors: dict[str, dict[str, Tensor]]
    counters: dict[str, Any]


@dataclass
class StateRing:
    """Saved states in the order of their steps."""

    states: list[SavedState] = field(default_factory=list)

    def add(self, state: SavedState) -> None:
        """Add a state. When there are too many, every second one of the older half is dropped."""
        self.states.append(state)
        size = sum(t.numel() * 4 for tensors in state.tensors.values() for t in tensors.values())
        if len(self.states) > max(8, min(MAX_STATES, MAX_STATE_BYTES // max(1, size))):
            half = len(self.states) // 2
            self.states = self.states[:half:2] + self.states[half:]

    def find_place(self, step: int, history: list[Event]) -> int:
        """The place of the last state that is not later than `step` of this history."""
        places = [i for i, state in enumerate(self.states) if state.step <= step and state.history == history]
        return places[-1] if places else len(self.states) - 1

    def drop_later(self, step: int, history: list[Event]) -> None:
        """Drop the states after this one, if it is not the last: the game goes on from here in another way."""
        if any(state.history == history for state in self.states[:-1]):
            self.states = self.states[: self.find_place(step, history) + 1]
