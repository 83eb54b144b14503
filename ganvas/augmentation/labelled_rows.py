"""Which labelled pictures a study or a filter uses: the same number of each class, or unequal numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from ganvas.data.table import TableDataset
from ganvas.errors import DataError
from ganvas.evaluation.sample_sets import labels_of, read_rows
from ganvas.utils.parsing import printable
from ganvas.utils.seeds import mix


def read_labelled(data: TableDataset, rows: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """The pictures uint8 [n, C, H, W] of these rows (None: all) and their classes int64 [n].

    Raises:
        DataError: the data has no classes.
    """
    rows = torch.arange(len(data)) if rows is None else rows
    labels = labels_of(data, rows)
    if labels is None or len(data.classes) < 2:
        raise DataError(f"{printable(data.name)} has no classes; expected two or more folders of pictures, one for each class")
    return read_rows(data, rows), labels


def make_table(images: Tensor, labels: Tensor, like: TableDataset) -> TableDataset:
    """Pictures uint8 [n, C, H, W] with their classes [n] as data of the classes of `like`."""
    return TableDataset("few labels", {"real": images, "label": labels}, classes=like.classes)


def count_classes(labels: Tensor, classes: int) -> list[int]:
    """The number of pictures of each class."""
    return torch.bincount(labels, minlength=classes).tolist()


def choose_rows(labels: Tensor, counts: Sequence[int], more: Sequence[int], seed: int) -> tuple[Tensor, Tensor]:
    """`counts[c]` random rows of each class c, and up to `more[c]` others.

    Raises:
        DataError: a class has fewer than `counts[c]`.
    """
    chosen, others = [], []
    for c, (count, extra) in enumerate(zip(counts, more, strict=True)):
        mine = (labels == c).nonzero()[:, 0]
        if len(mine) < count:
            raise DataError(
                f"class number {c} has {len(mine):,} pictures for training; expected {count:,}; choose fewer --labels"
            )
        order = torch.randperm(len(mine), generator=torch.Generator().manual_seed(mix("labels", seed, c)))
        chosen.append(mine[order[:count]])
        others.append(mine[order[count : count + extra]])
    return torch.cat(chosen), torch.cat(others)


def even_out(data: TableDataset) -> TableDataset:
    """The data with rows of rare classes repeated, so that each class is drawn equally often (oversampling)."""
    _, labels = read_labelled(data)
    counts = count_classes(labels, len(data.classes))
    most = max(counts)
    rows = []
    for c, count in enumerate(counts):
        mine = (labels == c).nonzero()[:, 0]
        rows.append(mine.repeat(-(-most // count))[:most] if count else mine)
    index = torch.cat(rows)
    return replace(data, index=index if data.index is None else data.index[index])
