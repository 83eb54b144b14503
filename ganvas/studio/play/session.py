"""One session whole: the stage it is played on, the curves of its charts, the models beside it, and its picture."""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from ganvas.studio.channel import Array
from ganvas.studio.play import picture
from ganvas.studio.play.beside import Beside, Dumps
from ganvas.studio.play.record import KEYS, Record, floor
from ganvas.studio.play.stage import Kept, Stage

MEASURES = 1.0  # seconds between two


@dataclass
class Session:
    """What is kept as long as one game goes on, and so comes back whole when another is undone."""

    stage: Stage
    record: Record = field(default_factory=Record)
    beside: Beside | None = None
    shelf: WeakKeyDictionary[Kept, Dumps] = field(default_factory=WeakKeyDictionary)  # of those beside the ring's
    floor: dict[str, float] = field(init=False)
    measured: tuple[float, int] = (-1.0, -1)  # when, at which step

    def __post_init__(self) -> None:
        self.floor = floor(self.stage)

    def advance(self, who: str) -> None:
        """One step, of the models beside too. Raises: UsageError: the game cannot go on."""
        self.stage.play(who)
        self.record.note(self.stage)
        if beside := self.wanted():
            beside.play(self.stage, 1)

    def wanted(self) -> Beside | None:
        """The models that the setup asks for beside the game, untrained where they are new."""
        if self.stage.setup.beside == "nothing":
            return None
        if self.beside is None or not self.beside.fits(self.stage):
            self.beside = Beside(self.stage)
        return self.beside

    def keep(self) -> None:
        """Put the present state into the ring, and what is beside it on the shelf."""
        self.stage.keep()
        if self.beside and self.stage.ring[-1] not in self.shelf:
            self.shelf[self.stage.ring[-1]] = self.beside.dump()

    def forget_the_way(self) -> None:
        """Keep no state but the present one."""
        self.stage.forget_the_way()
        self.keep()

    def rewind(self, place: int) -> None:
        """Go to the state at `place` in the ring, with the models beside it. Raises: UsageError: there is none."""
        self.stage.rewind(place)
        dumps, self.beside = self.shelf.get(self.stage.ring[place]), None
        if dumps:
            self.beside = Beside(self.stage)
            self.beside.restore(dumps)
        self.unmeasured()

    def unmeasured(self) -> None:
        """Measure before the next picture."""
        self.measured = (-1.0, -1)

    def seen(self, resting: bool) -> tuple[dict[str, Any], dict[str, Array]]:
        """What the picture shows, facts and arrays; measured afresh now and then, and whenever the game rests."""
        stage, now = self.stage, time.monotonic()
        due = resting or now - self.measured[0] > MEASURES
        if due and (self.measured[1] != stage.step or self.measured[0] < 0):
            self.record.measure(stage)
            self.measured = (now, stage.step)
        arrays = {**picture.seen(stage), **self.record.arrays(stage)}
        if beside := self.wanted():
            arrays |= beside.seen(stage)
        scoring, measures = stage.setup.rules().scoring, self.record.latest
        facts = {
            **stage.facts(),
            "setup": dataclasses.asdict(stage.setup),
            "step": stage.step,
            "ring": [stage.place, len(stage.ring)],
            "terms": picture.finite(stage.terms),
            "notes": picture.finite(stage.notes),
            "measures": measures,
            "floor": self.floor,
            "equilibrium": [scoring.equilibrium, scoring.equilibrium_text],
            "dims": stage.setup.dims,
            "reach": stage.material.reach,
            "keys": KEYS,
            "classes": bool(self.beside and "classifier" in self.beside.games),
            "events": stage.told(),
            "summary": picture.summary(stage, measures),
        }
        return facts, arrays
