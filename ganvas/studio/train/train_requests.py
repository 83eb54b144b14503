"""The bodies of requests to /train, checked as they are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ganvas.errors import UsageError
from ganvas.studio.train.choices import DEFAULT_SAMPLES
from ganvas.training.options import require_minutes
from ganvas.utils.settings import require_within

MOST_IMAGES = 10**12  # of a training
SAMPLE_BOUNDS = (100, 50_000)  # bounds of a comparison


@dataclass(frozen=True, kw_only=True)
class StartRequest:
    """What to train. `data` is the name of a source or upload:ID; "" is the recipe's own.

    `from_run` is a run, or a model that comes with ganvas, whose weights the new run begins with; with recipe "" it takes the
    recipe of that model, too.
    """

    recipe: str
    data: str = ""
    from_run: str = ""
    images: int | None = None
    minutes: float | None = None
    seed: int = 0
    device: str = "auto"
    keep_all: bool = False  # keep a checkpoint with every snapshot
    measure: bool = False  # against held-out pictures, now and then
    settings: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        require_within(self, "seed", 0, 2**63 - 1)
        if self.images is not None:
            require_within(self, "images", 1, MOST_IMAGES)
        require_minutes(self.minutes)
        if self.images is not None and self.minutes is not None:
            raise UsageError("minutes and images both bound the run; give one of them")


@dataclass(frozen=True, kw_only=True)
class BranchRequest:
    """Where to leave a run, and what differs from there."""

    settings: Mapping[str, str]
    at: int | None = None


@dataclass(frozen=True, kw_only=True)
class ComparisonRequest:
    """Two runs, and how many samples of each are measured."""

    a: str
    b: str
    samples: int = DEFAULT_SAMPLES

    def __post_init__(self) -> None:
        require_within(self, "samples", *SAMPLE_BOUNDS)
