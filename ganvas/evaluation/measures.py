"""Measures of a sample set against a reference of real samples, each with its interval, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from ganvas.errors import UsageError
from ganvas.evaluation.sample_sets import SampleSet
from ganvas.metrics.confidence import Halves, jackknife, mean_interval, student_quantile, wilson
from ganvas.metrics.connected_parts import largest_component
from ganvas.metrics.frechet import frechet_distance, frechet_from_moments, moments
from ganvas.metrics.inception_score import inception_score
from ganvas.metrics.kernel_distance import feature_scale, kernel_distance
from ganvas.metrics.precision_recall import SupportMeasures, support_measures
from ganvas.metrics.sharpness import sharpness
from ganvas.metrics.sliced_wasserstein import sliced_wasserstein
from ganvas.metrics.ssim import diversity

PIXEL_SAMPLES = 1_000  # samples of the measures that compare pixels
MANY = 8  # features from which on the interval of the Fréchet distance is corrected
GROUPS = 10  # of samples in a jackknife, and splits of an inception score
HALVES = 12  # samples from which on each half has more than the five neighbours of coverage
CONNECTED = 0.99  # share of voxels in the largest part of a connected solid


@dataclass(frozen=True)
class Measurement:
    """One number. `interval` is the half-width of its 95 % interval, `floor` the score of other reals; None: not known.

    `baseline` is the score of something trivial: of a model that takes inputs, of the copied input, for example.
    """

    value: float
    interval: float | None
    floor: float | None
    samples: int
    extractor: str  # "none": no network
    baseline: float | None = None


def name_measure(metric: str, samples: int, tag: str) -> str:
    """The name of a measured value, "fd10k-digits": the metric, the number of samples, the extractor ("none": no network)."""
    count = f"{samples // 1000}k" if samples % 1000 == 0 else str(samples)
    return f"{metric}{count}" + (f"-{tag}" if tag != "none" else "")


Compare = Callable[[SampleSet, SampleSet], tuple[float, float | None]]  # (measured, reference) -> value, interval
Value = Callable[[SampleSet, SampleSet], float]
Found = TypeVar("Found")


def _once(compute: Callable[[SampleSet, SampleSet], Found]) -> Callable[[SampleSet, SampleSet], Found]:
    """`compute`, which is called once for two sets while both exist: four measures come from the same distances."""
    known: WeakKeyDictionary[SampleSet, WeakKeyDictionary[SampleSet, Found]] = WeakKeyDictionary()

    def look_up(side: SampleSet, real: SampleSet) -> Found:
        of_side = known.setdefault(side, WeakKeyDictionary())
        if real not in of_side:
            of_side[real] = compute(side, real)
        return of_side[real]

    return look_up


@_once
def _support(side: SampleSet, real: SampleSet) -> SupportMeasures:
    return support_measures(real.features, side.features)


@_once
def _support_halves(side: SampleSet, real: SampleSet) -> Halves:
    a, b = real.features, side.features
    return Halves.of(lambda rows_a, rows_b: support_measures(a[rows_a], b[rows_b]), torch.arange(len(a)), torch.arange(len(b)))


def support_value(name: str) -> Value:
    """Precision, recall, density or coverage alone, without its interval."""
    return lambda side, real: float(getattr(_support(side, real), name))


def _support_share(name: str) -> Compare:
    """Precision, a share of the samples, or recall or coverage, which are shares of the reals."""

    def share(side: SampleSet, real: SampleSet) -> tuple[float, float | None]:
        value, n = support_value(name)(side, real), len((side if name == "precision" else real).data)
        which = SupportMeasures._fields.index(name)
        few = min(len(side.data), len(real.data)) < HALVES
        return value, None if few else _support_halves(side, real).share_interval(which, value, n)

    return share


def _density(side: SampleSet, real: SampleSet) -> tuple[float, float | None]:
    which, few = SupportMeasures._fields.index("density"), min(len(side.data), len(real.data)) < HALVES
    return support_value("density")(side, real), None if few else _support_halves(side, real).interval(which)


def _frechet(side: SampleSet, real: SampleSet) -> tuple[float, float | None]:
    a, b = side.features, real.features

    def without(rows_a: Tensor, rows_b: Tensor) -> float:
        return frechet_from_moments(*moments(a[rows_a]), *moments(b[rows_b]))  # one copy at a time

    if min(len(a), len(b)) < GROUPS:
        return frechet_distance(a, b), None
    # With few features the error is skewed, and the correction, which is right for its variance, makes the interval too narrow.
    rows = (torch.arange(len(a)), torch.arange(len(b)))
    return frechet_distance(a, b), jackknife(without, *rows, groups=GROUPS, corrected=a.shape[1] >= MANY)


def frechet_value(side: SampleSet, real: SampleSet) -> float:
    """The Fréchet distance alone, without its interval."""
    return frechet_distance(side.features, real.features)


def kernel_value(side: SampleSet, real: SampleSet) -> float:
    """The kernel distance alone, without its interval."""
    return _kernel(side, real)[0]


def _kernel(side: SampleSet, real: SampleSet) -> tuple[float, float | None]:
    scale = feature_scale(real.features)  # the cubic kernel of features far from 1 sees outliers only
    value, interval = kernel_distance(side.features, real.features, scale=scale)
    return 1000 * value, None if interval is None else 1000 * interval


def _scatter(statistic: Callable[..., float], *sets: Tensor, parts: int = 5) -> float | None:
    """The half-width of the 95 % interval from disjoint parts, for measures with random patches or pairs; None: too few."""
    try:
        values = [statistic(*part) for part in zip(*(rows.tensor_split(parts) for rows in sets), strict=True)]
    except UsageError:  # a part has no sample, or only one of a class
        return None
    return mean_interval(torch.tensor(values))[1]


def _sliced(side: SampleSet, real: SampleSet) -> tuple[float, float | None]:
    n = min(PIXEL_SAMPLES, len(side.data), len(real.data))

    def distance(a: Tensor, b: Tensor) -> float:
        return 1000 * sliced_wasserstein(b, a, patches=32)

    return distance(side.data[:n], real.data[:n]), _scatter(distance, side.data[:n], real.data[:n])


def _diversity(side: SampleSet, real: SampleSet) -> tuple[float, float | None]:
    def mean(images: Tensor, labels: Tensor) -> float:
        return diversity(images, labels, pairs=PIXEL_SAMPLES)

    n = 4 * PIXEL_SAMPLES
    images = side.data[:n]
    labels = torch.zeros(len(images), dtype=torch.int64) if side.labels is None else side.labels[:n]
    if side.labels is not None and (alone := labels.bincount()[labels] == 1).any():  # one sample of a class has no pair
        images, labels = images[~alone], labels[~alone]
    return mean(images, labels), _scatter(mean, images, labels)


def _score(side: SampleSet, real: SampleSet) -> tuple[float, float | None]:
    order = torch.randperm(len(side.logits), generator=torch.Generator().manual_seed(0))
    value, sd = inception_score(side.logits[order], GROUPS)
    return value, student_quantile(GROUPS - 1) * sd / (GROUPS - 1) ** 0.5  # sd has the divisor of all splits


def _requested(side: SampleSet, real: SampleSet) -> tuple[float, float | None]:
    if side.labels is None:
        raise UsageError("only a model with classes has requested classes; choose another measure")
    if side.extractor and side.extractor.classes not in ((), side.classes):
        raise UsageError(f"{side.extractor.name} names other classes than the data: give --extractor RUN of its own classifier")
    value = float((side.logits.argmax(1) == side.labels).double().mean())
    return value, wilson(value, len(side.data))


def measure_each_class(side: SampleSet, other: SampleSet) -> dict[str, Measurement]:
    """For each requested class, the share of its samples that the classifier recognizes as this class."""
    _requested(side, other)  # raises if there are no classes or no classifier
    found = {}
    for number, name in enumerate(side.classes):
        mine, theirs = (each.logits[each.labels == number].argmax(1) == number for each in (side, other))
        if len(mine):
            value, floor = float(mine.double().mean()), float(theirs.double().mean()) if len(theirs) else None
            tag = side.extractor.name if side.extractor else "none"
            found[name] = Measurement(value, wilson(value, len(mine)), floor, len(mine), tag)
    return found


def _class_share(pick: Callable[[Tensor], Tensor]) -> Compare:
    def share(side: SampleSet, _: SampleSet) -> tuple[float, float | None]:
        value = float(pick(side.logits.argmax(1).bincount(minlength=side.logits.shape[1]) / len(side.data)))
        return value, wilson(value, len(side.data))

    return share


def _sharpness(side: SampleSet, real: SampleSet) -> tuple[float, float | None]:
    return mean_interval(sharpness(side.data))


def _connected(side: SampleSet, real: SampleSet) -> tuple[float, float | None]:
    value = float((largest_component(side.data[:, 0] > 127) > CONNECTED).double().mean())
    return value, wilson(value, len(side.data))


# name -> how to compare
COMPARE: Mapping[str, Compare] = {
    "fd": _frechet,
    "kd": _kernel,
    "precision": _support_share("precision"),
    "recall": _support_share("recall"),
    "density": _density,
    "coverage": _support_share("coverage"),
    "score": _score,
    "requested": _requested,
    "rarest": _class_share(torch.amin),
    "commonest": _class_share(torch.amax),
    "swd": _sliced,
    "msssim": _diversity,
    "sharpness": _sharpness,
    "connected": _connected,
}


DISTANCES: Mapping[str, Value] = {"fd": frechet_value, "kd": kernel_value}
VALUES: Mapping[str, Value] = {**DISTANCES, **{name: support_value(name) for name in SupportMeasures._fields}}


def measure_value(name: str, side: SampleSet, real: SampleSet) -> float:
    """The value of a measure alone: of a floor, whose interval is not needed."""
    return VALUES[name](side, real) if name in VALUES else COMPARE[name](side, real)[0]


PIXELS = ("swd", "msssim", "sharpness")  # of pictures; need no network
SOLIDS = ("connected",)  # of solids; need no network
JUDGED = ("score", "requested", "rarest", "commonest")  # need a classifier
