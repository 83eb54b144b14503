"""Measure a game that takes inputs: its outputs against the truth of each row, and as a set against the real samples.

Every number stands beside that of a trivial baseline on the same rows: see baselines.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ganvas.config import Recipe
from ganvas.core.capabilities import Animates, TakesInputs
from ganvas.core.modality import IMAGES, modality_of
from ganvas.data.dataset import Dataset
from ganvas.errors import DataError, UsageError, unknown_name
from ganvas.evaluation import measure_names, whole_pictures
from ganvas.evaluation.baselines import Baseline, fill_by_mean, make_baseline
from ganvas.evaluation.left_out import Notes
from ganvas.evaluation.map_measures import MAPS, measure_maps, takes_maps
from ganvas.evaluation.measures import COMPARE, PIXEL_SAMPLES, Measurement, measure_value, name_measure
from ganvas.evaluation.motion_measures import MOTIONS, measure_motions
from ganvas.evaluation.sample_sets import UNSEEN, SampleSet
from ganvas.evaluation.truth_measures import TRUTH, absolute_error
from ganvas.games.recipes import open_data, parse_recipe
from ganvas.inference.feature_extractors import Extractor, choose_extractor
from ganvas.inference.inputs import INPUT_MODALITIES, Outputs, list_tasks, run_task
from ganvas.inference.model import Model
from ganvas.runtime import placement
from ganvas.utils.parsing import spell_count

FEWEST = 20  # rows: fewer say nothing
SETS = ("fd", "kd", "precision", "recall", "density", "coverage", "swd", "sharpness")  # of `COMPARE`
WITH_TRUTH = ("fd", "kd", "swd", "sharpness")  # of outputs that have a truth: a blurred output may be near it and yet not real
CYCLE = "cycle"  # of a translation with two directions, which needs no truth
NAMES = (*TRUTH, CYCLE, *SETS, *MAPS, *MOTIONS)


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
    strength: float = 1.0,
) -> tuple[dict[str, Measurement], str, tuple[str, ...], str]:
    """The measures of a model that takes inputs, the reference in words, notes on what was left out, and the baseline's name.

    Tasks whose rows have the truth are measured against it, and as a set against the real samples of the target field; the
    others, such as a translation without pairs, as a set. Images made from label maps have measures of their own. With
    several tasks a measure's name ends with its task: "swd1k-... a>b". Other photographs than those of the training are
    measured whole: see whole_pictures.py. `strength`: see `Model.translate` and `Model.upscale`.

    Raises:
        UsageError: an unknown measure, or one of `chosen` that does not fit.
        DataError: too few rows, or the data lacks a field.
    """
    game = model.game
    if not isinstance(game, TakesInputs):
        raise UsageError(f"{model.name} takes no inputs; sample it from noise")
    for name in chosen or ():
        if name not in NAMES:
            raise _misfit(name)
    if whole_pictures.suits(model, source):
        return whole_pictures.measure(model, source, chosen, strength)
    found = held_out_rows(model, source, samples, split)
    tasks, notes, baselines = list_tasks(game, strength), Notes(strict=chosen is not None), dict[str, None]()
    told: list[str] = []
    measures: dict[str, Measurement] = {}
    if len(tasks) > 1:  # measures have the names of the fields
        told += [f"{task.name} is {task.title}" for task in tasks if task.title.replace(" ", "") != task.name]
    for task in tasks:
        outputs = run_task(task, found.data, found.rows)
        baseline = make_baseline(outputs, found.others)
        if baseline is not None:
            baselines[baseline.name] = None
        asked = tuple(chosen) if chosen is not None else _choose(outputs)
        part = measure_truth(outputs, (name for name in asked if name in TRUTH), notes, baseline)
        if "psnr_hole" in asked and outputs.hole is not None:
            told.append(_tell_mean_color(outputs))
        part |= _measure_cycle(outputs, notes) if CYCLE in asked else {}
        part |= _measure_sets(outputs, found, [name for name in asked if name in SETS], network, notes, baseline)
        part |= _measure_maps(outputs, found, [name for name in asked if name in MAPS], notes, baseline)
        part |= _measure_motions(model, found, [name for name in asked if name in MOTIONS], notes)
        measures |= {f"{name} {task.name}" if len(tasks) > 1 else name: value for name, value in part.items()}
    return measures, found.words, (*told, *notes.lines()), ", ".join(baselines)


def _tell_mean_color(outputs: Outputs) -> str:
    """The second baseline of inpainting, in words: the column of the report has the better one."""
    value = float(TRUTH["psnr_hole"].compare(outputs, fill_by_mean(outputs).output).mean())
    return f"psnr_hole of the mean color outside the hole: {value:.4g}"


def _choose(outputs: Outputs) -> tuple[str, ...]:
    """The measures that suit some outputs, if the user names none."""
    cycle = () if outputs.back is None else (CYCLE,)
    if outputs.truth is None:
        return (*cycle, *SETS)
    names = [name for name, measure in TRUTH.items() if measure.suits(outputs)]
    if modality_of(outputs.output, INPUT_MODALITIES) is IMAGES:
        names += WITH_TRUTH
    more = MOTIONS if isinstance(outputs.task.game, Animates) else ()
    return (*names, *cycle, *(MAPS if takes_maps(outputs) else ()), *more)


def _misfit(name: str) -> UsageError:
    if name in measure_names.SAMPLES:
        return UsageError(f"{name} does not fit a model that takes inputs; choose among {', '.join(NAMES)}")
    return unknown_name("metric of a model that takes inputs", name, NAMES)


def measure_truth(
    outputs: Outputs, chosen: Iterable[str], notes: Notes, baseline: Baseline | None = None
) -> dict[str, Measurement]:
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
            values = measure.compare(outputs, outputs.output)
            trivial = None if baseline is None else float(measure.compare(outputs, baseline.output).mean())
        except UsageError as misfit:
            notes.add(name, misfit)
            continue
        n = len(values)
        interval = float(1.96 * values.std() / n**0.5)
        measures[name_measure(name, n, "none")] = Measurement(float(values.mean()), interval, None, n, "none", trivial)
    return measures


def _measure_cycle(outputs: Outputs, notes: Notes) -> dict[str, Measurement]:
    """How far from the inputs the way there and back ends, the mean over rows. Source: arXiv:1703.10593 eq. 2."""
    if outputs.back is None:
        notes.add(CYCLE, UsageError("it needs a translation with two directions"))
        return {}
    values = absolute_error(outputs.back, next(iter(outputs.inputs.values())))
    n, interval = len(values), float(1.96 * values.std() / len(values) ** 0.5)
    return {name_measure(CYCLE, n, "none"): Measurement(float(values.mean()), interval, None, n, "none")}


def _choose_two_sets(reference: InputRows) -> tuple[Tensor, Tensor]:
    """The outputs that are compared as a set, by place in `reference.rows`, and as many rows of `reference.others`.

    If no rows are held out, both come from the same data: then they are two halves of it, without a row in common.
    """
    random = torch.Generator().manual_seed(1)
    if reference.others is reference.data:
        both = torch.randperm(len(reference.rows), generator=random)
        half = len(both) // 2
        return both[:half].sort().values, reference.rows[both[half : 2 * half]].sort().values
    picked = torch.randperm(len(reference.others), generator=random)[: len(reference.rows)].sort().values
    # The floor is of as many samples; if the training split has fewer, fewer are measured.
    return torch.randperm(len(reference.rows), generator=random)[: len(picked)].sort().values, picked


def _measure_sets(
    outputs: Outputs,
    reference: InputRows,
    chosen: Sequence[str],
    network: Extractor | None,
    notes: Notes,
    baseline: Baseline | None,
) -> dict[str, Measurement]:
    """The outputs as a set against real samples of the target field, which do not belong to their inputs.

    Of rows with the truth these are training samples, and the floor is the score of the truths: outputs and their truths are
    so alike, pair by pair, that as two sets they would be nearer than any two sets of reals. Of rows without it these are the
    reals of the same split, and the floor is the score of training samples.
    """
    if not chosen:
        return {}
    target = outputs.task.target
    if (kind := modality_of(outputs.output, INPUT_MODALITIES)) is not IMAGES:
        notes.add(", ".join(chosen), UsageError(f"it measures single images, and the outputs are {kind.unit}"))
        return {}
    if target not in reference.data.modalities:
        notes.add(", ".join(chosen), UsageError(f"the data has no {target!r} to compare with"))
        return {}
    some, picked = _choose_two_sets(reference)
    n = len(picked)
    if n < FEWEST:
        notes.add(", ".join(chosen), UsageError(f"there are only {len(reference.rows)} real pictures to compare two sets of"))
        return {}
    sets = [
        outputs.output[some],
        reference.data.rows(reference.rows[some])[target],
        reference.others.rows(picked)[target],
    ]
    if outputs.truth is not None and outputs.truth.shape[1:] == sets[2].shape[1:]:
        sets[1:] = [sets[2], outputs.truth[some]]
    network = network or choose_extractor(reference.data.name, sets[0].shape[1], placement.device_of(outputs.task.game))
    fake, real, other = (SampleSet(images, None, network) for images in sets)
    copy = None if baseline is None else SampleSet(baseline.output[some], None, network)
    measures = {}
    for name in chosen:
        tag = "none" if name in ("swd", "sharpness") or network is None else network.name
        try:
            value, interval = COMPARE[name](fake, real)
            floor = measure_value(name, other, real)
            trivial = None if copy is None else measure_value(name, copy, real)
        except UsageError as misfit:
            notes.add(name, misfit)
            continue
        count = min(n, PIXEL_SAMPLES) if name == "swd" else n
        measures[name_measure(name, count, tag)] = Measurement(value, interval, floor, count, tag, trivial)
    return measures


def _measure_maps(
    outputs: Outputs, reference: InputRows, chosen: Sequence[str], notes: Notes, baseline: Baseline | None
) -> dict[str, Measurement]:
    """The measures of images made from label maps."""
    if not chosen:
        return {}
    try:
        if not takes_maps(outputs):
            raise UsageError("only images made from label maps have it")
        found = measure_maps(outputs, reference.data, reference.rows, reference.others, baseline)
        if "variety" in chosen and "variety" not in found and notes.strict:
            raise UsageError("variety: the model takes no noise, so a map has one picture; leave it out")
    except UsageError as misfit:
        for name in chosen:
            notes.add(name, misfit)
        return {}
    return {name_measure(name, m.samples, m.extractor): m for name, m in found.items() if name in chosen}


def _measure_motions(model: Model, reference: InputRows, chosen: Sequence[str], notes: Notes) -> dict[str, Measurement]:
    """The measures of keypoints."""
    if not chosen:
        return {}
    try:
        found = measure_motions(model, reference.data, reference.rows, reference.others)
    except UsageError as misfit:
        for name in chosen:
            notes.add(name, misfit)
        return {}
    if "keypoint_error" in chosen and "keypoint_error" not in found and notes.strict:
        raise UsageError("keypoint_error: the joints of this data are not known; measure on puppets, or leave it out")
    return {name_measure(name, m.samples, m.extractor): m for name, m in found.items() if name in chosen}
