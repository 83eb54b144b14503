"""What a session's charts show: losses and verdicts over the steps, and how far the fakes are from the data."""

from __future__ import annotations

import bisect
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from ganvas.metrics.cells import divergences
from ganvas.metrics.modes import mixture
from ganvas.seeds import mix
from ganvas.studio.channel import Array
from ganvas.studio.play.stage import Stage

MOST = 400  # points of a curve; where there are more, every second goes
SAMPLES = 10_000  # fakes that are measured
KEYS = ("D", "G", "verdict_real", "verdict_fake", "skill_D", "skill_G")


@dataclass
class Curves:
    """Rows of numbers by step, thinned out as they grow."""

    keys: tuple[str, ...]
    steps: list[int] = field(default_factory=list)
    rows: list[list[float]] = field(default_factory=list)
    every: int = 1

    def add(self, step: int, values: dict[str, float]) -> None:
        """One row, where it is due; what lies later than `step` belongs to another story and goes."""
        self.cut(step - 1)
        if step % self.every:
            return
        self.steps.append(step)
        self.rows.append([values.get(key, float("nan")) for key in self.keys])
        if len(self.steps) > MOST:
            self.steps, self.rows, self.every = self.steps[1::2], self.rows[1::2], 2 * self.every

    def cut(self, step: int) -> None:
        """Forget what is later than `step`."""
        while self.steps and self.steps[-1] > step:
            self.steps.pop()
            self.rows.pop()

    def arrays(self, name: str, step: int, now: dict[str, float] | None = None) -> dict[str, Array]:
        """steps i4 [n] and values f4 [n, keys], up to `step`, and last the row of `now` where that one was thinned out."""
        count = bisect.bisect_right(self.steps, step)
        steps, rows = self.steps[:count], self.rows[:count]
        if now and steps[-1:] != [step]:
            steps, rows = [*steps, step], [*rows, [now.get(key, float("nan")) for key in self.keys]]
        values = np.array(rows, dtype="f4").reshape(len(steps), len(self.keys))
        return {f"{name}_steps": np.array(steps, dtype="i4"), f"{name}_values": values}


@dataclass
class Record:
    """The curves of one session."""

    moves: Curves = field(default_factory=lambda: Curves(KEYS))
    measured: Curves = field(default_factory=lambda: Curves(("kl", "js", "covered", "captured")))
    latest: dict[str, Any] = field(default_factory=dict)

    def note(self, stage: Stage) -> None:
        """Take in what the last step showed."""
        self.moves.add(stage.step, shown(stage))
        self.measured.cut(stage.step - 1)

    def measure(self, stage: Stage) -> None:
        """Measure the fakes of now against the data: 10,000 of them, from the same noise each time."""
        stuff, setup = stage.material, stage.setup
        generator = torch.Generator().manual_seed(mix(setup.seed, "measured"))
        with torch.no_grad():
            fake = stage.game.sample(torch.randn(SAMPLES, setup.latent_dim, generator=generator))
        if not bool(fake.isfinite().all()):
            self.latest = {}
            return
        apart = divergences(stuff.masses, stuff.cells.counts(fake))
        facts: dict[str, Any] = {"kl": apart.kl, "js": apart.js, "covered": apart.covered}
        if stuff.mixture:
            found = mixture(fake, stuff.mixture.centres, stuff.mixture.sd)
            facts |= {"captured": found.captured, "modes": found.modes, "quality": found.high_quality}
        self.latest = facts
        if stage.step not in self.measured.steps:  # else the session went back to it, and may go forward again
            self.measured.add(stage.step, facts)

    def arrays(self, stage: Stage) -> dict[str, Array]:
        """Both curves up to the present step."""
        return self.moves.arrays("moves", stage.step, shown(stage)) | self.measured.arrays("measured", stage.step)


def shown(stage: Stage) -> dict[str, float]:
    """What the last step showed: losses, verdicts, each player's skill; {} before the first."""
    notes = stage.notes
    values = {**stage.terms, **notes}
    if "verdict_real" in notes:
        values["skill_D"] = (notes["verdict_real"] + 1 - notes["verdict_fake"]) / 2
        values["skill_G"] = notes["verdict_fake"]
    return values


def floor(stage: Stage) -> dict[str, float]:
    """What a perfect artist would score: as many points of the data itself."""
    stuff = stage.material
    if stuff.mixture:
        perfect = stuff.mixture.draw(SAMPLES, torch.Generator().manual_seed(mix("floor")))
    else:
        chosen = torch.randint(len(stuff.points), (SAMPLES,), generator=torch.Generator().manual_seed(mix("floor")))
        perfect = stuff.points[chosen]
    apart = divergences(stuff.masses, stuff.cells.counts(perfect))
    return {"kl": apart.kl, "js": apart.js}
