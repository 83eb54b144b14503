"""A point is found again where the picture was moved to, to a fraction of a pixel where features are smooth."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from ganvas.editing.point_tracking import FAR, SOUGHT, find_by_pixels, find_vertex, list_pixels, look_around, look_up, track

SIDE = 32


def noise(channels: int = 3, seed: int = 0) -> Tensor:
    return torch.rand(channels, SIDE, SIDE, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def test_features_between_pixels_are_linear() -> None:
    y, x = torch.meshgrid(torch.arange(8.0), torch.arange(8.0), indexing="ij")
    places = torch.tensor([[[2.0, 5.0], [2.25, 5.5]], [[7.0, 0.0], [0.0, 7.0]]])
    found = look_up(torch.stack([x, y])[None], places)
    torch.testing.assert_close(found, places)
    outside = look_up(torch.stack([x, y])[None], torch.tensor([[-3.0, 9.0]]))
    torch.testing.assert_close(outside, torch.tensor([[0.0, 7.0]]))  # those of the edge


def test_the_square_of_pixels_is_row_by_row() -> None:
    assert list_pixels(1).tolist() == [[-1, -1], [0, -1], [1, -1], [-1, 0], [0, 0], [1, 0], [-1, 1], [0, 1], [1, 1]]


@given(st.floats(-0.49, 0.49), st.floats(-0.49, 0.49), st.floats(0.1, 10), st.floats(0.1, 10))
def test_the_vertex_of_a_parabola_is_exact(x: float, y: float, across: float, down: float) -> None:
    places = list_pixels(2).double()
    heights = across * (places[:, 0] - x).square() + down * (places[:, 1] - y).square()
    found = find_vertex(heights[None], heights.argmin()[None])
    torch.testing.assert_close(found, torch.tensor([[x, y]], dtype=torch.float64), rtol=0, atol=1e-6)


def test_the_vertex_at_an_edge_is_the_place_itself() -> None:
    heights = list_pixels(1)[:, 0] + 0.0  # lower and lower to the left
    assert find_vertex(heights[None], torch.tensor([3])).tolist() == [[0.0, 0.0]]


@given(st.integers(-SOUGHT, SOUGHT), st.integers(-SOUGHT, SOUGHT), st.integers(0, 5))
def test_a_point_is_tracked_through_any_shift_within_reach(right: int, down: int, seed: int) -> None:
    points = torch.tensor([[12.0, 15.0], [20.0, 9.0]])
    first = noise(8, seed)[None]
    moved = first.roll((down, right), (2, 3))
    found, unlike = track(moved, look_around(first, points, 1), points)
    assert (found - points - torch.tensor([right, down])).abs().max() <= 0.5  # noise has no parabola
    torch.testing.assert_close(unlike, torch.zeros(2))


def test_a_point_is_never_tracked_out_of_the_picture() -> None:
    points = torch.tensor([[0.0, 31.0]])
    first = noise(8)[None]
    found, _ = track(first.roll((2, -2), (2, 3)), look_around(first, points, 1), points)
    assert found.min() >= 0
    assert found.max() <= SIDE - 1


@given(st.integers(-9, 9), st.integers(-9, 9), st.integers(0, 5))
def test_pixels_find_any_shift(right: int, down: int, seed: int) -> None:
    first = noise(1, seed)
    last = 0.5 * first.roll((down, right), (1, 2)) - 0.2  # darker, and with less contrast
    found = find_by_pixels(first, last, torch.tensor([16.0, 15.0]))
    assert found.tolist() == [16 + right, 15 + down]


@pytest.mark.parametrize("point", [(0.0, 0.0), (31.0, 31.0)])
def test_pixels_at_a_corner_of_the_picture(point: tuple[float, float]) -> None:
    first = noise()
    assert find_by_pixels(first, first, torch.tensor(point)).tolist() == list(point)


def test_pixels_are_not_sought_far_away() -> None:
    first = noise()
    found = find_by_pixels(first, first.roll(FAR + 2, 2), torch.tensor([6.0, 15.0]))
    assert (found - torch.tensor([6.0, 15.0])).norm() <= FAR
