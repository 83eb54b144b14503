"""Measures of images made from label maps: whether each class is found again in them, and whether noise makes a difference."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from torch import Tensor

from ganvas.core.modality import IMAGES, LABEL_MAPS, UNKNOWN, Batch, modality_of
from ganvas.data.dataset import Dataset
from ganvas.errors import UsageError
from ganvas.evaluation.baselines import Baseline, choose_training_rows
from ganvas.evaluation.measures import Measurement
from ganvas.inference.inputs import INPUT_MODALITIES, Outputs, run_task
from ganvas.metrics.color_segmenter import ColorSegmenter
from ganvas.metrics.confidence import mean_interval
from ganvas.metrics.mean_iou import mean_iou

MAPS = ("found", "miou", "variety")
PAIRS = 200  # maps that are painted twice


def takes_maps(outputs: Outputs) -> bool:
    """Whether the outputs are images made from label maps."""
    shown = next(iter(outputs.inputs.values()))
    return modality_of(shown, INPUT_MODALITIES) is LABEL_MAPS and modality_of(outputs.output, INPUT_MODALITIES) is IMAGES


def share_found(found: Tensor, maps: Tensor) -> Tensor:
    """Label maps uint8 [N, H, W] -> the share of known pixels whose class was found [n], float64; maps without one left out."""
    known = maps != UNKNOWN
    right = ((found == maps) & known).flatten(1).double().sum(1)
    count = known.flatten(1).sum(1)
    return right[count > 0] / count[count > 0]


def mean_overlap(found: Tensor, maps: Tensor) -> float:
    """`mean_iou` over the classes that the maps have."""
    classes = int(maps[maps != UNKNOWN].max()) + 1 if (maps != UNKNOWN).any() else 1
    return mean_iou(found, maps, classes)


def measure_maps(
    outputs: Outputs, data: Dataset, rows: Tensor, train: Dataset, baseline: Baseline | None
) -> Mapping[str, Measurement]:
    """The measures `found` and `miou`, and `variety` if the game takes noise.

    The classes are found by color, by a segmenter of the training split. Floor: real pictures of the same maps, of which it
    finds not all either. `rows` are those of the outputs in `data`.

    Raises:
        UsageError: the data lacks maps or pictures.
    """
    task, (field, maps) = outputs.task, next(iter(outputs.inputs.items()))
    if not {field, task.target} <= set(train.modalities):
        raise UsageError(f"the data has no {field} and {task.target} to learn the colors of the classes from")
    some = train.rows(choose_training_rows(train))
    segmenter = ColorSegmenter.fit(some[task.target], some[field])
    real = data.rows(rows)[task.target] if task.target in data.modalities else None
    pictures = {"value": outputs.output, "floor": real, "baseline": None if baseline is None else baseline.output}
    found = {name: segmenter.segment(x) for name, x in pictures.items() if x is not None}
    n = len(maps)
    value, interval = mean_interval(share_found(found["value"], maps))
    shares = {name: float(share_found(x, maps).mean()) for name, x in found.items()}
    overlaps = {name: mean_overlap(x, maps) for name, x in found.items()}
    measures = {
        "found": Measurement(value, interval, shares.get("floor"), n, "none", shares.get("baseline")),
        "miou": Measurement(overlaps["value"], None, overlaps.get("floor"), n, "none", overlaps.get("baseline")),
    }
    if task.game.noise_dim:
        measures["variety"] = measure_variety(outputs, data, rows)
    return measures


def measure_variety(outputs: Outputs, data: Dataset, rows: Tensor) -> Measurement:
    """The mean absolute difference, 0 to 1, of two pictures of one map from different noise; 0: the noise does nothing."""
    task, some = outputs.task, rows[:PAIRS]
    again = run_task(replace(task, compute=_with_other_noise(task.compute)), data, some)
    apart = (again.output.double() - outputs.output[:PAIRS].double()).abs().flatten(1).mean(1) / 255
    return Measurement(*mean_interval(apart), None, len(some), "none")


def _with_other_noise(compute: Callable[[Batch, Tensor | None], Batch]) -> Callable[[Batch, Tensor | None], Batch]:
    """`compute` with the numbers of each z in another order: as likely, and another z."""
    return lambda inputs, z: compute(inputs, None if z is None else z.roll(1, 1))
