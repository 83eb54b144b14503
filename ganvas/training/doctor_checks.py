"""The checks of the doctor: each looks at a case and returns a finding with its evidence, or None."""

from __future__ import annotations

import json
from collections.abc import Callable
from statistics import median

import torch
from torch import Tensor

from ganvas.core.capabilities import Bounds, TakesInputs
from ganvas.data.builtin.point_sets import MODES
from ganvas.data.table import TableDataset
from ganvas.evaluation.output_measures import absolute_error
from ganvas.evaluation.sample_sets import read_rows
from ganvas.metrics.memorization import memorization
from ganvas.training.artifacts import find_border, find_grey_levels, find_jpeg_blocks
from ganvas.training.doctor_case import Case, Finding, input_like
from ganvas.utils.files import read_regular

TRAIN_BYTES = 64 << 20  # of the training images that are searched for copies: a random part of a larger set
SAME = 0.05  # of what is normal: so small a difference counts as none
LEVEL = 1.0  # of 255: images that differ by less on average look equal


def check_finite(case: Case) -> Finding | None:
    """Outputs with NaN, steps that were left out, or roll-backs."""
    if failures := [each for each in case.results if isinstance(each, str)]:
        return Finding(
            "non-finite values", "; ".join(failures), f"--set train.learning_rate={case.run.recipe.train.learning_rate / 10:g}"
        )
    dropped = max((int(row["dropped"]) for row in case.rows), default=0)
    back = case.run.folder / "rollbacks.json"
    times = len(json.loads(read_regular(back))) if back.exists() else 0
    if not dropped and not times:
        return None
    rate = case.run.recipe.train.learning_rate
    evidence = f"{dropped} steps were left out because a loss was not finite, and the run went back {times} times"
    return Finding("non-finite values", evidence, f"--set train.learning_rate={rate / 10:g}")


def check_strong_discriminator(case: Case) -> Finding | None:
    """The discriminator classifies nearly everything correctly."""
    skill = case.highest("skill")
    if not case.wants_balance or skill is None or skill < 0.96:
        return None
    evidence = f"the discriminator is right about {skill:.0%} of reals and fakes; one so sure teaches the generator little"
    if case.run.recipe.train.balance != "auto":
        return Finding("discriminator overpowers", evidence, "--balance auto")
    return Finding("discriminator overpowers", evidence, "--set train.rates.D=0.25")


def check_weak_discriminator(case: Case) -> Finding | None:
    """The discriminator cannot classify fakes and reals, but simple statistics can."""
    skill, variety = case.mean("skill"), case.mean("variety")
    if not case.wants_balance or skill is None or skill > 0.6 or case.fakes is None or case.single:
        return None
    apart = _distance_of_means(case.fakes, case.reals)
    if apart < 4:
        return None
    evidence = (
        f"the discriminator is right {skill:.0%} of the time, yet plain means of fakes and reals are {apart:.0f} times as far "
    )
    evidence += f"apart as chance makes them (variety {variety or 0:.2f} of the reals')"
    config = case.run.recipe.config
    name = "critic_width" if hasattr(config, "critic_width") else "width"
    width: int = (getattr(config, name, None) or getattr(config, "width", None)) or 64
    # Other rates and more moves were tried, and do not help: docs/balance.md.
    return Finding("discriminator too weak", evidence, f"--set config.{name}={2 * width}")


def _distance_of_means(fakes: Tensor, reals: Tensor) -> float:
    """The distance of the means of 16 random directions, in standard errors: their root mean square."""
    random = torch.Generator().manual_seed(0)
    turn = torch.randn(fakes[0].numel(), 16, generator=random, dtype=torch.float64)
    # A few rows at a time: large images as float64 are eight times as large as their bytes.
    a, b = (torch.cat([part.flatten(1).double() @ turn for part in x.split(50)]) for x in (fakes, reals))
    error = (a.var(0) / len(a) + b.var(0) / len(b)).clamp(min=1e-12).sqrt()
    return float(((a.mean(0) - b.mean(0)) / error).square().mean().sqrt())


def check_gradient(case: Case) -> Finding | None:
    """The generator's gradient vanished while the discriminator was sure."""
    early, late, skill = case.early("gradient_generator"), case.late("gradient_generator"), case.mean("skill")
    if not case.wants_balance or not late or skill is None or skill < 0.9:
        return None
    first, now = max(early), median(late)
    if now > 0.02 * first and now > 1e-4:
        return None
    evidence = (
        f"the generator's gradient fell from {first:.2g} to {now:.2g} while the discriminator was right {skill:.0%} of the time"
    )
    return Finding("vanishing gradient", evidence, "--objective nonsaturating")


def check_input_use(case: Case) -> Finding | None:
    """Collapse of a game that takes inputs: different inputs, equal outputs."""
    for outputs in case.outputs:
        if outputs.task.may_copy or len(outputs.output) < 2:
            continue
        varied = _variation(outputs.output)
        usual = _variation(input_like(outputs) if outputs.truth is None else outputs.truth)
        if varied < SAME * usual:
            what = "inputs" if outputs.truth is None else "true images"
            evidence = f"{outputs.task.name}: the outputs of different inputs differ by {varied:.2g} of 255, the {what} by "
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
            evidence = f"{outputs.task.name}: the outputs differ from their inputs by {changed:.2g} of 255"
            evidence += "" if usual is None else f", the true images by {usual:.2g}"
            cycle = getattr(case.run.recipe.config, "cycle", None)
            advice = f"--set config.cycle={cycle / 2:g}" if cycle else _advise(case)
            return Finding("generator copies its input", evidence, advice)
    return None


def _variation(kept: Tensor) -> float:
    """The mean standard deviation of a pixel over the samples, in levels of 255."""
    return float(kept.float().std(0).mean())


def _difference(a: Tensor, b: Tensor) -> float:
    """The mean absolute difference of two sets of bytes, in levels of 255."""
    return 255 * float(absolute_error(a, b).mean())


def _advise(case: Case) -> str:
    """A flag for a generator that does not learn to use its input."""
    return "--balance auto" if case.run.recipe.train.balance != "auto" else "--images with a larger number"


def check_collapse(case: Case) -> Finding | None:
    """Mode collapse: different latents, few different samples."""
    # A likelihood bound penalises missing samples; outputs that do not follow their inputs have a check of their own.
    if case.fakes is None or case.single or isinstance(case.game, Bounds | TakesInputs):
        return None
    source = case.run.recipe.data.source
    if source in MODES and case.fakes.shape[1] == MODES[source].centres.shape[1]:
        centres = MODES[source].centres
        near = torch.cdist(case.fakes, centres).argmin(1)
        counts = torch.bincount(near, minlength=len(centres))
        there = int((counts >= 0.1 * len(case.fakes) / len(centres)).sum())
        if there < len(centres):
            evidence = f"{there} of {len(centres)} modes are drawn"
            return Finding("generator collapsed", evidence, "--objective relativistic")
    fakes, reals = case.fakes.flatten(1).float(), case.reals.flatten(1).float()
    between, usual = _nearest_distances(fakes), _nearest_distances(reals)
    share = float((between < 0.3 * usual.median()).float().mean())
    if share < 0.5:
        return None
    kinds = _count_kinds(fakes, 0.3 * float(usual.median()))
    evidence = f"{share:.0%} of {len(case.fakes)} samples have a near twin among the others (reals: "
    evidence += f"{float((usual < 0.3 * usual.median()).float().mean()):.0%}): about {kinds} different ones"
    return Finding("generator collapsed", evidence, "--set config.rules.r1_gamma=1 --set config.rules.r2_gamma=1")


def check_posterior(case: Case) -> Finding | None:
    """Posterior collapse: the decoder ignores its code, and the KL term of the bound is nearly zero."""
    beta, weighed = getattr(case.run.recipe.config, "beta", 1.0), case.mean("KL")
    if not isinstance(case.game, Bounds) or weighed is None or not beta or weighed / beta > 0.1:
        return None
    evidence = f"the code contains {weighed / beta:.2g} nats about an image, so every code decodes to the same image"
    return Finding("posterior collapse", evidence, f"--set config.beta={beta / 10:g}")


def _nearest_distances(x: Tensor) -> Tensor:
    """The distance of each row to the nearest other one."""
    return torch.cdist(x, x).fill_diagonal_(float("inf")).min(1).values


def _count_kinds(x: Tensor, radius: float) -> int:
    """How many balls of a radius cover the rows, taken greedily."""
    left, count = x, 0
    while len(left):
        left, count = left[(left - left[0]).norm(dim=1) > radius], count + 1
    return count


def check_memorization(case: Case) -> Finding | None:
    """Fakes that are copies of training images."""
    held_out = case.run.held_out
    data = case.run.data
    if case.fakes is None or not case.has_images or not isinstance(data, TableDataset) or isinstance(case.game, TakesInputs):
        return None
    if held_out is None or len(held_out) < 20:
        return None
    if len(data) > 20_000:  # no model memorises so many in minutes, and the search takes as long
        return None
    unseen = read_rows(held_out, torch.arange(min(len(held_out), max(20, 2 * case.count))))
    # Of large pictures a random part: a model that repeats its training set repeats that part as well.
    part = torch.randperm(len(data), generator=torch.Generator().manual_seed(5))[: TRAIN_BYTES // data.table[0].numel()]
    part = part.sort().values
    found = memorization(case.fakes, data.table, unseen, part if data.index is None else data.index[part])
    if not found.copies and found.median_ratio > 0.5:
        return None
    return Finding("memorising", f"{found.verdict.rstrip('.')}", "--balance auto and more pictures")


def check_overfitting(case: Case) -> Finding | None:
    """The discriminator scores training images higher than held-out images."""
    memory, augment = case.highest("memory"), case.highest("augment") or 0.0
    if memory is None or memory < 0.12:
        return None
    evidence = f"the discriminator calls pictures it trained on real {memory:.0%} more often than pictures it never saw"
    if len(case.run.data) < 2_000:
        evidence += f", and it trained on only {len(case.run.data):,}"
        return Finding("too little data", evidence, "--balance auto" if not augment else "--data with more pictures")
    return Finding("discriminator overfits", evidence, "--balance auto" if not augment else "--images with a smaller number")


def check_leak(case: Case) -> Finding | None:
    """Find a trivial difference between reals and fakes: a constant border, a range, the grid of JPEG blocks."""
    if case.fakes is None or not case.has_images or case.single or (case.highest("skill") or 0) < 0.8:
        return None
    fakes, reals = case.fakes.float(), case.reals.float()
    found = find_border(fakes, reals) or find_grey_levels(fakes, reals) or find_jpeg_blocks(fakes, reals)
    return Finding("real/fake leak", found[0], found[1]) if found else None


def check_size(case: Case) -> Finding | None:
    """A training set that is too small."""
    n = len(case.run.data)
    if n >= 100:
        return None
    there = "there is 1 sample" if n == 1 else f"there are {n} samples"
    return Finding("too little data", f"{there}; a GAN needs hundreds", "--data with more pictures")


CHECKS: tuple[Callable[[Case], Finding | None], ...] = (
    check_finite,
    check_gradient,
    check_strong_discriminator,
    check_weak_discriminator,
    check_input_use,
    check_copies,
    check_collapse,
    check_posterior,
    check_memorization,
    check_overfitting,
    check_size,
    check_leak,
)
