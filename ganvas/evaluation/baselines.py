"""Trivial baselines of outputs: what a model that takes inputs must beat, measured beside it on the same rows."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ganvas.core.capabilities import Upscales
from ganvas.core.modality import CLIPS, IMAGES, LABEL_MAPS, modality_of
from ganvas.data.dataset import Dataset
from ganvas.inference.inputs import INPUT_MODALITIES, Outputs
from ganvas.layers.smooth_fill import EXACT, fill_smoothly
from ganvas.metrics.color_segmenter import mean_colors
from ganvas.metrics.resize import enlarge

PART = 64  # images that are filled at a time
ROWS = 2_000  # of the training split, from which colors and means are computed


@dataclass(frozen=True)
class Baseline:
    """Outputs that need no model, uint8 [N, ...] of the shape of the outputs."""

    name: str  # a column of the report
    output: Tensor


def make_baseline(outputs: Outputs, train: Dataset) -> Baseline | None:
    """The baseline that fits: of filled holes their smooth filling; of images made larger the bicubic ones; of images made from
    label maps the mean color of each class; of others the input itself, if it has the shape of the output, else the mean of the
    target. None: there is none.

    Colors and means are those of up to 2,000 rows of the training split.
    """
    task, output = outputs.task, outputs.output
    if outputs.hole is not None:
        return fill_by_diffusion(outputs)
    shown = next(iter(outputs.inputs.values()))
    kind, kind_in = (modality_of(x, INPUT_MODALITIES) for x in (output, shown))
    if isinstance(task.game, Upscales) and "low" in outputs.inputs:
        return Baseline("bicubic", enlarge(shown, task.game.scale))
    if kind is IMAGES and kind_in is LABEL_MAPS:
        return _paint_mean_colors(shown, outputs, train)
    if kind is CLIPS and kind_in is IMAGES:
        shown = shown[:, None].expand(-1, output.shape[1], -1, -1, -1)
    if kind is IMAGES and kind_in is IMAGES and (shown.shape[1], output.shape[1]) == (1, 3):
        shown = shown.expand(-1, 3, -1, -1)  # of a grey picture that gets colors
    if shown.shape == output.shape:
        return Baseline("copied input", shown)
    if kind is IMAGES and task.target in train.modalities:
        reals = train.rows(choose_training_rows(train))[task.target]
        if reals.shape[1:] == output.shape[1:]:
            mean = reals.double().mean(0).round().to(torch.uint8)
            return Baseline("mean target", mean.expand(len(output), *mean.shape))
    return None


def fill_by_diffusion(outputs: Outputs) -> Baseline:
    """The images with each hole as smooth as can be: Laplace's equation, with the pixels around the hole as its rim."""
    shown, hole = next(iter(outputs.inputs.values())), _require_hole(outputs)
    parts = [fill_smoothly(x, some, EXACT) for x, some in zip(shown.split(PART), hole.split(PART), strict=True)]
    return Baseline("diffusion fill", torch.cat(parts).round().clamp(0, 255).to(torch.uint8))


def fill_by_mean(outputs: Outputs) -> Baseline:
    """The images with each hole in the mean color of the pixels outside of it."""
    shown, hole = next(iter(outputs.inputs.values())), _require_hole(outputs) > 0
    sums = shown.where(~hole, 0).sum((2, 3), keepdim=True, dtype=torch.float64)
    mean = (sums / (~hole).sum((2, 3), keepdim=True).clamp(min=1)).round().to(torch.uint8)
    return Baseline("mean color", torch.where(hole, mean, shown))


def _require_hole(outputs: Outputs) -> Tensor:
    assert outputs.hole is not None  # noqa: S101 - the caller has looked
    return outputs.hole


def choose_training_rows(train: Dataset) -> Tensor:
    """Up to 2,000 rows of the training split, always the same."""
    return torch.randperm(len(train), generator=torch.Generator().manual_seed(5))[:ROWS].sort().values


def _paint_mean_colors(maps: Tensor, outputs: Outputs, train: Dataset) -> Baseline | None:
    """Each pixel of maps uint8 [N, H, W] in the mean color of its class; of a class that is not in the training rows in that
    of all of them."""
    field, target = next(iter(outputs.inputs)), outputs.task.target
    if field not in train.modalities or target not in train.modalities:
        return None
    rows = train.rows(choose_training_rows(train))
    table = rows[target].double().mean((0, 2, 3)).expand(256, -1).clone()
    for label, color in mean_colors(rows[target], rows[field]).items():
        table[label] = color
    return Baseline("mean colors", table.round().to(torch.uint8)[maps.long()].movedim(-1, 1).contiguous())
