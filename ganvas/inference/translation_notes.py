"""What is told about a translation: what could not be kept, and what in the inputs speaks against it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy.typing as npt

from ganvas.inference.loaded_game import LoadedGame
from ganvas.inference.picture_translation import Way
from ganvas.inference.wrong_direction import DirectionCheck
from ganvas.utils.parsing import printable, spell_count

Array = npt.NDArray[Any]


class TranslationNotes:
    """Collected while files are translated in `way`; those of all files together come last."""

    def __init__(self, model: LoadedGame, way: Way) -> None:
        self.model = model
        self.direction = DirectionCheck(way)
        self.side = trained_side(model)
        self.notes: list[str] = []
        self.colored = 0  # grey pictures that became color
        self.sizes: set[tuple[int, int]] = set()  # of pictures unlike those of the training

    def add(self, name: str, notes: Sequence[str]) -> None:
        """Sentences about the file `name`."""
        self.notes += [f"{printable(name)}: {note}" for note in notes]

    def note_input(self, given: Array) -> None:
        """A picture [H, W, C], or the first frame, before the translation."""
        self.direction.look(given)
        if self.side and given.shape[:2] != (self.side, self.side):
            self.sizes.add((given.shape[1], given.shape[0]))

    def note_picture(self, name: str, given: Array, made: Array, notes: Sequence[str], target: Path) -> None:
        """A picture, what was made of it, and what reading it could not keep."""
        found = list(notes)
        self.colored += given.shape[2] < 3 <= made.shape[2]
        if given.dtype != made.dtype or (made.dtype.itemsize > 1 and (made.shape[2] > 1 or target.suffix.lower() != ".png")):
            found.append("16 bits became 8 bits")
        if made.shape[2] in (2, 4) and target.suffix.lower() in (".jpg", ".jpeg"):
            found.append("transparent pixels became white: JPEG has no transparency")
        self.add(name, found)

    def list_all(self) -> tuple[str, ...]:
        """All notes, a sentence each."""
        notes = list(self.notes)
        if self.colored:
            notes.append(f"{spell_count(self.colored, 'grey pictures')} became color: {self.model.name} makes color pictures")
        if self.sizes:
            side, (width, height) = self.side, min(self.sizes)
            others = f" and {spell_count(len(self.sizes) - 1, 'other sizes')}" if len(self.sizes) > 1 else ""
            size = f"{width} x {height} pixels{others}"
            notes.append(f"{size}: {self.model.name} was trained on {side} x {side}; shapes of another size may look worse")
        if (note := self.direction.note()) is not None:
            notes.append(note)
        return tuple(notes)


def trained_side(model: LoadedGame) -> int | None:
    """The side of the pictures of the training in pixels; None: not known, or they were parts of pictures of any size."""
    data = model.card["recipe"].get("data")
    parts = isinstance(data, dict) and (data.get("tile") or data.get("crop"))
    side = getattr(model.game.config, "resolution", None)
    return int(side) if side and not parts else None
