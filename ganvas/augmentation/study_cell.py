"""One cell of a study: a few labelled pictures, a generator that learns from these alone, and a classifier for each arm."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ganvas.augmentation.generator_distance import is_far, measure_distance
from ganvas.augmentation.labelled_rows import choose_rows, even_out, make_table, read_labelled
from ganvas.augmentation.sample_filters import Counts, Filter, sum_counts
from ganvas.augmentation.small_training import Drawer, Judge, train_drawer, train_judge
from ganvas.augmentation.study_plan import CLASSIFIED, Arm, Setting
from ganvas.config import Recipe
from ganvas.data.table import TableDataset
from ganvas.errors import DataError
from ganvas.runtime.plan import Plan

TRIES = 10  # samples that are drawn for each that is wanted, at most
ROUND = 256  # samples of one class that are drawn at a time


@dataclass(frozen=True)
class Bench:
    """What all cells of a study share: recipe, data, and real pictures for the tests."""

    recipe: Recipe
    train: TableDataset
    test_images: Tensor  # uint8 [m, C, H, W]
    test_labels: Tensor  # [m]
    plan: Plan
    flipped: bool = False
    shown: int = CLASSIFIED
    near: float = 0.5


def play_cell(bench: Bench, setting: Setting, seed: int) -> tuple[dict[str, Any], Tensor]:
    """The results of a cell for JSON, and 8 pictures of each class for a sheet: real and generated ones by turns.

    The generator sees the pictures of the cell only, not those of the tests, nor those of the arm "more real".

    Raises:
        DataError: a class has too few pictures.
    """
    classes = len(bench.train.classes)
    images, labels = read_labelled(bench.train)
    rows, others = choose_rows(labels, setting.counts, setting.wanted, seed)
    few = make_table(images[rows], labels[rows], bench.train)
    more = make_table(images[others], labels[others], bench.train)

    # The generator, its distance to the pictures it learnt from, and its samples: filtered, and as they come.
    started = time.perf_counter()
    drawer = train_drawer(bench.recipe, even_out(few), bench.plan, seed)
    seconds = time.perf_counter() - started
    judge = train_judge(even_out(few), bench.plan, seed=seed, flipped=bench.flipped, shown=bench.shown)
    kept, plain, counts = _draw(drawer, judge, few, setting, bench.near)
    found: dict[str, Any] = {"setting": setting.name, "seed": seed, "generator_seconds": round(seconds, 1)}
    found |= {
        "samples": vars(sum_counts(counts.values())),
        "samples_by_class": {str(c): vars(each) for c, each in counts.items()},
    }
    found |= _describe_distance(plain, few, bench.recipe.data.source)

    # A classifier for each arm, of the same size, shown the same number of pictures.
    arms: dict[str, Any] = {}
    for arm in setting.arms():
        data = _make_data(arm, setting, few, more, kept, plain)
        of_arm = train_judge(
            data, bench.plan, seed=seed, shifted=arm.shifted, flipped=bench.flipped and arm.shifted, shown=bench.shown
        )
        right = of_arm.name_classes(bench.test_images) == bench.test_labels
        recall = [float(right[bench.test_labels == c].float().mean()) for c in range(classes)]
        different = len(data.fields["label"])
        arms[arm.name] = {"accuracy": float(right.float().mean()), "recall": recall, "pictures": different}
    return found | {"arms": arms}, _make_sheet(few, plain, classes)


def _draw(
    drawer: Drawer, judge: Judge, few: TableDataset, setting: Setting, near: float
) -> tuple[TableDataset, TableDataset, dict[int, Counts]]:
    """Samples of each class, at most as many as an arm needs: those that pass the filters, and the first ones; the counts."""
    real, labels = read_labelled(few)
    kept: list[Tensor] = []
    plain: list[Tensor] = []
    of_kept: list[int] = []
    of_plain: list[int] = []
    counts: dict[int, Counts] = {}
    for c, most in enumerate(setting.most):
        filter_ = Filter(real[labels == c], near)
        first = int(1e6) * c
        show = max(most, 8)  # also of a class that needs none: for the distance and the sheet
        plain.append(drawer.draw(torch.full((show,), c), first))
        of_plain += [c] * show
        missing, drawn = most, 0
        while missing and drawn < TRIES * most:
            n = min(ROUND, TRIES * most - drawn)
            samples = drawer.draw(torch.full((n,), c), first + drawn)
            chosen = filter_.choose(samples, judge.name_classes(samples) == c, missing)
            kept.append(samples[chosen])
            of_kept += [c] * len(chosen)
            missing, drawn = missing - len(chosen), drawn + n
        counts[c] = filter_.counts
    empty = real[:0]
    return (
        make_table(torch.cat([empty, *kept]), torch.tensor(of_kept, dtype=torch.int64), few),
        make_table(torch.cat(plain), torch.tensor(of_plain), few),
        counts,
    )


def _make_data(
    arm: Arm, setting: Setting, few: TableDataset, more: TableDataset, kept: TableDataset, plain: TableDataset
) -> TableDataset:
    """The training data of an arm."""
    if arm.oversampled:
        return even_out(few)
    if arm.more == "nothing":
        return few
    source = more if arm.more == "real" else kept if arm.filtered else plain
    images, labels = read_labelled(source)
    rows = [(labels == c).nonzero()[:count, 0] for c, count in enumerate(setting.add(arm.ratio))]
    added = torch.cat(rows)
    if arm.alone:
        return make_table(images[added], labels[added], few)
    real, of_real = read_labelled(few)
    return make_table(torch.cat([real, images[added]]), torch.cat([of_real, labels[added]]), few)


def _describe_distance(plain: TableDataset, few: TableDataset, source: str) -> dict[str, Any]:
    """How far the generator is from its few pictures, and whether `ganvas augment` would refuse it."""
    fakes, of_fakes = read_labelled(plain)
    real, labels = read_labelled(few)
    try:
        distance = measure_distance(fakes, of_fakes, real, labels, source)
    except DataError:
        return {"distance": None, "too_far": None}
    return {"distance": distance.to_dict() | {"text": distance.text()}, "too_far": is_far(distance)}


def _make_sheet(few: TableDataset, plain: TableDataset, classes: int) -> Tensor:
    """uint8 [8 classes, C, H, W]: of each class four real pictures and four samples."""
    parts = []
    for c in range(classes):
        for images, labels in map(read_labelled, (few, plain)):
            mine = images[labels == c][:4]
            parts.append(torch.cat([mine, mine.new_zeros(4 - len(mine), *mine.shape[1:])]))
    return torch.cat(parts)
