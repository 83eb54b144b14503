"""Windows around holes: each pixel of a hole is in one of them."""

from __future__ import annotations

import numpy as np

from ganvas.inference.hole_windows import CONTEXT, list_windows


def test_each_pixel_is_in_one_window() -> None:
    hole = np.zeros((700, 900), bool)
    hole[5:20, 5:30] = hole[600:640, 850:] = hole[300, 400:410] = True
    windows = list_windows(hole)
    assert len(windows) == 3
    counts = np.zeros(hole.shape, int)
    for window in windows:
        counts[window.rows, window.columns] += window.hole
        rows, columns = np.nonzero(window.hole)
        assert rows.min() <= CONTEXT
        assert columns.min() <= CONTEXT
        assert window.hole.shape == hole[window.rows, window.columns].shape
    assert np.array_equal(counts, hole.astype(int))


def test_holes_that_are_near_share_a_window_and_many_share_the_picture() -> None:
    hole = np.zeros((600, 600), bool)
    hole[100:104, 100:104] = hole[110:114, 110:114] = True
    assert len(list_windows(hole)) == 1
    hole[::50, ::50] = True
    (window,) = list_windows(hole)
    assert (window.rows, window.columns) == (slice(0, 600), slice(0, 600))
    assert np.array_equal(window.hole, hole)


def test_a_hole_of_any_shape_is_covered() -> None:
    random = np.random.default_rng(0)
    for _ in range(20):
        hole = random.random((random.integers(1, 80), random.integers(1, 400))) < 0.002
        hole[0, 0] = True
        counts = np.zeros(hole.shape, int)
        for window in list_windows(hole, 4):
            counts[window.rows, window.columns] += window.hole
        assert np.array_equal(counts, hole.astype(int))
