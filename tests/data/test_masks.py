"""Masks of holes: never empty, never all, of the seed alone, and the shapes that they say."""

from __future__ import annotations

import pytest
import torch

from ganvas.data.masks import NUMBERS, PER_STROKE, STROKES, draw_masks, masks_of_seeds


@pytest.mark.parametrize("size", [(8, 8), (16, 16), (64, 64), (128, 128), (40, 90), (33, 17)])
def test_every_mask_has_a_hole_and_something_around_it(size: tuple[int, int]) -> None:
    masks = masks_of_seeds(range(300), *size)
    assert masks.shape == (300, 1, *size)
    assert set(masks.unique().tolist()) == {0.0, 1.0}
    shares = masks.mean((1, 2, 3))
    assert shares.min() > 0
    assert shares.max() < 0.9
    assert 0.05 < shares.mean() < 0.25


def test_a_seed_has_one_mask() -> None:
    together = masks_of_seeds(range(10), 32, 32)
    assert torch.equal(masks_of_seeds([7], 32, 32)[0], together[7])
    assert len({tuple(mask.flatten().tolist()) for mask in together}) == 10


def test_the_smallest_and_the_largest_numbers_make_masks() -> None:
    for value in (0.0, 1 - 1e-6):
        mask = draw_masks(torch.full((2, NUMBERS), value), 64, 64)
        assert 0 < mask.mean() < 0.9


def test_a_rectangle_is_where_its_numbers_say() -> None:
    numbers = torch.full((1, NUMBERS), 0.5)
    numbers[:, 0] = 0.3  # 12 kinds without none of all: the fourth is no stroke and one rectangle
    place = 1 + STROKES * PER_STROKE
    numbers[:, place : place + 4] = torch.tensor([0.0, 1.0, 0.0, 1.0])  # at the top, on the right, low, wide
    mask = draw_masks(numbers, 100, 100)[0, 0]
    wanted = torch.zeros(100, 100)
    wanted[:12, 64:] = 1
    assert torch.equal(mask, wanted)


def test_a_stroke_is_as_wide_as_its_brush() -> None:
    numbers = torch.full((1, NUMBERS), 0.5)
    numbers[:, 0] = 0.0  # one stroke
    numbers[:, 1:5] = torch.tensor([0.5, 0.1, 0.0, 0.0])  # from the left, in the middle, to the right, with the finest brush
    mask = draw_masks(numbers, 200, 200)[0, 0]
    rows, columns = mask.any(1), mask.any(0)
    assert int(rows.sum()) == 12  # 0.06 of 200
    assert int(columns.sum()) == pytest.approx(4 * 0.175 * 200 + 12, abs=2)
    assert not mask[94, columns.nonzero().min()], "its ends are round"
