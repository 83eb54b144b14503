"""The progress of a training in words: how far, how fast, what the discriminator classifies correctly, the losses."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ganvas.core.telemetry import list_discriminators, name_column
from ganvas.engine.balance import describe_action, name_skill, rate_factor

if TYPE_CHECKING:
    from ganvas.training.run_folder import Run
    from ganvas.training.trainer import Progress

SKILLS = {"guesses": "D only guesses", "level": "level", "ahead": "D is ahead", "far ahead": "D is far ahead"}
CALLS = (("verdict_real", "reals", "green"), ("verdict_fake", "fakes", "magenta"))  # note, what it is about, color
SMOOTHING = 0.95  # share of the old value in a smoothed value, each step


class ProgressText:
    """The smoothed values of a run, and words about them."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.smooth: dict[str, float] = {}
        self.terms: dict[str, None] = {}  # all loss terms so far, in order: a lazy penalty is not in every step
        rules = getattr(run.recipe.config, "rules", None)
        self.reference = ""  # the loss of D at the optimum
        if rules:
            self.reference = f"{rules.scoring.equilibrium_text} = {rules.scoring.equilibrium:.2f} if D only guesses"

    def add(self, progress: Progress) -> None:
        """Add one step to the smoothed values."""
        self.terms |= dict.fromkeys(progress.terms)
        for name, value in progress.values.items():
            if not math.isfinite(number := float(value)):
                continue  # one NaN would stay in the mean for ever
            old = self.smooth.get(name)
            self.smooth[name] = number if old is None else SMOOTHING * old + (1 - SMOOTHING) * number

    def make_line(self, progress: Progress) -> str:
        """One line of plain text."""
        left = format_time_left(progress)
        parts = [
            f"{progress.items:,} of {max(progress.items, progress.total):,} {self.unit}, {progress.rate:,.0f}/s, {left} left"
        ]
        for name in list_discriminators(self.smooth):
            columns = [(what, name_column(note, name)) for note, what, _ in CALLS]
            calls = [f"{what} called real {self.smooth[column]:.0%}" for what, column in columns if column in self.smooth]
            parts += [f"{title_of(name)}: {', '.join(calls)}"] if calls else []
        parts += [f"accuracy {self.smooth['accuracy']:.1%}"] if "accuracy" in self.smooth else []
        parts += [f"{title}: {words}" for title, _, words in self.describe_balances()]
        return " | ".join([*parts, self.format_losses()])

    @property
    def unit(self) -> str:
        """What is counted: images, points, lines, ..."""
        return self.run.data.modality.unit

    def describe_balances(self) -> list[tuple[str, float, str]]:
        """Of each balance: its title, the skill of its discriminator from 0 (guesses) to 1 (always right), and words."""
        found = []
        for name in list_discriminators(self.smooth):
            columns = {note: name_column(note, name) for note in ("skill", "lead", "augment")}
            values = {note: self.smooth[column] for note, column in columns.items() if column in self.smooth}
            if "skill" in values:
                share, words = describe_balance(values)
                found.append((f"balance {name}".rstrip(), share, words))
        return found

    def format_losses(self) -> str:
        """Each loss term; the loss of D with its value at the optimum."""
        found = []
        for name in self.terms:
            if name in self.smooth:
                of_discriminator = self.reference and (name == "D" or name.startswith("D_"))
                found.append(f"{name} {self.smooth[name]:.3g}" + (f" ({self.reference})" if of_discriminator else ""))
        return " · ".join(found)


def describe_balance(values: Mapping[str, float]) -> tuple[float, str]:
    """skill, lead and augment -> the skill from 0 (guesses) to 1 (always right), and the balance in words."""
    skill, lead, augment = values["skill"], values.get("lead", 0.0), values.get("augment", 0.0)
    parts = [f"{SKILLS[name_skill(skill)]} ({skill:.0%} right)"]
    parts += [describe_action(lead)] if rate_factor(lead) < 0.9 else []
    parts += [f"augmentation {augment:.0%}"] if augment > 0.02 else []
    return max(0.0, 2 * skill - 1), ", ".join(parts)


def title_of(name: str) -> str:
    """ "" -> "discriminator"; "a" -> "discriminator a"."""
    return f"discriminator {name}".rstrip()


def format_time_left(progress: Progress) -> str:
    seconds = int(max(0, progress.total - progress.items) / max(progress.rate, 1e-9))  # the last batch may go beyond the total
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"
