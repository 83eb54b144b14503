"""Checks by the distance of the samples: an average that is too long, artefacts, a short run, or something unknown."""

from __future__ import annotations

from dataclasses import replace

import torch

from ganvas.core.capabilities import Samples, TakesInputs
from ganvas.engine import checkpoint
from ganvas.engine.autotune import initial_state
from ganvas.engine.state import restore
from ganvas.errors import GanvasError
from ganvas.runtime.plan import Plan
from ganvas.training.artifacts import find_checkerboard, find_saturation
from ganvas.training.doctor_case import ASTRAY, EARLY, Case
from ganvas.training.doctor_distance import Distance
from ganvas.training.doctor_finding import Finding

BETTER = 0.5  # of the distance of the average: so much nearer are samples of the latest weights if the average is too long


def check_early(case: Case) -> Finding | None:
    """A run too short for a verdict about its samples."""
    if not case.too_early or not isinstance(case.game, Samples) or isinstance(case.game, TakesInputs):
        return None
    needed = EARLY * case.recipe.train.batch
    unit = case.run.data.modality.unit
    evidence = f"this run learned from {case.items:,} {unit}, and samples are judged from {needed:,} on ({EARLY} steps)"
    return Finding("too early to tell", evidence, f"--images {_aim(case)}")


def _aim(case: Case) -> int:
    """A length of the run to try: the one that was planned or that of the recipe, else twice what it had; never too early."""
    planned = max(case.recipe.train.images, case.read_setting("train.images", usual=True) or 0)
    return max(planned if planned > case.items else 2 * case.items, 5 * EARLY * case.recipe.train.batch)


def check_average(case: Case) -> Finding | None:
    """An EMA of the weights that still holds the first ones: samples of the latest weights are much nearer."""
    halflife = case.recipe.train.average_halflife
    if not case.distance or not case.far or not halflife:
        return None
    latest = measure_latest(case)
    if latest is None or latest.share > BETTER * case.distance.share:
        return None
    held = min(halflife, case.items // 20)  # the engine shortens it at the start of a run: engine/ema.py
    evidence = f"{case.distance.text()}, and with the latest weights instead of their average {latest.value:.3g}"
    return Finding("average too long", evidence, f"--set train.average_halflife={max(1, held // 10)}")


def measure_latest(case: Case) -> Distance | None:
    """The distance of samples of the latest weights, from the newest checkpoint; None: there is none that can be read."""
    try:
        found = checkpoint.load(case.run.folder / "checkpoints", lambda *_: None)
        if found is None:
            return None
        with torch.random.fork_rng(devices=[]):
            state = initial_state(replace(case.recipe), Plan())
        restore(state, found.tensors, found.meta["state"])
    except (GanvasError, KeyError, RuntimeError):
        return None
    return case.measure(case.draw(state.game.eval()))


def check_checkerboard(case: Case) -> Finding | None:
    """A pattern of single pixels in the fakes that reals do not have."""
    if case.fakes is None or not case.has_images or case.single:
        return None
    found = find_checkerboard(case.fakes.float(), case.reals.float())
    advice = case.restore(
        "train.rates.D", "train.rates.G", "train.learning_rate", "config.subpixel", "config.critic_width", "train.images"
    )
    return Finding("checkerboard", found[0], advice or f"--images {_aim(case)}") if found else None


def check_saturation(case: Case) -> Finding | None:
    """Pixels that are nearly all black or white."""
    if case.fakes is None or not case.has_images or case.single or not case.far:
        return None
    found = find_saturation(case.fakes.float(), case.reals.float())
    rate = case.recipe.train.learning_rate
    advice = case.restore("train.rates.G", "train.rates.D", "train.learning_rate")
    return Finding("saturated values", found[0], advice or f"--set train.learning_rate={rate / 5:g}") if found else None


def check_distance(case: Case) -> Finding | None:
    """Samples far from the data: of a run that was short, or for a reason that no other check knows."""
    if case.distance is None or not case.far:
        return None
    unit = case.run.data.modality.unit
    evidence = case.distance.text()
    if case.astray > ASTRAY:
        evidence += f", and {case.astray:.0%} of the samples are farther from the training points than 99% of other reals are"
    evidence += f", after {case.items:,} {unit}"
    if case.short:
        usual = case.read_setting("train.images", usual=True)
        return Finding("trained too little", f"{evidence}; the recipe has {usual:,}", f"--images {_aim(case)}")
    return Finding("far from the data", evidence, f"--images {_aim(case)}")
