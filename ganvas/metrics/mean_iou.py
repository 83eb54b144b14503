"""Mean intersection over union (mIoU) of label maps."""

from __future__ import annotations

import torch
from torch import Tensor

from ganvas.core.modality import UNKNOWN
from ganvas.errors import UsageError


def count_classes(output: Tensor, truth: Tensor, classes: int) -> Tensor:
    """Label maps uint8 [N, H, W] -> how many known pixels of each true class have each class in the output, int64 [K, K].

    A class of the output that is not among `classes` counts as none of them: the last column, [K, K + 1].

    Raises:
        UsageError: different shapes, or a true class that is not among them.
    """
    if output.shape != truth.shape or output.ndim != 3:
        found = f"{list(output.shape)} and {list(truth.shape)}"
        raise UsageError(f"label maps: expected two of one shape [N, H, W], found {found}; resize one")
    known = truth != UNKNOWN
    true, guess = truth[known].long(), output[known].long().clamp(max=classes)
    if len(true) and int(true.max()) >= classes:
        raise UsageError(f"label maps: expected classes 0 to {classes - 1}, found {int(true.max())}; give the right legend")
    return torch.bincount(true * (classes + 1) + guess, minlength=classes * (classes + 1)).view(classes, classes + 1)


def class_iou(counts: Tensor) -> Tensor:
    """The counts of `count_classes` -> intersection over union of each class [K], float64; NaN: the class is nowhere."""
    right = counts.diagonal().double()
    union = counts.sum(1) + counts[:, : len(counts)].sum(0) - right
    return right / union  # 0 / 0 is NaN


def mean_iou(output: Tensor, truth: Tensor, classes: int) -> float:
    """The mean of `class_iou` over the classes that occur, in the output or in the truth; over all pixels of all maps.

    Raises:
        UsageError: as `count_classes`, or no pixel is known.

    Source: Long, Shelhamer, Darrell 2015, arXiv:1411.4038 sec. 5.
    """
    found = class_iou(count_classes(output, truth, classes))
    if found.isnan().all():
        raise UsageError("label maps: no pixel has a known class; give maps with classes")
    return float(found.nanmean())
