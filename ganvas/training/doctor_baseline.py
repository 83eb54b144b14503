"""Outputs against what needs no model: the copied input, bicubic enlargement, mean colors, a smooth filling."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from ganvas.core.modality import IMAGES, modality_of
from ganvas.evaluation.baselines import Baseline, make_baseline
from ganvas.evaluation.truth_measures import absolute_error
from ganvas.inference.inputs import INPUT_MODALITIES, Outputs
from ganvas.training.doctor_case import Case
from ganvas.training.doctor_distance import Distance, measure
from ganvas.training.doctor_finding import Finding

FEWEST = 100  # pictures: the distance of fewer does not tell good outputs from their inputs
GAIN = 0.02  # of the baseline: an error or a distance that is smaller by less is no better


@dataclass(frozen=True)
class Gain:
    """Some outputs beside their baseline."""

    outputs: Outputs
    baseline: Baseline
    errors: tuple[float, float] | None  # mean absolute difference from the truth in levels of 255: outputs, baseline
    distance: Distance | None  # `trivial` is the score of the baseline; None: no images, or too few

    @property
    def better(self) -> bool:
        """Whether the outputs beat the baseline in something: in their error, or in their distance to real pictures."""
        at, errors = self.distance, self.errors
        if errors is not None and errors[0] < (1 - GAIN) * errors[1]:
            return True
        if at is None:
            return True  # nobody knows: a sharp picture has a larger error than the mean of all answers
        if at.trivial <= at.floor:
            return errors is None  # a baseline at the floor cannot be beaten by distance
        return at.value < (1 - GAIN) * at.trivial

    @property
    def unproved(self) -> bool:
        """Whether `better` is only not known to be false: the error is no smaller, and no distance was measured."""
        return self.distance is None and self.errors is not None and self.errors[0] >= (1 - GAIN) * self.errors[1]

    @property
    def unknown(self) -> bool:
        """Whether nothing could be measured."""
        return self.distance is None and self.errors is None

    def text(self) -> str:
        """The numbers beside those of the baseline, or why there are none."""
        if self.unknown:
            return f"{self.outputs.task.title}: the distance to real samples (fewer than {FEWEST} are held out)"
        parts = [] if self.distance is None else [self.distance.text()]
        if self.errors is not None:
            parts.append(f"error {self.errors[0]:.3g} of 255 ({self.baseline.name} {self.errors[1]:.3g})")
        return f"{self.outputs.task.title}: {', '.join(parts)}"


def measure_gains(case: Case) -> tuple[Gain, ...]:
    """Each kind of outputs of the case beside its baseline; those that have one."""
    gains = []
    for outputs in case.outputs:
        baseline = make_baseline(outputs, case.run.data)
        if baseline is not None:
            errors = _measure_errors(outputs, baseline)
            gains.append(Gain(outputs, baseline, errors, _measure_distance(case, outputs, baseline)))
    return tuple(gains)


def find_worst(case: Case, gains: tuple[Gain, ...]) -> Finding | None:
    """Outputs that are no better than their baseline, neither in their error nor as a set of pictures.

    Of a run shorter than its recipe an error that is no smaller is enough where no distance was measured.
    """
    for gain in gains:
        if gain.better and not (case.short and gain.unproved):
            continue
        evidence = f"{gain.text()}, after {case.items:,} {case.run.data.modality.unit}"
        if case.short:
            usual = case.read_setting("train.images", usual=True)
            return Finding("trained too little", f"{evidence}; the recipe has {usual:,}", f"--images {usual}")
        return Finding(f"no better than {gain.baseline.name}", evidence, f"--images {2 * case.items}")
    return None


def _measure_errors(outputs: Outputs, baseline: Baseline) -> tuple[float, float] | None:
    truth = outputs.truth
    if truth is None or not truth.shape == outputs.output.shape == baseline.output.shape:
        return None
    own, other = (255 * float(absolute_error(x, truth).mean()) for x in (outputs.output, baseline.output))
    return own, other


def _measure_distance(case: Case, outputs: Outputs, baseline: Baseline) -> Distance | None:
    """The distance of outputs to real samples that do not belong to their inputs; that of the baseline as its scale.

    With a truth the reals are training samples, and the floor is the distance of the truths to them. Without one they are the
    samples of the target in the same rows, and the floor is the distance of training samples to these.
    """
    data, target = case.run.data, outputs.task.target
    if modality_of(outputs.output, INPUT_MODALITIES) is not IMAGES or target not in data.modalities:
        return None
    order = torch.randperm(len(data), generator=torch.Generator().manual_seed(4))
    if case.source is data:
        order = order[~torch.isin(order, case.indices)]
    n = min(len(order), len(outputs.output))
    if n < FEWEST:
        return None
    others = outputs.task.truth(data.rows(order[:n])[target])
    same = outputs.truth if outputs.truth is not None else case.source.rows(case.indices)[target]
    fakes, plain = outputs.output[:n], baseline.output[:n]
    if not others.shape == same[:n].shape == fakes.shape == plain.shape:
        return None
    reals, floor = (others, same[:n]) if outputs.truth is not None else (same[:n], others)
    return replace(measure(fakes, reals, [floor], case.recipe.data.source, plain=plain), model=baseline.name)
