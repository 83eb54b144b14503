"""Checks of the samples of a model: too few different ones, samples between the modes, copies, empty solids."""

from __future__ import annotations

import torch
from torch import Tensor

from ganvas.core.capabilities import Bounds, Samples, TakesInputs
from ganvas.core.modality import POINTS, TEXT, modality_of
from ganvas.data.builtin.point_sets import MODES
from ganvas.data.table import TableDataset
from ganvas.errors import UsageError
from ganvas.evaluation.sample_sets import read_rows
from ganvas.metrics.memorization import memorization
from ganvas.metrics.modes import mixture_modes
from ganvas.training.doctor_case import ASTRAY, Case
from ganvas.training.doctor_finding import Finding
from ganvas.utils.tokens import decode_lines

TRAIN_BYTES = 64 << 20  # of the training images that are searched for copies: a random part of a larger set
TWIN = 0.3  # of the median distance of a real to the nearest other one: nearer samples are twins
SAME = 0.05  # of the variation of reals: so little counts as none
STRAY = 0.5  # of the share of reals near a mode: below it, too many samples are between the modes
EACH = 20  # samples of a class, from which its variety is judged
FILLED = 5.0  # factor between the shares of filled voxels of fakes and reals
FLAT = 1.0  # levels of 255 by which pixels of all samples differ, when all samples are one


def check_constant(case: Case) -> Finding | None:
    """All samples are the same, or all samples of each class are."""
    # Of a game with a bound, `check_posterior` says so.
    if case.fakes is None or case.single or not isinstance(case.game, Samples) or isinstance(case.game, Bounds):
        return None
    if modality_of(case.fakes) is TEXT:
        return None
    usual = _variation(case.reals)
    labels = case.classes if case.conditional else None
    if labels is None:
        varied = _variation(case.fakes)
        if varied > SAME * usual:
            return None
        evidence = f"the {len(case.fakes)} samples differ by {varied:.2g}, the reals by {usual:.2g} (standard deviation)"
        return Finding("constant output", evidence, _advise_variety(case))
    parts = [case.fakes[labels == c] for c in labels.unique()]
    within = [_variation(part) for part in parts if len(part) > 1]
    if not within or sum(within) / len(within) > SAME * usual:
        return None
    mean = sum(within) / len(within)
    evidence = (
        f"samples of one class differ by {mean:.2g}, the reals by {usual:.2g} (standard deviation): the noise changes nothing"
    )
    return Finding("generator ignores its noise", evidence, _advise_variety(case))


def _variation(kept: Tensor) -> float:
    """The mean standard deviation of an entry over the samples."""
    return float(kept.float().std(0).mean())


def _advise_variety(case: Case) -> str:
    """A flag against collapse: the recipe's setting that was changed, else a gradient penalty or another objective."""
    changed = case.restore(
        "config.anchor",
        "config.rules.r1_gamma",
        "config.rules.r2_gamma",
        "config.rules.mismatch",
        "config.coins",
        "train.rates.G",
        "train.rates.D",
        "train.learning_rate",
    )
    if changed:
        return changed
    if case.read_setting("config.rules.r1_gamma") == 0:
        return "--set config.rules.r1_gamma=1 --set config.rules.r2_gamma=1"
    if case.read_setting("config.rules.objective") != "relativistic":
        return "--objective relativistic"
    return "--images with a larger number"


def check_collapse(case: Case) -> Finding | None:
    """Mode collapse: different latents, few different samples."""
    # A likelihood bound penalises missing samples; outputs that do not follow their inputs have a check of their own.
    if case.fakes is None or case.single or isinstance(case.game, Bounds | TakesInputs) or not isinstance(case.game, Samples):
        return None
    if modality_of(case.fakes) is TEXT:
        return _check_repeated_lines(case)
    if modality_of(case.fakes) is POINTS and (found := _check_modes(case)):
        return found
    fakes, reals = case.fakes.flatten(1).float(), case.reals.flatten(1).float()
    between, usual = _nearest_distances(fakes), _nearest_distances(reals)
    limit = TWIN * usual.median()
    share = float((between < limit).float().mean())
    if share < 0.5 or share < 2 * float((usual < limit).float().mean()):
        return None
    kinds = _count_kinds(fakes, float(limit))
    evidence = f"{share:.0%} of {len(case.fakes)} samples have a near twin among the others (reals: "
    evidence += f"{float((usual < limit).float().mean()):.0%}): about {kinds} different ones"
    return Finding("generator collapsed", evidence, _advise_variety(case))


def _check_modes(case: Case) -> Finding | None:
    """Missing modes of a known mixture of Gaussians. Modes are those of samples near one; stray samples draw no mode."""
    mixture = MODES.get(case.recipe.data.source)
    if case.fakes is None or mixture is None or case.fakes.shape[1] != mixture.centres.shape[1]:
        return None
    near = torch.cdist(case.fakes, mixture.centres).argmin(1)
    counts = torch.bincount(near, minlength=len(mixture.centres))
    there = int((counts >= 0.1 * len(case.fakes) / len(mixture.centres)).sum())
    if there == len(mixture.centres):
        return None
    return Finding("generator collapsed", f"{there} of {len(mixture.centres)} modes are drawn", _advise_variety(case))


def _check_repeated_lines(case: Case) -> Finding | None:
    """Lines that are generated again and again."""
    different, usual = (len(x.unique(dim=0)) / len(x) for x in (case.fakes, case.reals) if x is not None)
    if different > 0.5 * usual or case.fakes is None:
        return None
    lines, counts = case.fakes.unique(dim=0, return_counts=True)
    commonest = decode_lines(lines[counts.argmax()][None], getattr(case.run.data, "alphabet", ""))[0]
    evidence = f"of {len(case.fakes)} lines {different:.0%} are different (reals: {usual:.0%}), and {int(counts.max())} are "
    return Finding("generator collapsed", f"{evidence}{commonest!r}", _advise_variety(case))


def _nearest_distances(x: Tensor) -> Tensor:
    """The distance of each row to the nearest other one."""
    return torch.cdist(x, x).fill_diagonal_(float("inf")).min(1).values


def _count_kinds(x: Tensor, radius: float) -> int:
    """How many balls of a radius cover the rows, taken greedily."""
    left, count = x, 0
    while len(left):
        left, count = left[(left - left[0]).norm(dim=1) > radius], count + 1
    return count


def check_stray(case: Case) -> Finding | None:
    """Points that are near no mode of their mixture, or far from all training points."""
    if case.fakes is None or modality_of(case.fakes) is not POINTS:
        return None
    mixture, count = MODES.get(case.recipe.data.source), len(case.fakes)
    if mixture is not None and case.fakes.shape[1:] == mixture.centres.shape[1:]:
        share, usual = (mixture_modes(x, mixture.centres, mixture.sd).high_quality for x in (case.fakes, case.reals))
        evidence = f"{share:.1%} of {count} samples are within 3 standard deviations of a mode (reals: {usual:.1%})"
        bad = share < STRAY * usual
    else:
        evidence = f"{case.astray:.0%} of {count} samples are farther from the training points than 99% of other reals are"
        bad = case.astray > ASTRAY
    if not bad:
        return None
    changed = case.restore("config.coins", "config.frequencies", "config.rules.r1_gamma", "train.learning_rate")
    if not changed and case.short:
        return None  # `check_distance` says so
    if not changed and case.read_setting("config.frequencies") == 0:
        changed = "--set config.frequencies=6"
    return Finding("stray samples", evidence, changed or f"--images {2 * case.items}")


def check_class_collapse(case: Case) -> Finding | None:
    """One class of which all samples are twins, while other classes vary."""
    labels = case.classes if case.conditional else None
    if case.fakes is None or labels is None or case.labels is None or not modality_of(case.fakes).grid:
        return None
    fakes, reals = case.fakes.flatten(1).float(), case.reals.flatten(1).float()
    # Of a rare class there may be no real, or only one, which has no other one near.
    known = [real for c in labels.unique() if len(real := reals[case.labels == c]) > 1]
    if not known:
        return None
    limit = TWIN * torch.cat([_nearest_distances(each) for each in known]).median()
    shares = {
        int(c): float((_nearest_distances(fakes[labels == c]) < limit).float().mean())
        for c in labels.unique()
        if int((labels == c).sum()) >= EACH
    }
    if not shares:
        return None
    worst = max(shares, key=lambda c: shares[c])
    others = [share for c, share in shares.items() if c != worst]
    if shares[worst] < 0.5 or (others and sum(others) / len(others) > 0.5):
        return None
    names = case.run.data.classes
    named = names[worst] if worst < len(names) else str(worst)
    kinds = _count_kinds(fakes[labels == worst], float(limit))
    real = reals[case.labels == worst]
    evidence = (
        f"of class {named} {shares[worst]:.0%} of {int((labels == worst).sum())} samples have a near twin: about {kinds} "
    )
    evidence += f"different ones, and {_count_kinds(real, float(limit))} among {len(real)} reals; "
    evidence += f"of the other classes {sum(others) / max(1, len(others)):.0%} have one"
    if len(real) > 1 and float((_nearest_distances(real) < limit).float().mean()) > 0.5:
        return Finding("one class collapsed", evidence, f"--data with more different pictures of {named}")
    return Finding("one class collapsed", evidence, _advise_variety(case))


def check_solids(case: Case) -> Finding | None:
    """Solids that are empty or full."""
    if case.fakes is None or not case.has_solids:
        return None
    filled, usual = ((x > 127).float().flatten(1).mean(1) for x in (case.fakes, case.reals))
    empty, share, normal = float((filled == 0).float().mean()), float(filled.mean()), float(usual.mean())
    if empty < 0.2 and normal / FILLED < share < normal * FILLED:
        return None
    evidence = f"{share:.1%} of the voxels are filled (reals: {normal:.1%}), and {empty:.0%} of {len(filled)} solids are empty"
    return Finding("empty solids" if share < normal else "full solids", evidence, _advise_variety(case))


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
    try:
        rows, labels = part if data.index is None else data.index[part], data.fields.get("label")
        found = memorization(case.fakes, data.table, unseen, rows, labels)
    except UsageError:  # most held-out images are in the training set too: `check_size` counts the different ones
        return None
    if not found.copies and found.median_ratio > 0.5:
        return None
    return Finding("memorising", f"{found.verdict.rstrip('.')}", _advise_against_memory(case))


def _advise_against_memory(case: Case) -> str:
    """A flag against copies of a small training set."""
    return "--balance auto" if case.recipe.train.balance != "auto" else "--data with more pictures"


def check_posterior(case: Case) -> Finding | None:
    """Posterior collapse: the decoder ignores its code, and the KL term of the bound is nearly zero."""
    beta, weighed = getattr(case.recipe.config, "beta", 1.0), case.mean("KL")
    if not isinstance(case.game, Bounds) or weighed is None or not beta or weighed / beta > 0.1:
        return None
    evidence = f"the code contains {weighed / beta:.2g} nats about an image, so every code decodes to the same image"
    return Finding("posterior collapse", evidence, f"--set config.beta={beta / 10:g}")
