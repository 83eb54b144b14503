"""Checks of translations that learned something else than they should: inverted colors, a hidden input, unused noise."""

from __future__ import annotations

import torch
from torch import Tensor

from ganvas.core.capabilities import Translates
from ganvas.core.modality import IMAGES, modality_of, normalize_batch
from ganvas.evaluation.map_measures import measure_variety
from ganvas.evaluation.truth_measures import absolute_error
from ganvas.inference.inputs import INPUT_MODALITIES, Outputs, compute_chunks, split_direction
from ganvas.runtime import placement
from ganvas.training.doctor_case import Case
from ganvas.training.doctor_finding import Finding
from ganvas.training.doctor_outputs import check_copies, check_input_use
from ganvas.utils.seeds import mix

INVERTED = -0.3  # correlation of the brightness of input and output, below which colors count as inverted
ROWS = 64  # that are translated again
NOISE = 2.0  # levels of 255, which no eye sees
FRAGILE = 4.0  # times this noise on the way back: then the input is hidden in what no eye sees
LEVEL = 0.5  # of 255: noise that changes less on average changes nothing


def check_inversion(case: Case) -> Finding | None:
    """Dark becomes bright: a translation without pairs satisfies its cycle with negatives too."""
    identity = case.read_setting("config.identity")
    for outputs in case.outputs:
        shown = next(iter(outputs.inputs.values()))
        if not _are_like_images(shown, outputs.output) or (outputs.truth is None and identity is None):
            continue  # without the truth, and where nothing holds the colors, negatives may be what is asked for
        found = _correlation(shown, outputs.output)
        usual = 0.0 if outputs.truth is None else _correlation(shown, outputs.truth)
        if found < INVERTED < usual:
            evidence = f"{outputs.task.title}: bright parts of the input are dark in the output: correlation {found:.2f}"
            evidence += "" if outputs.truth is None else f", of the true images {usual:.2f}"
            advice = "--images with a larger number" if identity is None else f"--set config.identity={max(2, 2 * identity):g}"
            return Finding("colors are inverted", evidence, advice)
    return None


def check_hidden_input(case: Case) -> Finding | None:
    """The way back reads what no eye sees in the output, so the cycle does not hold what one sees.

    Source: Chu, Zhmoginov, Sandler 2017, arXiv:1712.02950: the way back is undone by a little noise.
    """
    for outputs in case.outputs:
        game, cycle = outputs.task.game, case.read_setting("config.cycle")
        if outputs.back is None or not isinstance(game, Translates) or not cycle:
            continue
        changed = _translate_noisy_output_back(case, outputs, game)
        before = outputs.back[: len(changed)]
        apart = 255 * float(absolute_error(changed, before).mean())
        if apart > FRAGILE * NOISE:
            evidence = (
                f"{outputs.task.title}: noise of {NOISE:g} levels in the output changes the way back by {apart:.1f} of 255"
            )
            return Finding("the cycle hides its input", evidence, f"--set config.cycle={cycle / 2:g}")
    return None


def check_noise(case: Case) -> Finding | None:
    """A translation that takes noise, and makes one picture of each input whatever the noise is."""
    for outputs in case.outputs:
        if not outputs.task.game.noise_dim or modality_of(outputs.output, INPUT_MODALITIES) is not IMAGES:
            continue
        apart = 255 * measure_variety(outputs, case.source, case.indices).value
        if apart < LEVEL:
            variety = case.read_setting("config.variety")
            evidence = f"{outputs.task.title}: two outputs of one input from different noise differ by {apart:.2g} of 255"
            advice = "--images with a larger number" if variety is None else f"--set config.variety={max(1, 2 * variety):g}"
            return Finding("generator ignores its noise", evidence, advice)
    return None


def check_pairs(case: Case) -> Finding | None:
    """Outputs that are no nearer to their truth than the mean of all truths: source and target may not belong together."""
    if case.short or check_input_use(case) or check_copies(case):  # these explain it
        return None
    for outputs in case.outputs:
        if outputs.truth is None or outputs.truth.shape != outputs.output.shape or len(outputs.truth) < 2:
            continue
        if modality_of(outputs.output, INPUT_MODALITIES) is not IMAGES:
            continue
        error = 255 * float(absolute_error(outputs.output, outputs.truth).mean())
        mean = outputs.truth.double().mean(0).round().to(torch.uint8).expand_as(outputs.truth)
        usual = 255 * float(absolute_error(mean, outputs.truth).mean())
        if error >= usual > 0:
            evidence = (
                f"{outputs.task.title}: the outputs differ from their truth by {error:.1f} of 255, the mean of all truths by "
            )
            return Finding("pairs do not fit", f"{evidence}{usual:.1f}", "--data with pairs that belong together")
    return None


def _are_like_images(shown: Tensor, output: Tensor) -> bool:
    kinds = {modality_of(x, INPUT_MODALITIES) for x in (shown, output)}
    return kinds == {IMAGES} and shown.shape[2:] == output.shape[2:]


def _correlation(a: Tensor, b: Tensor) -> float:
    """Of the brightness of images uint8 [N, C, H, W], the median of the rows; rows of one brightness count as 0."""
    x, y = (each.double().mean(1).flatten(1) for each in (a, b))
    x, y = x - x.mean(1, keepdim=True), y - y.mean(1, keepdim=True)
    spread = (x.square().sum(1) * y.square().sum(1)).sqrt()
    return float(((x * y).sum(1) / spread.clamp(min=1e-9)).median())


def _translate_noisy_output_back(case: Case, outputs: Outputs, game: Translates) -> Tensor:
    """Up to 64 outputs with a little noise, translated back: uint8 [n, C, H, W]."""
    source, target = split_direction(outputs.task.name)
    device, rows = placement.device_of(game), case.indices[:ROWS]
    random = torch.Generator().manual_seed(mix("hidden input"))
    kept = case.source.rows(rows)
    batch = normalize_batch({name: x.to(device) for name, x in kept.items()}, case.source.modalities)
    noise = NOISE / 127.5 * torch.randn(batch[source].shape, generator=random)

    def compute(at: Tensor) -> dict[str, Tensor]:
        inputs = {name: batch[name][at] for name in game.takes}
        output = game.translate(inputs, f"{source}>{target}")
        noisy = (output + noise[at].to(output)).clamp(-1, 1)
        return {"back": game.translate({**inputs, target: noisy}, f"{target}>{source}")}

    return compute_chunks(compute, len(rows), min(32, len(rows)))["back"]
