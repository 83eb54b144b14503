"""Checks of the log: losses that are not finite, steps that are too long or too short, a player far ahead or at a standstill.

All but the first ask whether the samples are far from the data. A discriminator that is right all the time beside samples
that are as near as other reals has taught what it could.
"""

from __future__ import annotations

import math
from statistics import median

import torch
from torch import Tensor

from ganvas.core.modality import IMAGES, modality_of
from ganvas.metrics.sharpness import sharpness
from ganvas.training.doctor_case import PART, Case
from ganvas.training.doctor_finding import Finding
from ganvas.training.roll_backs import read_roll_backs

SURE = 0.96  # skill of D above which it teaches little
GUESSES = 0.6  # skill below which it only guesses
FLAT, UNLIKE = 1e-4, 2.0  # a sharpness below which a picture is plain; the ratio from which two are unlike
STRAIN = 10.0  # the loss of D relative to that of a D that only guesses
KNOWN, KNOWN_INPUTS = 0.12, 0.25  # how much more often D calls training images real, from which it knows them by heart
CHANGED = 5.0  # factor between a learning rate and that of the recipe
LARGE = 4.0  # factor between a batch and that of the recipe
STILL = 0.02  # factor on a learning rate that counts as none
LEVEL = 0.05  # gap between the mean logits of reals and fakes that counts as none
LEARNING_RATES = {  # setting -> whose it is
    "train.learning_rate": "",
    "train.rates.D": " of the discriminator",
    "train.rates.G": " of the generator",
}
PENALTIES = ("config.rules.r1_gamma", "config.rules.r2_gamma", "config.rules.gradient_penalty")


def check_finite(case: Case) -> Finding | None:
    """Outputs with NaN, steps that were left out, or roll-backs."""
    rate = case.recipe.train.learning_rate
    usual = case.read_setting("train.learning_rate", usual=True)
    advice = f"--set train.learning_rate={usual if usual and usual < rate else rate / 10:g}"
    if failures := [each for each in case.results if isinstance(each, str)]:
        return Finding("non-finite values", "; ".join(failures), advice)
    dropped = max((int(row["dropped"]) for row in case.rows), default=0)
    times = len(read_roll_backs(case.run.folder, lambda _: None))
    if not dropped and not times:
        return None
    evidence = f"{dropped} steps were left out because a loss was not finite, and the run went back {times} times"
    return Finding("non-finite values", evidence, advice)


def check_standstill(case: Case) -> Finding | None:
    """A player that does not learn: its rate is nearly 0, or a penalty holds the discriminator down."""
    if not case.far:
        return None
    for player, who in (("D", "discriminator"), ("G", "generator")):
        factor = case.recipe.train.rates.get(player, 1.0)
        if factor <= STILL:
            evidence = f"its learning rate is {factor:g} times that of the run{_describe_distance(case)}"
            return Finding(f"{who} does not learn", evidence, f"--set train.rates.{player}=1")
    gap, advice = case.mean("logit_gap"), _weaken_penalty(case)
    if gap is None or abs(gap) > LEVEL or not advice:
        return None
    evidence = f"its mean logits of reals and fakes differ by {abs(gap):.2g}, and a penalty is far above the recipe's"
    return Finding("discriminator does not learn", evidence + _describe_distance(case), advice)


def _weaken_penalty(case: Case) -> str:
    """The flag that sets a penalty back that is more than ten times as strong as the recipe's."""
    for path in PENALTIES:
        now, usual = case.read_setting(path), case.read_setting(path, usual=True)
        if now and usual is not None and now > 10 * max(usual, 0.1):
            return f"--set {path}={usual if usual else 0.1:g}"
    return ""


def check_long_steps(case: Case) -> Finding | None:
    """A learning rate that is too high: the losses are far above those of a guess, or it is far above the recipe's."""
    if not case.far:
        return None
    rate, strain = case.recipe.train.learning_rate, case.highest("strain") or 0.0
    reasons = [f"the loss of the discriminator is {strain:.3g} times that of one that only guesses"] if strain >= STRAIN else []
    advice = ""
    for path, whose in LEARNING_RATES.items():
        now, usual = case.read_setting(path), case.read_setting(path, usual=True)
        if usual and now >= CHANGED * usual:
            reasons.append(f"the learning rate{whose} is {now / usual:.3g} times the recipe's")
            advice = advice or f"--set {path}={usual:g}"
    if not reasons:
        return None
    return Finding(
        "learning rate too high",
        " and ".join(reasons) + _describe_distance(case),
        advice or f"--set train.learning_rate={rate / 10:g}",
    )


def check_batch(case: Case) -> Finding | None:
    """Batches so large that the run has few steps, though it has as many images as the recipe."""
    batch, usual = case.recipe.train.batch, case.read_setting("train.batch", usual=True)
    planned = case.read_setting("train.images", usual=True)
    if not case.far or not usual or not planned or batch < LARGE * usual:
        return None
    steps, needed = case.items // batch, planned // usual
    if steps >= PART * needed:
        return None
    evidence = f"{case.items:,} in batches of {batch:,} were {steps:,} steps, and the recipe has {needed:,} of {usual:,}"
    return Finding("batch too large", evidence + _describe_distance(case), f"--set train.batch={usual}")


def check_short_steps(case: Case) -> Finding | None:
    """A learning rate far below the recipe's."""
    rate, usual = case.recipe.train.learning_rate, case.read_setting("train.learning_rate", usual=True)
    if not case.far or not usual or rate * CHANGED > usual:
        return None
    evidence = f"the learning rate is {rate / usual:.2g} of the recipe's{_describe_distance(case)}"
    return Finding("learning rate too low", evidence, f"--set train.learning_rate={usual:g}")


def check_gradient(case: Case) -> Finding | None:
    """The generator's gradient vanished while the discriminator was sure."""
    early, late, skill = case.early("gradient_generator"), case.late("gradient_generator"), case.mean("skill")
    if not case.wants_balance or not case.far or not late or skill is None or skill < 0.9:
        return None
    first, now = max(early), median(late)
    if now > 0.02 * first and now > 1e-4:
        return None
    evidence = (
        f"the generator's gradient fell from {first:.2g} to {now:.2g} while the discriminator was right {skill:.0%} of the time"
    )
    return Finding("vanishing gradient", evidence, "--objective nonsaturating")


def check_strong_discriminator(case: Case) -> Finding | None:
    """The discriminator classifies nearly everything correctly."""
    skill = case.highest("skill")
    if not case.wants_balance or not case.far or skill is None or skill < SURE:
        return None
    evidence = f"the discriminator is right about {skill:.0%} of reals and fakes; one so sure teaches the generator little"
    evidence += _describe_distance(case)
    if case.recipe.train.balance != "auto":
        return Finding("discriminator overpowers", evidence, "--balance auto")
    return Finding("discriminator overpowers", evidence, case.restore("train.rates.D") or "--set train.rates.D=0.25")


def check_weak_discriminator(case: Case) -> Finding | None:
    """The discriminator cannot classify fakes and reals, but simple statistics can."""
    skill, variety = case.mean("skill"), case.mean("variety")
    if not case.wants_balance or not case.far or skill is None or skill > GUESSES or case.fakes is None or case.single:
        return None
    if not case.fakes.is_floating_point() and case.fakes.dtype != torch.uint8:
        return None  # text: the mean of symbol numbers means nothing
    apart = _distance_of_means(case.fakes, case.reals)
    if apart >= 4:
        evidence = f"plain means of fakes and reals are {apart:.0f} times as far apart as chance makes them"
    elif unlike := _compare_sharpness(case.fakes, case.reals):
        evidence = f"it does not see {unlike}"
    else:
        return None
    evidence = f"the discriminator is right {skill:.0%} of the time, yet {evidence} (variety {variety or 0:.2f} of the reals')"
    restored = case.restore(
        "config.slopes", "config.critic_width", "config.critic_widths", "config.head", "config.critic_depth"
    )
    if restored:
        return Finding("discriminator too weak", evidence, restored)
    if case.short:
        return None  # at the start of a game every discriminator is weak: `check_distance` speaks of the length of the run
    if case.outputs:
        rate = case.recipe.train.rates.get("D", 1.0)
        return Finding("discriminator too weak", evidence, case.restore("train.rates.G") or f"--set train.rates.D={4 * rate:g}")
    config = case.recipe.config
    name = "critic_width" if hasattr(config, "critic_width") else "width"
    width: int = (getattr(config, name, None) or getattr(config, "width", None)) or 64
    # Other rates and more moves were tried, and do not help: docs/balance.md.
    return Finding("discriminator too weak", evidence, f"--set config.{name}={2 * width}")


def _compare_sharpness(fakes: Tensor, reals: Tensor) -> str:
    """In words how unlike the sharpness of fakes and reals is; "" if it is alike, or if they are no images."""
    if modality_of(fakes) is not IMAGES or min(fakes.shape[-2:]) < 3:
        return ""
    of_fakes, of_reals = sharpness(fakes), sharpness(reals)
    a, b = ((values + FLAT).log() for values in (of_fakes, of_reals))
    gap = float(a.mean() - b.mean())
    error = float((a.var() / len(a) + b.var() / len(b)).clamp(min=1e-12).sqrt())
    if abs(gap) < max(4 * error, math.log(UNLIKE)):
        return ""
    kind = "softer" if gap < 0 else "sharper"
    return f"{kind} fakes than reals (sharpness {float(of_fakes.mean()):.2g} and {float(of_reals.mean()):.2g})"


def _distance_of_means(fakes: Tensor, reals: Tensor) -> float:
    """The distance of the means of 16 random directions, in standard errors: their root mean square."""
    random = torch.Generator().manual_seed(0)
    turn = torch.randn(fakes[0].numel(), 16, generator=random, dtype=torch.float64)
    # A few rows at a time: large images as float64 are eight times as large as their bytes.
    a, b = (torch.cat([part.flatten(1).double() @ turn for part in x.split(50)]) for x in (fakes, reals))
    error = (a.var(0) / len(a) + b.var(0) / len(b)).clamp(min=1e-12).sqrt()
    return float(((a.mean(0) - b.mean(0)) / error).square().mean().sqrt())


def _describe_distance(case: Case) -> str:
    """The distance as a further part of the evidence."""
    return f"; {case.distance.text()}" if case.distance else ""


def check_overfitting(case: Case) -> Finding | None:
    """The discriminator scores training images higher than held-out images."""
    memory, augment = case.highest("memory"), case.highest("augment") or 0.0
    # Inputs are held out by whole photographs, which are few and differ: there a smaller gap shows no memory.
    if memory is None or memory < (KNOWN_INPUTS if case.outputs else KNOWN):
        return None
    evidence = f"the discriminator calls pictures it trained on real {memory:.0%} more often than pictures it never saw"
    if len(case.run.data) < 2_000:
        evidence += f", and it trained on only {len(case.run.data):,}"
        return Finding("too little data", evidence, "--balance auto" if not augment else "--data with more pictures")
    return Finding("discriminator overfits", evidence, "--balance auto" if not augment else "--images with a smaller number")
