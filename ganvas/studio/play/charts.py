"""The numbers of a session's charts: losses and verdicts by step, and how far the fakes are from the data."""

from __future__ import annotations

import bisect
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganvas.metrics.histogram_divergence import divergences
from ganvas.metrics.modes import mixture_modes
from ganvas.studio.play.scene import measure_realness
from ganvas.studio.play.simulation import Simulation
from ganvas.studio.socket import Array
from ganvas.utils.seeds import mix

MAX_POINTS = 400  # of a curve; beyond that every second one is dropped
SAMPLES = 10_000  # fakes that are measured
RADIUS = 3.0  # standard deviations around the centre of a mode
ENOUGH = 0.25  # of its share of the fakes must lie within this radius, or the mode does not count as covered
MATCHED = 0.5  # of its share of the fakes must lie in a cell, or the data in it do not count as covered
MOVE_KEYS = ("D", "G", "mean_real", "mean_fake", "verdict_real", "verdict_fake", "skill_D", "skill_G")
MEASURE_KEYS = ("kl", "js", "covered", "captured")


@dataclass
class Curves:
    """Rows of numbers by step, with wider gaps as they grow in number."""

    keys: tuple[str, ...]
    steps: list[int] = field(default_factory=list)
    rows: list[list[float]] = field(default_factory=list)
    every: int = 1

    def is_due(self, step: int) -> bool:
        """Whether `add` would keep a row of this step."""
        return step % self.every == 0

    def add(self, step: int, values: dict[str, float]) -> None:
        """Add a row, if one is due. Rows later than `step` are dropped: the session went back and on in another way."""
        self.cut(step - 1)
        if not self.is_due(step):
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
        step = simulation.step
        self.moves.add(step, read_numbers(simulation) if self.moves.is_due(step) else {})
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
        counts = data.cells.counts(fake)
        distance = divergences(data.masses, counts)
        self.latest = {"kl": distance.kl, "js": distance.js, "covered": measure_cover(data.masses, counts)}
        if data.mixture:
            modes = mixture_modes(fake, data.mixture.centres, data.mixture.sd)
            captured = count_modes(fake, data.mixture.centres, data.mixture.sd)
            self.latest |= {"captured": captured, "modes": modes.modes, "quality": modes.high_quality}
        if simulation.step not in self.measures.steps:  # else the session went back here, and may go forward again
            self.measures.add(simulation.step, self.latest)

    def to_arrays(self, simulation: Simulation) -> dict[str, Array]:
        """Both curves up to the present step."""
        moves = self.moves.to_arrays("moves", simulation.step, read_numbers(simulation))
        return moves | self.measures.to_arrays("measures", simulation.step)


def count_modes(points: Tensor, centres: Tensor, sd: float) -> int:
    """The modes around which points [N, D] gather: at least a quarter of the N / K that are their share lie within 3 sd.

    The published count needs one point (`mixture_modes`): a cloud over the whole picture reaches nearly all modes by chance.
    """
    distance, mode = torch.cdist(points, centres).min(1)
    counts = mode[distance <= RADIUS * sd].bincount(minlength=len(centres))
    return int((counts >= ENOUGH * len(points) / len(centres)).sum())


def measure_cover(masses: Tensor, counts: Tensor) -> float:
    """The mass of the data in the cells that hold at least half of their share of the fakes; counts [K] are of fakes."""
    p, q = masses / masses.sum(), counts / counts.sum()
    return float(p[(q >= MATCHED * p) & (counts > 0)].sum())


def read_numbers(simulation: Simulation) -> dict[str, float]:
    """The numbers of the last step: losses, what D says, each player's skill; {} before the first.

    The skill of D is the chance that it judges a point right if it calls x real with probability D(x).
    """
    if not simulation.step:
        return {}
    means = measure_realness(simulation)
    skills = {"skill_D": (means["mean_real"] + 1 - means["mean_fake"]) / 2, "skill_G": means["mean_fake"]}
    return {**simulation.terms, **simulation.notes, **means, **skills}


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
