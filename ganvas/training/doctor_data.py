"""Checks of the data of a run: too little, copies, the wrong range, labels that say nothing, what gives fakes away."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ganvas.core.modality import IMAGES, POINTS, VOXELS, modality_of
from ganvas.data.table import TableDataset
from ganvas.evaluation.sample_sets import labels_of, read_rows
from ganvas.training.artifacts import find_border, find_grey_levels, find_jpeg_blocks
from ganvas.training.doctor_case import Case
from ganvas.training.doctor_finding import Finding
from ganvas.training.run_data import NEEDED, doubt_count

LOOKED_AT = 2_000  # samples in which copies are searched, and labels compared
BYTES = 64 << 20  # of them: fewer of large images
DARK = 16  # levels of 255: images with a smaller range are nearly one color
OF_A_CLASS = 5  # samples: of fewer the nearest other one is of the same class too seldom to say anything
SIGMAS = 2.5  # standard errors: agreement that far above chance is no chance
TELLING = 0.06  # the largest such distance at which a lack of agreement says something: of fewer samples it is larger
SMALL = 16  # pixels: the side at which images are compared


def check_size(case: Case) -> Finding | None:
    """A training set that is too small, or has many copies of a few samples."""
    n = len(case.run.data)
    if doubt := doubt_count(n):
        return Finding("too little data", doubt, "--data with more pictures")
    rows = _some_rows(case)
    kept = read_rows(case.run.data, rows)
    if modality_of(kept) is POINTS:
        return None
    different = _count_different(kept)
    if different >= min(NEEDED, len(rows)):
        return None
    among = f"of {n:,} samples" if len(rows) == n else f"among {len(rows):,} of {n:,} samples"
    return Finding(
        "too little data", f"{among} only {different} are different; training needs hundreds", "--data with more pictures"
    )


def _some_rows(case: Case) -> Tensor:
    """Random rows of the training data: up to 2,000, fewer of large samples."""
    shape = case.run.data.facts.shape
    most = max(NEEDED, min(LOOKED_AT, BYTES // max(1, torch.Size(shape).numel())))
    return torch.randperm(len(case.run.data), generator=torch.Generator().manual_seed(6))[:most]


def _count_different(kept: Tensor) -> int:
    """The number of different rows of whole numbers [N, ...]: equal rows have equal random sums."""
    flat = kept.flatten(1)
    weights = torch.randint(1 << 40, (flat.shape[1],), generator=torch.Generator().manual_seed(7))
    return len(torch.cat([(part.long() * weights).sum(1) for part in flat.split(100)]).unique())


def check_range(case: Case) -> Finding | None:
    """Images whose pixels fill only a few levels: those of four bits, for example."""
    if modality_of(case.reals) is not IMAGES:
        return None
    low, high = int(case.reals.min()), int(case.reals.max())
    if high - low > DARK:
        return None
    evidence = f"the pixels of {len(case.reals)} pictures are all within {low} to {high} of 255, so they look like one color"
    return Finding("wrong pixel range", evidence, "--data with pixels from 0 to 255")


def check_labels(case: Case) -> Finding | None:
    """Labels that have nothing to do with the samples: the nearest other sample does not have the same label more often."""
    data = case.run.data
    if not case.conditional or not isinstance(data, TableDataset) or modality_of(case.reals) not in (IMAGES, VOXELS):
        return None
    rows = _some_rows(case)
    labels = labels_of(data, rows)
    if labels is None:
        return None
    common = labels.bincount()[labels] >= OF_A_CLASS
    rows, labels = rows[common], labels[common]
    if len(rows) < NEEDED:
        return None
    x = small_vectors(read_rows(data, rows))
    nearest = torch.cat([_without_itself(x, part).argmin(1) for part in torch.arange(len(x)).split(500)])
    same, counts = (labels[nearest] == labels).double(), labels.bincount()
    if int((counts > 0).sum()) < 2:
        return None  # labels of one class say nothing, and are not wrong
    shares = counts.double() / len(labels)
    agree, chance = float(same.mean()), float(shares.square().sum())
    # The mean of the classes too: where nearly all samples are of one class, agreement by chance leaves no room above it.
    weights = 1 / (counts[labels] * (counts > 0).sum())
    by_class, error = float((weights * same).sum()), float((weights.square() * (shares * (1 - shares))[labels]).sum().sqrt())
    above = SIGMAS * (chance * (1 - chance) / len(labels)) ** 0.5
    if above > TELLING or agree > chance + above or by_class > 1 / int((counts > 0).sum()) + SIGMAS * error:
        return None
    evidence = f"the picture most like a picture has the same label in {agree:.0%} of {len(labels):,} cases, "
    evidence += f"and labels in random order would agree in {chance:.0%}"
    return Finding("labels do not fit", evidence, "--data with each label beside its own picture")


def small_vectors(kept: Tensor) -> Tensor:
    """Images or voxels as kept -> small ones as vectors [N, d], float32."""
    side = min(SMALL, kept.shape[-1])
    if modality_of(kept) is VOXELS:
        return F.adaptive_avg_pool3d(kept.float(), min(8, side)).flatten(1)
    return F.adaptive_avg_pool2d(kept.float(), side).flatten(1)


def _without_itself(x: Tensor, rows: Tensor) -> Tensor:
    """The distances of some rows of x to all rows; infinite to the row itself."""
    distances = torch.cdist(x[rows], x)
    distances[torch.arange(len(rows)), rows] = float("inf")
    return distances


def check_leak(case: Case) -> Finding | None:
    """Find a trivial difference between reals and fakes: a constant border, a range, the grid of JPEG blocks."""
    if case.fakes is None or not case.has_images or case.single or (case.highest("skill") or 0) < 0.8:
        return None
    fakes, reals = case.fakes.float(), case.reals.float()
    found = find_border(fakes, reals) or find_grey_levels(fakes, reals) or find_jpeg_blocks(fakes, reals)
    return Finding("real/fake leak", found[0], found[1]) if found else None
