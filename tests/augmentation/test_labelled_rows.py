"""The rows of a study: as many of each class as asked, none twice."""

from __future__ import annotations

import pytest
import torch

from ganvas.augmentation.labelled_rows import choose_rows, count_classes, even_out, make_table, read_labelled
from ganvas.data.table import TableDataset
from ganvas.errors import DataError

LABELS = torch.arange(60) % 3


def test_rows_have_the_asked_number_of_each_class_and_overlap_with_no_other() -> None:
    rows, more = choose_rows(LABELS, (4, 2, 5), (3, 100, 0), seed=1)
    assert count_classes(LABELS[rows], 3) == [4, 2, 5]
    assert count_classes(LABELS[more], 3) == [3, 18, 0]  # as many as there are
    assert len(set(rows.tolist()) | set(more.tolist())) == len(rows) + len(more)
    again, other = (choose_rows(LABELS, (4, 2, 5), (3, 0, 0), seed=seed)[0] for seed in (1, 2))
    assert torch.equal(rows, again)
    assert not torch.equal(rows, other)


def test_a_class_with_too_few_pictures_is_named() -> None:
    with pytest.raises(DataError, match="class number 0 has 20 pictures"):
        choose_rows(LABELS, (21, 2, 2), (0, 0, 0), 0)


def test_rare_classes_are_repeated_until_all_are_drawn_equally_often() -> None:
    images = torch.arange(8, dtype=torch.uint8).reshape(8, 1, 1, 1).expand(8, 1, 4, 4).contiguous()
    like = TableDataset("t", {"real": images, "label": torch.zeros(8, dtype=torch.int64)}, classes=("a", "b"))
    data = even_out(make_table(images, torch.tensor([0, 0, 0, 0, 0, 1, 1, 1]), like))
    pictures, labels = read_labelled(data)
    assert count_classes(labels, 2) == [5, 5]
    assert set(pictures[labels == 1].unique().tolist()) == {5, 6, 7}
    assert len(pictures[labels == 0].unique()) == 5
    with pytest.raises(DataError, match="no classes"):
        read_labelled(TableDataset("t", {"real": images}))
