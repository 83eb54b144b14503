"""Keep a discriminator and its generator at a similar level of skill: feedback from a far better one teaches nothing.

Skill is the share of reals and fakes that the discriminator calls by their right name, 0.5 when it can only guess. Every
`INTERVAL` steps the controller looks at its mean since the last look. Above the band it raises one number, the
discriminator's `lead`, from which all handles follow: its learning rate, its rests, instance noise. Below there is nothing
to do: at the end of a good game it can only guess as well, and one that is too small is not helped by any handle
(docs/balance.md). A discriminator that memorises its training pictures, which shows in how it judges pictures it never
trained on, is answered by augmentation of all its inputs instead.

Where the discriminator is to `rest`, this is all that happens instead: it makes no move while it was right about more than
80 % of the last batch, and only looks.

A game with several discriminators has a `Balance` for each. The state is a few numbers, a function of what was observed: it
travels with the checkpoint and resumes exactly.
Sources: arXiv:1610.07584 sec. 3.1 (a discriminator that is too good rests), arXiv:2006.06676 sec. 3 (adaptive augmentation
by r_v), arXiv:1701.04862 sec. 3 (instance noise). Differs: one integrating controller for all of them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from ganvas.core.game import Step, Turn
from ganvas.layers.adaptive_augment import adaptive_augment
from ganvas.layers.instance_noise import instance_noise

STRAIN = 3.0  # the loss of D beside that of one that guesses: its steps are too long
WATCHED = ("verdict_real", "verdict_fake", "verdict_held_out", "strain")  # notes, equal on all ranks
INTERVAL = 16  # steps between two looks
GRACE = 96  # steps at the start: that a discriminator recognises noise is no sign of anything
MEASURE = 4  # steps between two measurements that cost a pass of the discriminator
REST = 0.8  # the skill in the last batch above which a discriminator that may rest does so
HIGH = 0.95  # the most skill of a discriminator that still teaches
EASE = 0.85  # where a discriminator that was held back is let go
MEMORY, FORGOTTEN = 0.08, 0.03  # how much more often D calls training reals real than held-out reals
MOST = 0.8  # of the augmentation's probability: above it leaks into the fakes (arXiv:2006.06676 sec. 3.2)


@dataclass
class Balance:
    """What the controller of one discriminator knows and does.

    `steering` off: it only watches. `resting`: the discriminator rests above `REST`. `name`: of the discriminator.
    """

    steering: bool = True
    resting: bool = False
    last: float = 0.0  # skill of the discriminator in the last batch; 0 before the first
    lead: float = 0.0  # how far the discriminator is held back, from 0 to 2
    least: float = 0.0  # the lead that a strained discriminator needed; fades slowly, or the strain would come back at once
    augment: float = 0.0  # probability of each augmentation
    skill: float = 0.0  # of the discriminator, smoothed; 0 before the first look
    memory: float = 0.0  # verdict on training reals above that on unseen ones, smoothed
    warmth: float = 1.0  # factor on the instance noise: it falls to 0 at the end of the run
    sums: dict[str, list[float]] = field(default_factory=dict)  # note -> [sum, count] since the last look
    name: str = ""  # "" where the game has only one

    @property
    def rate(self) -> float:
        """The factor on the discriminator's learning rate."""
        return float(12.0 ** -min(self.lead, 1.0))

    @property
    def pause(self) -> int:
        """The discriminator moves on each k-th step only."""
        if self.lead <= 1.0:
            return 1
        return 4 if self.lead > 1.5 else 2

    @property
    def noise(self) -> float:
        """The standard deviation of the noise on all inputs of the discriminator."""
        return 0.2 * self.warmth * min(1.0, max(0.0, self.lead - 1.0))

    def key(self, note: str) -> str:
        """The name that a note of this discriminator has in the log."""
        return f"{note}_{self.name}" if self.name else note

    def steers(self, turn: Turn) -> bool:
        """Whether this is the controller of a discriminator that the turn trains."""
        return turn.steerable and self.name in turn.discriminators

    def plays(self, turn: Turn, index: int) -> bool:
        """Whether the turn's player may move in the step `index`, as far as this discriminator is concerned."""
        if not self.steers(turn):
            return True
        return self.last <= REST if self.resting else index % self.pause == 0

    def shown(self, x: Tensor, step: Step) -> Tensor:
        """x [N, ...] as the discriminator gets it: augmented images, noisy points or images; x itself in a balanced game."""
        if x.ndim == 4 and self.augment:
            x = adaptive_augment(x, self.augment, step.uniform)
        return instance_noise(x, self.noise, step.normal) if self.noise else x

    def observe(self, step: Step) -> None:
        """Take the values of a step in; every `INTERVAL` steps look at them, and perhaps intervene: a line in `step.events`.

        Adds its own state to the step's values.
        """
        seen = {name: step.values[self.key(name)] for name in WATCHED if self.key(name) in step.values}
        for name, value in seen.items():
            if name != "strain":  # which is answered at once, below
                held = self.sums.setdefault(name, [0.0, 0.0])
                self.sums[name] = [held[0] + value, held[1] + 1]
        if "verdict_real" in seen:
            self.last = (seen["verdict_real"] + 1 - seen["verdict_fake"]) / 2
        # A lead above 1 already holds the rate at its least: shorter steps are not to be had.
        if self.steering and seen.get("strain", 0.0) > STRAIN and self.lead < 1:
            step.events += self.relieve(seen["strain"])
        if (step.index + 1) % INTERVAL == 0 and "verdict_real" in self.sums:
            means = {name: total / count for name, (total, count) in self.sums.items()}
            self.sums = {}
            skill = (means["verdict_real"] + 1 - means["verdict_fake"]) / 2
            self.skill = skill if not self.skill else (self.skill + skill) / 2
            if "verdict_held_out" in means:
                self.memory = 0.85 * self.memory + 0.15 * (means["verdict_real"] - means["verdict_held_out"])
            self.warmth = 1 - step.progress
            self.least *= 0.99
            if self.steering and step.index >= GRACE:
                step.events += self.intervene()
        # A skill of 0 is none: before the first look there is nothing to tell.
        known = ("skill", "memory", "lead", "augment") if self.skill else ("memory", "lead", "augment")
        step.values |= {self.key(name): float(getattr(self, name)) for name in known}

    def relieve(self, strain: float) -> list[str]:
        """Shorten the steps of a discriminator whose own loss explodes, at once; a line for each quarter of the way."""
        before = self.lead
        self.lead = self.least = min(1.0, before + 0.05)
        if int(4 * self.lead) == int(4 * before):
            return []
        why = f"the loss of {self.who} is {strain:.0f} times that of one that can only guess, so its steps are too long"
        return [f"balance: {why}; {self.handles()}"]

    def intervene(self) -> list[str]:
        """Move the handles where the observed asks for it; one line for each change that the user should know of."""
        lines = []
        before = dataclasses.replace(self)
        memorises = self.memory > MEMORY
        if memorises:
            self.augment = min(MOST, self.augment + 0.03)
        elif self.memory < FORGOTTEN:
            self.augment = max(0.0, self.augment - 0.01)
        if self.skill > HIGH and not memorises:
            self.lead = min(2.0, self.lead + 0.1 + (self.skill - HIGH))
        elif self.lead > 0 and self.skill < EASE:
            self.lead = max(self.least, self.lead - 0.1 - (EASE - self.skill))  # quicker than it rose: no winding up
        if round(4 * self.lead) != round(4 * before.lead):
            lines.append(self.about_skill(before.lead))
        if round(10 * self.augment) != round(10 * before.augment):
            lines.append(self.about_memory(before.augment))
        return lines

    def about_skill(self, before: float) -> str:
        """What was done to level the players, and why."""
        if self.lead < before:
            why = f"{self.who} is right {self.skill:.0%} of the time again"
        else:
            why = f"{self.who} is right {self.skill:.0%} of the time, too far ahead to teach"
        return f"balance: {why}; {self.handles()}"

    def about_memory(self, before: float) -> str:
        """What was done against a discriminator that memorises its pictures, and why."""
        more = "more" if self.memory > 0 else "less"
        why = f"{self.who} calls pictures it trained on real {abs(self.memory):.0%} {more} often than pictures it never saw"
        return f"balance: {why}; augmentation {'up' if self.augment > before else 'down'} to {self.augment:.0%}"

    @property
    def who(self) -> str:
        """The discriminator in a sentence."""
        return f"the discriminator {self.name}" if self.name else "the discriminator"

    def handles(self) -> str:
        """The state of the handles in words."""
        parts = [f"its learning rate is {self.rate:.2g} of the recipe's"]
        if (pause := self.pause) > 1:
            parts.append(f"it moves every {'2nd' if pause == 2 else f'{pause}th'} step")
        if self.noise:
            parts.append(f"its inputs have noise of {self.noise:.2g}")
        return ", ".join(parts)

    def dump(self) -> dict[str, Any]:
        """All numbers, for a checkpoint."""
        settings = ("steering", "resting", "name")
        return {key: value for key, value in dataclasses.asdict(self).items() if key not in settings}

    def restore(self, numbers: Mapping[str, Any]) -> None:
        """Put dumped numbers back."""
        for name, value in numbers.items():
            setattr(self, name, value)
