"""What a study compares: arms (what the training data of a classifier are) at several numbers of labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ganvas.errors import UsageError
from ganvas.utils.parsing import require_count

More = Literal["nothing", "synthetic", "real"]
IMAGES_SHOWN = 12_000  # training pictures of each generator, each as often
CLASSIFIED = 20_000  # pictures that each classifier is shown, whatever the number of different ones; fewer show gains that pass
FEWEST = 4  # labels of a class
RATIOS = (0.5, 1.0, 2.0, 5.0)  # synthetic pictures for each real one, in the sweep


@dataclass(frozen=True)
class Arm:
    """One way to make the training data of a classifier out of a few labelled pictures."""

    name: str
    more: More = "nothing"  # what is added
    ratio: float = 1.0  # added pictures for each real one
    shifted: bool = False  # each picture shifted (and with --flips mirrored) anew each time
    oversampled: bool = False  # each class drawn equally often
    filtered: bool = True  # of samples: only those that pass the filters
    alone: bool = False  # without the real pictures


PLAIN = Arm("nothing")
SHIFTS = Arm("shifts", shifted=True)
SYNTHETIC = Arm("samples", more="synthetic")
BOTH = Arm("samples and shifts", more="synthetic", shifted=True)
REAL = Arm("more real", more="real")
REAL_SHIFTS = Arm("more real and shifts", more="real", shifted=True)
OVERSAMPLING = Arm("oversampling", oversampled=True)
OVERSAMPLING_SHIFTS = Arm("oversampling and shifts", oversampled=True, shifted=True)
UNFILTERED = Arm("samples unfiltered and shifts", more="synthetic", shifted=True, filtered=False)
ALONE = Arm("samples alone", more="synthetic", shifted=True, alone=True)


@dataclass(frozen=True)
class Setting:
    """Some numbers of labels: `counts[c]` real pictures of class c, and `wanted[c]` that are added in an arm of ratio 1."""

    name: str
    counts: tuple[int, ...]
    wanted: tuple[int, ...]
    sweep: bool = False  # also several ratios

    @property
    def uneven(self) -> bool:
        """Whether some classes are rare."""
        return len(set(self.counts)) > 1

    @property
    def rare(self) -> tuple[int, ...]:
        """The numbers of the rare classes; all of them if none is rarer than another."""
        return tuple(c for c, count in enumerate(self.counts) if count == min(self.counts))

    @property
    def rival(self) -> Arm:
        """The arm that "samples and shifts" is compared with: the same without samples; rare classes are repeated instead."""
        return OVERSAMPLING_SHIFTS if self.uneven else SHIFTS

    def arms(self) -> tuple[Arm, ...]:
        """The arms, in the order of the table; those of the sweep last."""
        even = (OVERSAMPLING, OVERSAMPLING_SHIFTS) if self.uneven else ()
        found = (PLAIN, SHIFTS, *even, SYNTHETIC, BOTH, REAL, REAL_SHIFTS)
        return (*found, UNFILTERED, *sweep_arms(), ALONE) if self.sweep else found

    def add(self, ratio: float) -> tuple[int, ...]:
        """The number of pictures to add to each class."""
        return tuple(round(ratio * count) for count in self.wanted)

    @property
    def most(self) -> tuple[int, ...]:
        """The most samples of each class that an arm needs."""
        return self.add(max(arm.ratio for arm in self.arms()))


def sweep_arms() -> tuple[Arm, ...]:
    """Samples and shifts at other ratios than 1."""
    return tuple(
        Arm(f"{ratio:g} samples a picture", more="synthetic", ratio=ratio, shifted=True) for ratio in RATIOS if ratio != 1
    )


@dataclass(frozen=True, kw_only=True)
class StudyOptions:
    """What a study compares."""

    labels: tuple[int, ...] = (20, 50, 200)
    imbalance: int = 10  # times fewer labels of every second class, in one more setting; 1: no such setting
    seeds: int = 5
    images: int = IMAGES_SHOWN
    shown: int = CLASSIFIED
    flips: bool = False  # the arms with shifts also mirror half of the pictures

    def __post_init__(self) -> None:
        require_count("--seeds", self.seeds, 2, 1_000)
        require_count("--images", self.images, 64, 10**9)
        require_count("--shown", self.shown, 64, 10**9)


def plan_settings(labels: Sequence[int], classes: int, imbalance: int) -> tuple[Setting, ...]:
    """A setting for each number of labels a class; the sweep is in the first one. With `imbalance` above 1 one more: every
    second class has the largest number of labels, and the others have so many times fewer.

    Raises:
        UsageError: no number, one twice, or one out of range; or all are so small that no class can be rare.
    """
    if not labels or len(set(labels)) != len(labels):
        raise UsageError(f"--labels: expected different numbers such as 20,50,200, got {','.join(map(str, labels)) or 'none'}")
    for count in labels:
        require_count("--labels", count, FEWEST, 100_000)
    require_count("--imbalance", imbalance, 1, 1_000)
    found = [Setting(f"{n}", (n,) * classes, (n,) * classes, sweep=n == labels[0]) for n in labels]
    if imbalance > 1:
        many = max(labels)
        if many <= FEWEST:
            raise UsageError(
                f"--imbalance: rare classes keep at least {FEWEST} labels, expected a larger number in --labels than {many}; "
                "add one, or leave this setting out with --imbalance 1"
            )
        few = max(FEWEST, many // imbalance)
        counts = tuple(few if c % 2 else many for c in range(classes))
        found.append(Setting(f"{many} and {few}", counts, tuple(many - count for count in counts)))
    return tuple(found)
