"""One session: the simulation, the curves of its charts, the models beside it, and its picture."""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from ganvas.studio.play import scene
from ganvas.studio.play.charts import MEASURE_KEYS, MOVE_KEYS, Charts, measure_floor
from ganvas.studio.play.companions import Companions, Dumps
from ganvas.studio.play.rewind import SavedState
from ganvas.studio.play.simulation import Simulation
from ganvas.studio.play.training_link import make_training_link
from ganvas.studio.socket import Array

MEASURE_SECONDS = 1.0  # between two measurements


@dataclass
class Session:
    """What belongs to one game, and comes back whole when a later game is undone."""

    simulation: Simulation
    charts: Charts = field(default_factory=Charts)
    companions: Companions | None = None
    companion_states: WeakKeyDictionary[SavedState, Dumps] = field(default_factory=WeakKeyDictionary)
    floor: dict[str, float] = field(init=False)
    last_measure: tuple[float, int] = (-1.0, -1)  # when, at which step

    def __post_init__(self) -> None:
        self.floor = measure_floor(self.simulation)

    def advance(self, who: str) -> None:
        """One step, of the companions too. Raises: UsageError: the game cannot go on."""
        self.simulation.play(who)
        self.charts.add_step(self.simulation)
        if companions := self.update_companions():
            companions.train(self.simulation, 1)

    def update_companions(self) -> Companions | None:
        """The models that the settings ask for, untrained if they are new; None if there are none."""
        if self.simulation.setup.beside == "nothing":
            return None
        if self.companions is None or not self.companions.fits(self.simulation):
            self.companions = Companions(self.simulation)
        return self.companions

    def save_state(self) -> None:
        """Put the present state into the ring, with that of the companions."""
        self.simulation.save_state()
        latest = self.simulation.ring.states[-1]
        if self.companions and latest not in self.companion_states:
            self.companion_states[latest] = self.companions.dump()

    def drop_states(self) -> None:
        """Keep the present state only."""
        self.simulation.drop_states()
        self.save_state()

    def rewind(self, place: int) -> None:
        """Go to the state at `place` in the ring, with the companions. Raises: UsageError: there is no such place."""
        self.simulation.rewind(place)
        dumps, self.companions = self.companion_states.get(self.simulation.ring.states[place]), None
        if dumps:
            self.companions = Companions(self.simulation)
            self.companions.restore(dumps)
        self.last_measure = (-1.0, -1)  # measure before the next picture

    def make_picture(self, resting: bool) -> tuple[dict[str, Any], dict[str, Array]]:
        """The picture as facts and arrays. The fakes are measured once a second, and whenever the game rests."""
        simulation, now = self.simulation, time.monotonic()
        when, step = self.last_measure
        if (resting or now - when > MEASURE_SECONDS) and (step != simulation.step or when < 0):
            self.charts.measure(simulation)
            self.last_measure = (now, simulation.step)
        arrays = {**scene.collect_arrays(simulation), **self.charts.to_arrays(simulation)}
        if companions := self.update_companions():
            arrays |= companions.collect_arrays(simulation)
        realness = scene.measure_realness(simulation)
        scoring, measures = simulation.setup.make_rules().scoring, self.charts.latest
        facts = {
            **simulation.to_link(),
            "setup": dataclasses.asdict(simulation.setup),
            "step": simulation.step,
            "ring": [simulation.place, len(simulation.ring.states)],
            "terms": scene.replace_infinite(simulation.terms),
            "notes": scene.replace_infinite({**simulation.notes, **realness}),
            "measures": measures,
            "floor": self.floor,
            "equilibrium": [scoring.equilibrium, scoring.equilibrium_text],
            "dims": simulation.setup.dims,
            "reach": simulation.data.reach,
            "move_keys": MOVE_KEYS,
            "measure_keys": MEASURE_KEYS,
            "classes": bool(self.companions and "classifier" in self.companions.games),
            "events": simulation.take_events(),
            "summary": scene.summarize(simulation, measures, realness),
            "training": dataclasses.asdict(make_training_link(simulation.setup)),
        }
        return facts, arrays
