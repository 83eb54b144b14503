"""What a lesson consists of: a question, the variants of one game that answer it, and the measures and plots to show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One variant of a lesson: a recipe and the settings that differ from it, by dotted path."""

    label: str  # also the name of its run folder
    recipe: str
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Curve:
    """A plot over the number of training images: a note of the log, or the start of the name of a held-out measure."""

    note: str
    title: str
    log: bool = False


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """A comparison of variants that teaches one thing."""

    name: str
    question: str
    teaches: str
    variants: tuple[Variant, ...]
    images: int  # training images of each variant
    minutes: float  # on the 2-core reference machine, all variants together
    settings: Mapping[str, str] = field(default_factory=dict)  # of all variants
    metrics: tuple[str, ...] = ()  # of `ganvas eval`
    samples: int = 1_000  # of each sample set
    notes: tuple[str, ...] = ()  # of the log: their mean over the last third of the run
    names_classes: bool = False  # whether the variants are measured as classifiers
    curve: Curve | None = None
    looks: int = 0  # number of held-out measurements during each run
    direction: str = ""  # of a translation that has several: the one that is measured and drawn
