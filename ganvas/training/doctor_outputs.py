"""Checks of games that take inputs: outputs that do not depend on their inputs, or are their inputs."""

from __future__ import annotations

from torch import Tensor

from ganvas.core.capabilities import TakesInputs
from ganvas.core.modality import CLIPS, IMAGES, modality_of
from ganvas.evaluation.baselines import make_baseline
from ganvas.evaluation.truth_measures import absolute_error
from ganvas.inference.inputs import INPUT_MODALITIES, Outputs
from ganvas.training.doctor_case import Case
from ganvas.training.doctor_finding import Finding

SAME = 0.05  # of what is normal: so small a difference counts as none
LEVEL = 1.0  # of 255: images that differ by less on average look equal


def check_input_use(case: Case) -> Finding | None:
    """Collapse of a game that takes inputs: different inputs, equal outputs."""
    for outputs in case.outputs:
        if outputs.task.may_copy or len(outputs.output) < 2:
            continue
        varied = _variation(outputs.output)
        usual = _variation(input_like(outputs) if outputs.truth is None else outputs.truth)
        if varied < SAME * usual:
            what = "inputs" if outputs.truth is None else "true images"
            evidence = f"{outputs.task.title}: the outputs of different inputs differ by {varied:.2g} of 255, the {what} by "
            return Finding("generator ignores its input", f"{evidence}{usual:.2g}", _advise(case))
    return None


def check_copies(case: Case) -> Finding | None:
    """Outputs that are their inputs, though they should not be."""
    for outputs in case.outputs:
        shown = input_like(outputs)
        if outputs.task.may_copy or shown.shape != outputs.output.shape:
            continue
        changed = _difference(outputs.output, shown)
        usual = None if outputs.truth is None else _difference(outputs.truth, shown)
        if (changed < LEVEL) if usual is None else (usual > LEVEL and changed < SAME * usual):
            evidence = f"{outputs.task.title}: the outputs differ from their inputs by {changed:.2g} of 255"
            evidence += "" if usual is None else f", the true images by {usual:.2g}"
            return Finding("generator copies its input", evidence, _advise_change(case))
    return None


def _variation(kept: Tensor) -> float:
    """The mean standard deviation of a pixel over the samples, in levels of 255."""
    return float(kept.float().std(0).mean())


def _difference(a: Tensor, b: Tensor) -> float:
    """The mean absolute difference of two sets of bytes, in levels of 255."""
    return 255 * float(absolute_error(a, b).mean())


def _advise_change(case: Case) -> str:
    """A flag for a generator that does not change its input."""
    if case.short:  # many generators start as a copy
        return f"--images {case.read_setting('train.images', usual=True)}"
    if cycle := case.read_setting("config.cycle"):
        return f"--set config.cycle={cycle / 2:g}"
    return "--set config.residual=false" if case.read_setting("config.residual") else _advise(case)


def _advise(case: Case) -> str:
    """A flag for a generator that does not learn to use its input."""
    return "--balance auto" if case.run.recipe.train.balance != "auto" else "--images with a larger number"


def input_like(outputs: Outputs) -> Tensor:
    """The first input; of a clip made from an image, the image in every frame."""
    shown, output = next(iter(outputs.inputs.values())), outputs.output
    if modality_of(output, INPUT_MODALITIES) is CLIPS and modality_of(shown, INPUT_MODALITIES) is IMAGES:
        return shown[:, None].expand(-1, output.shape[1], -1, -1, -1)
    return shown


def list_unchecked(case: Case) -> tuple[str, ...]:
    """What no check examined, one line each."""
    if case.game is None:
        reason = "it cannot be read" if case.run.model.exists() else "the run has saved none yet"
        return (f"samples of the model ({reason})",)
    if not isinstance(case.game, TakesInputs):
        if case.distance is not None:
            return ()
        return (f"the distance to real samples ({case.missing_distance})",)
    lines = ["memorization (the outputs belong to held-out inputs)"]
    if case.source is not case.run.held_out:
        lines = ["memorization, and inputs that it was not trained on (too few are held out)"]
    for outputs in case.outputs:
        name = outputs.task.title
        if outputs.task.may_copy:
            lines.append(f"{name}: whether the missing pixels depend on the others")
        elif outputs.output.shape != input_like(outputs).shape and make_baseline(outputs, case.run.data) is None:
            lines.append(f"{name}: whether it copies its input (the sizes differ)")
    if not case.has_images:
        clips = any(modality_of(outputs.output, INPUT_MODALITIES) is CLIPS for outputs in case.outputs)
        why = "they are for single images, and the outputs are clips" if clips else "the outputs are no images"
        lines.append(f"statistics of outputs against reals ({why})")
    elif len(case.outputs) > 1:
        lines.append(f"statistics of outputs against reals, except of {case.outputs[0].task.title}")
    return tuple(lines)
