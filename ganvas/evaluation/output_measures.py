"""Measure a game that takes inputs: its outputs against the truth of each row, or as a set where the data has no pairs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ganvas.config import Recipe
from ganvas.core.capabilities import TakesInputs
from ganvas.core.modality import CLIPS, IMAGES, LABEL_MAPS, Modality, modality_of
from ganvas.data.dataset import Dataset
from ganvas.errors import DataError, UsageError, unknown_name
from ganvas.evaluation import measure_names
from ganvas.evaluation.measures import COMPARE, PIXEL_SAMPLES, Measurement, measure_value, name_measure
from ganvas.evaluation.sample_sets import UNSEEN, SampleSet
from ganvas.games.recipes import open_data, parse_recipe
from ganvas.inference.feature_extractors import Extractor, choose_extractor
from ganvas.inference.inputs import INPUT_MODALITIES, Outputs, list_tasks, run_task
from ganvas.inference.model import Model
from ganvas.metrics.psnr import psnr
from ganvas.metrics.ssim import ssim
from ganvas.runtime import placement
from ganvas.utils.parsing import spell_count

MOST_DECIBELS = 100.0  # PSNR of equal images in a mean: that of a single wrong byte in 10^8 is about as high
FEWEST = 20  # rows: fewer say nothing
UNKNOWN = 255  # in a label map: such pixels do not count


def absolute_error(output: Tensor, truth: Tensor) -> Tensor:
    """uint8 [N, ...] of one shape -> the mean absolute error (L1) of each pair [N], 0 to 1 of the range, float64."""
    parts = zip(output.split(50), truth.split(50), strict=True)
    return torch.cat([(a.double() - b.double()).abs().flatten(1).mean(1) for a, b in parts]) / 255


def pixel_accuracy(output: Tensor, truth: Tensor) -> Tensor:
    """Label maps uint8 [N, H, W] -> the share of known pixels with the true class [N], float64.

    Source: Long, Shelhamer, Darrell 2015, arXiv:1411.4038 sec. 5.
    """
    known = truth != UNKNOWN
    right = ((output == truth) & known).flatten(1).double().sum(1)
    return right / known.flatten(1).double().sum(1).clamp(min=1)


def _of_frames(metric: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    """A metric of images, applied to clips too: the mean over the frames."""

    def values(output: Tensor, truth: Tensor) -> Tensor:
        if modality_of(output, INPUT_MODALITIES) is IMAGES:
            return metric(output, truth)
        of_frames: Tensor = metric(output.flatten(0, 1), truth.flatten(0, 1)).unflatten(0, output.shape[:2])
        return of_frames.mean(1)

    return values


@dataclass(frozen=True)
class TruthMeasure:
    """A measure of outputs against the truth, row by row."""

    kinds: tuple[Modality, ...]  # it fits
    values: Callable[[Tensor, Tensor], Tensor]  # (outputs, truth) uint8 [N, ...] -> [N]


TRUTH: Mapping[str, TruthMeasure] = {
    "mae": TruthMeasure((IMAGES, CLIPS), absolute_error),
    "psnr": TruthMeasure((IMAGES, CLIPS), _of_frames(lambda a, b: psnr(a, b).clamp(max=MOST_DECIBELS))),
    "ssim": TruthMeasure((IMAGES, CLIPS), _of_frames(ssim)),
    "pixel_accuracy": TruthMeasure((LABEL_MAPS,), pixel_accuracy),
}
SETS = ("fd", "kd", "precision", "recall", "density", "coverage", "swd", "sharpness")  # of `COMPARE`


@dataclass(frozen=True)
class InputRows:
    """The rows whose outputs are measured, and others for the floor."""

    data: Dataset
    rows: Tensor  # int64 [n]
    others: Dataset  # samples of the training split
    words: str


def choose_rows(recipe: Recipe, samples: int, split: str | None, *, trained: bool) -> InputRows:
    """Up to `samples` rows of the test split; without one, of the held-out part of the training split.

    `trained`: whether the model was trained on this data, so that a part of it was held out.

    Raises:
        DataError: too few rows, or no test split and `split` is "test".
    """
    source, train = recipe.data.source, open_data(recipe)
    data, words = train, f"rows of the training split of {source}"
    if split != "train":
        try:
            data, words = open_data(replace(recipe, data=replace(recipe.data, split="test"))), f"rows {UNSEEN} {source}"
        except DataError:
            if split == "test":
                raise
            rest, held_out = train.hold_out(recipe.data.held_out) if trained else (train, None)
            if held_out is not None:
                train, data, words = rest, held_out, f"held-out rows of {source} (no test split)"
    n = min(samples, len(data))
    if n < FEWEST:
        found = f"{source} has {spell_count(len(data), 'rows')} to measure"
        raise DataError(f"{found}; expected at least {FEWEST}; give other data with --against")
    rows = torch.randperm(len(data), generator=torch.Generator().manual_seed(2))[:n].sort().values
    return InputRows(data, rows, train, f"{n:,} {words}")


def held_out_rows(model: Model, source: str, samples: int, split: str | None = None) -> InputRows:
    """The rows of `choose_rows` for a model and a data source. Raises: as `choose_rows`."""
    recipe = parse_recipe(model.card["recipe"])
    trained = source == recipe.data.source
    return choose_rows(replace(recipe, data=replace(recipe.data, source=source)), samples, split, trained=trained)


def measure_outputs(
    model: Model,
    source: str,
    *,
    chosen: Sequence[str] | None = None,
    samples: int = 10_000,
    split: str | None = None,
    network: Extractor | None = None,
) -> tuple[dict[str, Measurement], str, tuple[str, ...]]:
    """The measures of a model that takes inputs, the reference in words, and notes on what was left out.

    Tasks whose rows have the truth are measured against it; the others, such as a translation without pairs, as a set
    against the real samples of the target field. With several tasks a measure's name ends with its task: "swd1k-... a>b".

    Raises:
        UsageError: an unknown measure, or one of `chosen` that does not fit.
        DataError: too few rows, or the data lacks a field.
    """
    game = model.game
    if not isinstance(game, TakesInputs):
        raise UsageError(f"{model.name} takes no inputs; sample it from noise")
    for name in chosen or ():
        if name not in (*TRUTH, *SETS):
            raise _misfit(name)
    found = held_out_rows(model, source, samples, split)
    tasks, notes = list_tasks(game), _Notes(strict=chosen is not None)
    measures: dict[str, Measurement] = {}
    for task in tasks:
        outputs = run_task(task, found.data, found.rows)
        default = TRUTH if outputs.truth is not None else SETS
        part = measure_truth(outputs, (name for name in chosen or default if name in TRUTH), notes)
        part |= _measure_sets(outputs, found, [name for name in chosen or default if name in SETS], network, notes)
        measures |= {f"{name} {task.name}" if len(tasks) > 1 else name: value for name, value in part.items()}
    return measures, found.words, notes.lines()


def _misfit(name: str) -> UsageError:
    if name in measure_names.SAMPLES:
        return UsageError(f"{name} does not fit a model that takes inputs; choose among {', '.join((*TRUTH, *SETS))}")
    return unknown_name("metric of a model that takes inputs", name, (*TRUTH, *SETS))


class _Notes:
    """What was left out: names by reason. `strict`: the user named the measures, so a misfit is an error."""

    def __init__(self, strict: bool) -> None:
        self.strict = strict
        self.names: dict[str, list[str]] = {}

    def add(self, name: str, misfit: UsageError) -> None:
        """Note that a measure does not fit. Raises: UsageError: the user named it."""
        if self.strict:
            raise misfit
        names = self.names.setdefault(str(misfit), [])
        names += [] if name in names else [name]

    def lines(self) -> tuple[str, ...]:
        """One line for each reason."""
        return tuple(f"left out: {', '.join(names)} ({reason})" for reason, names in self.names.items())


def measure_truth(outputs: Outputs, chosen: Iterable[str], notes: _Notes) -> dict[str, Measurement]:
    """Outputs against their truth: the mean over rows, with its interval. There is no floor: a perfect model has no error."""
    kind, measures = modality_of(outputs.output, INPUT_MODALITIES), {}
    for name in chosen:
        measure = TRUTH[name]
        if outputs.truth is None:
            notes.add(name, UsageError("it compares with the truth, and this data has no pairs"))
            continue
        if kind not in measure.kinds:
            if notes.strict:
                raise UsageError(f"{name} does not fit {kind.name}; choose another measure")
            continue
        try:
            values = measure.values(outputs.output, outputs.truth)
        except UsageError as misfit:
            notes.add(name, misfit)
            continue
        n = len(values)
        interval = float(1.96 * values.std() / n**0.5)
        measures[name_measure(name, n, "none")] = Measurement(float(values.mean()), interval, None, n, "none")
    return measures


def _measure_sets(
    outputs: Outputs, reference: InputRows, chosen: Sequence[str], network: Extractor | None, notes: _Notes
) -> dict[str, Measurement]:
    """The outputs as a set against the real samples of the target field; the floor is that of training samples."""
    if not chosen:
        return {}
    target, n = outputs.task.target, len(reference.rows)
    if modality_of(outputs.output, INPUT_MODALITIES) is not IMAGES or target not in reference.data.modalities:
        notes.add(", ".join(chosen), UsageError(f"the outputs are no images, or the data has no {target!r} to compare with"))
        return {}
    random = torch.Generator().manual_seed(1)
    picked = torch.randperm(len(reference.others), generator=random)[:n].sort().values
    n = len(picked)  # the floor is of as many samples; if the training split has fewer, fewer are measured
    some = torch.randperm(len(reference.rows), generator=random)[:n].sort().values
    sets = [
        outputs.output[some],
        reference.data.rows(reference.rows[some])[target],
        reference.others.rows(picked)[target],
    ]
    network = network or choose_extractor(reference.data.name, sets[0].shape[1], placement.device_of(outputs.task.game))
    fake, real, other = (SampleSet(images, None, network) for images in sets)
    measures = {}
    for name in chosen:
        tag = "none" if name in ("swd", "sharpness") or network is None else network.name
        try:
            value, interval = COMPARE[name](fake, real)
            floor = measure_value(name, other, real)
        except UsageError as misfit:
            notes.add(name, misfit)
            continue
        count = min(n, PIXEL_SAMPLES) if name == "swd" else n
        measures[name_measure(name, count, tag)] = Measurement(value, interval, floor, count, tag)
    return measures
