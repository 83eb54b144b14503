"""The numbers of a session's charts: losses and verdicts by step, and how far the fakes are from the data."""

from __future__ import annotations

import bisect
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from ganvas.metrics.histogram_divergence import divergences
from ganvas.metrics.modes import mixture_modes
from ganvas.studio.play.simulation import Simulation
from ganvas.studio.socket import Array
from ganvas.utils.seeds import mix

MAX_POINTS = 400  # of a curve; beyond that every second one is dropped
SAMPLES = 10_000  # fakes that are measured
MOVE_KEYS = ("D", "G", "verdict_real", "verdict_fake", "skill_D", "skill_G")
MEASURE_KEYS = ("kl", "js", "covered", "captured")


@dataclass
class Curves:
    """Rows of numbers by step, with wider gaps as they grow in number."""

    keys: tuple[str, ...]
    steps: list[int] = field(default_factory=list)
    rows: list[list[float]] = field(default_factory=list)
    every: int = 1

    def add(self, step: int, values: dict[str, float]) -> None:
        """Add a row, if one is due. Rows later than `step` are dropped: the session went back and on in another way."""
        self.cut(step - 1)
        if step % self.every:
            return
        self.steps.append(step)
        self.rows.append([values.get(key, float("nan")) for key in self.keys])
        if len(self.steps) > MAX_POINTS:
            self.steps, self.rows, self.every = self.steps[1::2], self.rows[1::2], 2 * self.every

    def cut(self, step: int) -> None:
        """Drop the rows later than `step`."""
        while self.steps and self.steps[-1] > step:
            self.steps.pop()
            self.rows.pop()

    def to_arrays(self, name: str, step: int, now: dict[str, float] | None = None) -> dict[str, Array]:
        """steps i4 [n] and values f4 [n, keys], up to `step`; last the row `now`, if `step` has no row of its own."""
        count = bisect.bisect_right(self.steps, step)
        steps, rows = self.steps[:count], self.rows[:count]
        if now and steps[-1:] != [step]:
            steps, rows = [*steps, step], [*rows, [now.get(key, float("nan")) for key in self.keys]]
        values = np.array(rows, dtype="f4").reshape(len(steps), len(self.keys))
        return {f"{name}_steps": np.array(steps, dtype="i4"), f"{name}_values": values}


@dataclass
class Charts:
    """The curves of one session."""

    moves: Curves = field(default_factory=lambda: Curves(MOVE_KEYS))
    measures: Curves = field(default_factory=lambda: Curves(MEASURE_KEYS))
    latest: dict[str, Any] = field(default_factory=dict)

    def add_step(self, simulation: Simulation) -> None:
        """Add the numbers of the last step."""
        self.moves.add(simulation.step, read_numbers(simulation))
        self.measures.cut(simulation.step - 1)

    def measure(self, simulation: Simulation) -> None:
        """Measure the fakes of now against the data: 10,000 of them, from the same noise each time."""
        data, setup = simulation.data, simulation.setup
        generator = torch.Generator().manual_seed(mix(setup.seed, "measured"))
        with torch.no_grad():
            fake = simulation.game.sample(torch.randn(SAMPLES, setup.latent_dim, generator=generator))
        if not bool(fake.isfinite().all()):
            self.latest = {}
            return
        distance = divergences(data.masses, data.cells.counts(fake))
        self.latest = {"kl": distance.kl, "js": distance.js, "covered": distance.covered}
        if data.mixture:
            modes = mixture_modes(fake, data.mixture.centres, data.mixture.sd)
            self.latest |= {"captured": modes.captured, "modes": modes.modes, "quality": modes.high_quality}
        if simulation.step not in self.measures.steps:  # else the session went back here, and may go forward again
            self.measures.add(simulation.step, self.latest)

    def to_arrays(self, simulation: Simulation) -> dict[str, Array]:
        """Both curves up to the present step."""
        moves = self.moves.to_arrays("moves", simulation.step, read_numbers(simulation))
        return moves | self.measures.to_arrays("measures", simulation.step)


def read_numbers(simulation: Simulation) -> dict[str, float]:
    """The numbers of the last step: losses, verdicts, each player's skill; {} before the first."""
    notes = simulation.notes
    values = {**simulation.terms, **notes}
    if "verdict_real" in notes:
        values["skill_D"] = (notes["verdict_real"] + 1 - notes["verdict_fake"]) / 2
        values["skill_G"] = notes["verdict_fake"]
    return values


def measure_floor(simulation: Simulation) -> dict[str, float]:
    """The score of a perfect generator: that of as many points of the data itself."""
    data = simulation.data
    generator = torch.Generator().manual_seed(mix("floor"))
    if data.mixture:
        perfect = data.mixture.sample(SAMPLES, generator)
    else:
        perfect = data.points[torch.randint(len(data.points), (SAMPLES,), generator=generator)]
    distance = divergences(data.masses, data.cells.counts(perfect))
    return {"kl": distance.kl, "js": distance.js}
