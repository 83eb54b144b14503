"""Balance control: keep G and D at a similar skill. Feedback from a much better discriminator teaches the generator nothing.

Skill is the share of reals and fakes that the discriminator classifies correctly; 0.5 is a guess. Every `INTERVAL` steps the
controller looks at the mean skill since the last look. Above the band it raises one number, the `lead` of the discriminator.
From it follow the learning rate of D, its rests, and the noise on its inputs. Below the band it does nothing: at the end of a
good game D can only guess, and a discriminator that is too small is not helped by any of these (docs/balance.md). Against
overfitting of D, which shows in its outputs on held-out images, it augments all inputs of D. Of few images none are held out;
then the share of training reals that D calls real stands in for it.

With `resting` the rule of 3D-GAN replaces all this: D makes no move while it was right about more than 80 % of the last batch.

A game with several discriminators has one `Balance` for each. Its state is a few numbers that follow from the observed values,
so it is part of the checkpoint, and a resumed run gives the same bits.

Sources: arXiv:1610.07584 sec. 3.1 (a discriminator that is too good rests), arXiv:2006.06676 sec. 3 (adaptive augmentation
by r_v), arXiv:1701.04862 sec. 3 (instance noise). Differs: one integrating controller for all of them. Overfitting is the
difference of the shares of training and held-out reals that D calls real. r_v divides the same difference of outputs by that
of training reals and fakes, which is near 0 when D cannot tell them apart: then it is noise, and a share needs no divisor.
Without held-out images r_t of the paper, E sign(D(real)), which is 2 share - 1, should be 0.4 (eq. 1). Differs: 0.6 in the
paper; with 0.6 the samples of 200 pictures are coarser and vary less.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from ganvas.core.game import Step, Turn
from ganvas.core.modality import IMAGES
from ganvas.layers.adaptive_augment import adaptive_augment
from ganvas.layers.instance_noise import instance_noise

# What the controller reads: notes of a step, equal on all ranks.
WATCHED = ("verdict_real", "verdict_fake", "verdict_held_out", "strain")
INTERVAL = 16  # steps between two looks
GRACE = 96  # first steps without control: at the start every discriminator recognises noise
MEASURE = 4  # steps between two measurements that cost a pass of the discriminator

# When it acts.
REST = 0.8  # with `resting`: the skill in the last batch above which D makes no move
HIGH = 0.95  # the highest skill of D that still teaches G
GUESS, AHEAD = 0.55, 0.8  # in words: up to the first D only guesses; from the second on it is ahead, which still teaches G
EASE = 0.85  # below this skill, the controller undoes its action
STRAIN = 3.0  # the loss of D relative to that of a D that only guesses: above it, its steps are too long
MEMORY, FORGOTTEN = 0.08, 0.03  # how much more often D calls training reals real than held-out reals: act, undo
SURE, UNSURE = 0.7, 0.65  # without held-out images: how often D calls training reals real: act, undo (r_t of 0.4 and 0.3)
FEW = 2_000  # images that D may know by heart
MOST_AUGMENTATION = 0.8  # above this probability, augmentation leaks into the fakes (arXiv:2006.06676 sec. 3.2)


def name_skill(skill: float) -> str:
    """The skill of a discriminator in words: it guesses, is level with the generator, ahead, or far ahead."""
    return "guesses" if skill < GUESS else "level" if skill < AHEAD else "ahead" if skill <= HIGH else "far ahead"


def rate_factor(lead: float) -> float:
    """lead 0 .. 1 -> the factor on the learning rate of D, from 1 to 1/12."""
    return float(12.0 ** -min(lead, 1.0))


def pause_steps(lead: float) -> int:
    """lead -> k: D moves in each k-th step only, from a lead of 1 on."""
    if lead <= 1.0:
        return 1
    return 4 if lead > 1.5 else 2


def noise_sd(lead: float, warmth: float = 1.0) -> float:
    """lead 1 .. 2 -> the standard deviation of the noise on all inputs of D; `warmth` falls to 0 at the end of the run."""
    return 0.2 * warmth * min(1.0, max(0.0, lead - 1.0))


def describe_action(lead: float, warmth: float = 1.0) -> str:
    """What a lead does to D, in words."""
    parts = [f"its learning rate is {rate_factor(lead):.2g} of the recipe's"]
    if (pause := pause_steps(lead)) > 1:
        parts.append(f"it moves every {'2nd' if pause == 2 else f'{pause}th'} step")
    if noise := noise_sd(lead, warmth):
        parts.append(f"its inputs have noise of {noise:.2g}")
    return ", ".join(parts)


@dataclass
class Balance:
    """The controller of one discriminator: what it has measured, and what it does.

    `steering` off: it only measures. `resting`: D rests above `REST`. `name`: of the discriminator, "" for the only one.
    `unwatched`: the data are few images, of which none are held out.
    """

    steering: bool = True
    resting: bool = False
    last: float = 0.0  # skill of D in the last batch; 0 before the first
    lead: float = 0.0  # how far D is held back, from 0 to 2
    least: float = 0.0  # the lead that a strained D needed; it fades slowly, or the strain would come back at once
    augment: float = 0.0  # probability of each augmentation
    skill: float = 0.0  # of D, smoothed; 0 before the first look
    memory: float = 0.0  # share of training reals called real minus that of held-out reals, smoothed
    sure: float = 0.0  # share of training reals called real, smoothed; 0 before the first look
    warmth: float = 1.0  # factor on the instance noise: it falls to 0 at the end of the run
    sums: dict[str, list[float]] = field(default_factory=dict)  # note -> [sum, count] since the last look
    name: str = ""
    unwatched: bool = False

    @property
    def rate(self) -> float:
        """The factor on the learning rate of D."""
        return rate_factor(self.lead)

    @property
    def pause(self) -> int:
        """D moves in each k-th step only."""
        return pause_steps(self.lead)

    @property
    def noise(self) -> float:
        """The standard deviation of the noise on all inputs of D."""
        return noise_sd(self.lead, self.warmth)

    def key(self, note: str) -> str:
        """The log key of a note of this discriminator: "skill", or "skill_a" if its name is "a"."""
        return f"{note}_{self.name}" if self.name else note

    def steers(self, turn: Turn) -> bool:
        """Whether the turn trains this controller's discriminator."""
        return turn.steerable and self.name in turn.discriminators

    def plays(self, turn: Turn, index: int) -> bool:
        """Whether this controller lets the turn's player move in the step `index`."""
        if not self.steers(turn):
            return True
        return self.last <= REST if self.resting else index % self.pause == 0

    def perturb(self, x: Tensor, step: Step) -> Tensor:
        """x [N, ...] -> the input of D: images augmented, images and points with noise; x itself in a balanced game."""
        if self.augment and IMAGES.matches(x):
            x = adaptive_augment(x, self.augment, step.uniform)
        return instance_noise(x, self.noise, step.normal) if self.noise else x

    def observe(self, step: Step) -> None:
        """Take in the values of a step, act if needed, and add the state of the controller to the values.

        An action adds one line to `step.events`.
        """
        values = {name: step.values[self.key(name)] for name in WATCHED if self.key(name) in step.values}
        for name, value in values.items():
            if name != "strain":
                total, count = self.sums.get(name, (0.0, 0.0))
                self.sums[name] = [total + value, count + 1]
        if "verdict_real" in values:
            self.last = (values["verdict_real"] + 1 - values["verdict_fake"]) / 2
        # Strain does not wait for the next look. From a lead of 1 on the learning rate is at its lowest already.
        if self.steering and values.get("strain", 0.0) > STRAIN and self.lead < 1:
            step.events += self.relieve(values["strain"])
        if (step.index + 1) % INTERVAL == 0 and "verdict_real" in self.sums:
            self.look(step)
        # A skill of 0 means that there was no look yet: it would be misleading in the log.
        known = ("skill", "memory", "lead", "augment") if self.skill else ("memory", "lead", "augment")
        step.values |= {self.key(name): float(getattr(self, name)) for name in known}

    def look(self, step: Step) -> None:
        """Smooth the means of the last `INTERVAL` steps, and act on them after the first `GRACE` steps."""
        means = {name: total / count for name, (total, count) in self.sums.items()}
        self.sums = {}
        skill = (means["verdict_real"] + 1 - means["verdict_fake"]) / 2
        self.skill = skill if not self.skill else (self.skill + skill) / 2
        self.sure = means["verdict_real"] if not self.sure else (self.sure + means["verdict_real"]) / 2
        if "verdict_held_out" in means:
            self.memory = 0.85 * self.memory + 0.15 * (means["verdict_real"] - means["verdict_held_out"])
        self.warmth = 1 - step.progress
        self.least *= 0.99
        if self.steering and step.index >= GRACE:
            step.events += self.intervene()

    def relieve(self, strain: float) -> list[str]:
        """Shorten the steps of D at once when its own loss explodes. Returns one line for each quarter of the range."""
        before = self.lead
        self.lead = self.least = min(1.0, before + 0.05)
        if int(4 * self.lead) == int(4 * before):
            return []
        why = f"the loss of {self.subject} is {strain:.0f} times that of one that only guesses, so its steps are too long"
        return [f"balance: {why}; {describe_action(self.lead, self.warmth)}"]

    def intervene(self) -> list[str]:
        """Adjust augmentation and lead to the measurements. Returns one line for each visible change."""
        before = dataclasses.replace(self)
        # A D that overfits is also ahead: then augmentation is the answer, and holding it back is not.
        memorises = self.sure > SURE if self.unwatched else self.memory > MEMORY
        if memorises:
            self.augment = min(MOST_AUGMENTATION, self.augment + 0.03)
        elif self.sure < UNSURE if self.unwatched else self.memory < FORGOTTEN:
            self.augment = max(0.0, self.augment - 0.01)
        if self.skill > HIGH and not memorises:
            self.lead = min(2.0, self.lead + 0.1 + (self.skill - HIGH))
        elif self.lead > 0 and self.skill < EASE:
            # Faster down than up: otherwise the integral winds up, and D stays weak for long.
            self.lead = max(self.least, self.lead - 0.1 - (EASE - self.skill))
        lines = []
        if round(4 * self.lead) != round(4 * before.lead):
            lines.append(self.explain_lead(before.lead))
        if round(10 * self.augment) != round(10 * before.augment):
            lines.append(self.explain_augment(before.augment))
        return lines

    def explain_lead(self, before: float) -> str:
        """The change of the lead in words, with its reason."""
        why = f"{self.subject} is right {self.skill:.0%} of the time"
        why += " again" if self.lead < before else ", too far ahead to teach"
        return f"balance: {why}; {describe_action(self.lead, self.warmth)}"

    def explain_augment(self, before: float) -> str:
        """The change of the augmentation in words, with its reason."""
        more = "more" if self.memory > 0 else "less"
        why = f"{self.subject} calls training images real {abs(self.memory):.0%} {more} often than held-out images"
        if self.unwatched:
            why = f"{self.subject} calls {self.sure:.0%} of the few training images real"
        return f"balance: {why}; augmentation {'up' if self.augment > before else 'down'} to {self.augment:.0%}"

    @property
    def subject(self) -> str:
        """The discriminator as the subject of a sentence."""
        return f"the discriminator {self.name}" if self.name else "the discriminator"

    def dump(self) -> dict[str, Any]:
        """All numbers, for a checkpoint."""
        settings = ("steering", "resting", "name", "unwatched")
        return {key: value for key, value in dataclasses.asdict(self).items() if key not in settings}

    def accepts(self, numbers: Mapping[str, Any]) -> bool:
        """Whether `restore` can put these numbers back: only those of `dump`, each a number, and sums of numbers."""

        def is_number(value: object) -> bool:
            return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)

        sums = numbers.get("sums", {})
        good = isinstance(sums, dict) and all(
            isinstance(pair, list) and len(pair) == 2 and all(map(is_number, pair)) for pair in sums.values()
        )
        return good and all(name in self.dump() and (name == "sums" or is_number(value)) for name, value in numbers.items())

    def restore(self, numbers: Mapping[str, Any]) -> None:
        """Put dumped numbers back."""
        for name, value in numbers.items():
            setattr(self, name, value)
