"""The measures that compare a set of samples with real ones, each beside its floor."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ganvas.core.modality import IMAGES, POINTS, VOXELS, modality_of
from ganvas.errors import UsageError
from ganvas.evaluation.measures import (
    COMPARE,
    DISTANCES,
    JUDGED,
    PIXEL_SAMPLES,
    PIXELS,
    SOLIDS,
    Measurement,
    measure_value,
    name_measure,
)
from ganvas.evaluation.sample_sets import Draws, SampleSet


def compare_sets(
    chosen: Iterable[str], fake: SampleSet, real: SampleSet, others: Draws, explicit: bool
) -> tuple[dict[str, Measurement], tuple[str, ...]]:
    """The chosen comparisons that fit the data. `explicit`: the user named them, so one that does not fit is an error."""
    measures: dict[str, Measurement] = {}
    notes: dict[str, None] = {}
    floors = _Floors([name for name in chosen if name in DISTANCES], real, others)
    for name in (name for name in chosen if name in COMPARE):
        if not explicit and not _fits(name, fake):
            continue
        tag = "points" if real.modality is POINTS else real.extractor.name if real.extractor else ""
        tag = "none" if name in (*PIXELS, *SOLIDS) else tag
        try:
            if name in PIXELS and real.modality is not IMAGES:
                raise UsageError(f"{name} compares pictures, and these are {real.modality.name}")
            if name in SOLIDS and real.modality is not VOXELS:
                raise UsageError(f"{name} looks at solids: measure a model of a voxel-... recipe")
            if name in JUDGED and (real.modality is POINTS or (real.extractor and real.extractor.classify is None)):
                raise UsageError(f"{name} needs a classifier of the data: give --extractor RUN of a classifier-... recipe")
            value, interval = COMPARE[name](fake, real)
            if name in DISTANCES:
                floor: float | None = floors[name]
            elif name == "requested" and real.labels is None:
                floor = None
            else:
                floor = measure_value(name, others.first, real)
        except UsageError as misfit:
            if explicit:
                raise
            notes[f"left out: {name} ({misfit})"] = None
            continue
        count = min(len(fake.data), len(real.data), PIXEL_SAMPLES if name == "swd" else len(fake.data))
        measures[name_measure(name, count, tag)] = Measurement(value, interval, floor, count, tag)
    return measures, tuple(notes)


class _Floors(dict[str, float]):
    """The floors of distances: the mean distance of several sets of other reals to the reference, as one set varies.

    The first lookup computes all distances, one set at a time: the features of all sets would fill gigabytes.
    """

    def __init__(self, names: Sequence[str], real: SampleSet, others: Draws) -> None:
        super().__init__()
        self.names, self.real, self.others = names, real, others

    def __missing__(self, name: str) -> float:
        totals = dict.fromkeys(self.names, 0.0)
        for side in self.others:
            for each in self.names:
                totals[each] += DISTANCES[each](side, self.real)
        self.update({each: total / len(self.others) for each, total in totals.items()})
        return self[name]


def _fits(name: str, fake: SampleSet) -> bool:
    """Whether a measure makes sense for this kind of data."""
    if name in (*PIXELS, *SOLIDS):
        return fake.modality is (IMAGES if name in PIXELS else VOXELS)
    return name not in JUDGED or (modality_of(fake.data).grid and (name != "requested" or fake.labels is not None))
