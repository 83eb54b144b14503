"""Classification accuracy."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ganvas.data.table import TableDataset
from ganvas.runtime import placement


@torch.no_grad()
def accuracy(
    classify: Callable[[Tensor], Tensor], data: TableDataset, chunk: int = 500, device: str | torch.device = "cpu"
) -> float:
    """The share of `data` whose label has the highest logit. `classify`: x [N, ...] on `device` -> logits [N, classes]."""
    right = 0
    for start in range(0, len(data), chunk):
        batch = data.samples(torch.arange(start, min(start + chunk, len(data))))
        right += int((placement.to_cpu(classify(batch["real"].to(device)).argmax(1)) == batch["label"]).sum())
    return right / len(data)
