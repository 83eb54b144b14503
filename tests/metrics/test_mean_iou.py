"""Mean intersection over union: by hand, and against a direct definition."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from ganvas.errors import UsageError
from ganvas.metrics.mean_iou import class_iou, count_classes, mean_iou


def maps(*rows: list[int]) -> Tensor:
    return torch.tensor(rows, dtype=torch.uint8)[None]


def test_counts_and_overlaps_by_hand() -> None:
    truth, output = maps([0, 0, 1, 255], [0, 2, 2, 1]), maps([0, 1, 1, 0], [0, 2, 0, 7])
    counts = count_classes(output, truth, 4)
    assert counts.tolist() == [[2, 1, 0, 0, 0], [0, 1, 0, 0, 1], [1, 0, 1, 0, 0], [0, 0, 0, 0, 0]]
    found = class_iou(counts)
    assert found[:3].tolist() == pytest.approx([2 / 4, 1 / 3, 1 / 2])
    assert found[3].isnan()  # nowhere: it does not count
    assert mean_iou(output, truth, 4) == pytest.approx((1 / 2 + 1 / 3 + 1 / 2) / 3)


def test_equal_maps_overlap_and_others_do_not() -> None:
    truth = maps([0, 1], [2, 1])
    assert mean_iou(truth, truth, 3) == 1
    assert mean_iou((truth + 1) % 3, truth, 3) == 0


def test_a_class_that_only_the_output_has_counts() -> None:
    assert mean_iou(maps([0, 1]), maps([0, 0]), 2) == pytest.approx(0.25)


@given(st.integers(0, 1000), st.integers(1, 5))
@settings(max_examples=20, deadline=None)
def test_it_is_the_overlap_of_sets_of_pixels(seed: int, classes: int) -> None:
    random = torch.Generator().manual_seed(seed)
    truth, output = torch.randint(0, classes, (2, 3, 4, 5), generator=random).to(torch.uint8)
    truth[0, 0] = 255
    known, expected = truth != 255, []
    for k in range(classes):
        mine, theirs = (truth == k) & known, (output == k) & known
        if (mine | theirs).any():
            expected.append(((mine & theirs).sum() / (mine | theirs).sum()).item())
    assert mean_iou(output, truth, classes) == pytest.approx(sum(expected) / len(expected))


@pytest.mark.parametrize(
    ("output", "truth", "says"),
    [
        (maps([0, 1]), maps([0, 1], [0, 0]), "two of one shape"),
        (maps([0, 1]), maps([0, 3]), "expected classes 0 to 1, found 3"),
        (maps([0, 1]), maps([255, 255]), "no pixel has a known class"),
    ],
)
def test_maps_that_do_not_fit_are_refused(output: Tensor, truth: Tensor, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        mean_iou(output, truth, 2)
