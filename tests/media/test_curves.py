"""Curves: where they run, what is left out, their legend."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageColor

from ganvas.errors import DataError, UsageError
from ganvas.media.curves import BOTTOM, LEFT, TOP, draw_curves
from ganvas.media.palette import LINE_COLORS


def column(picture: Image.Image, x: int, colour: str) -> list[int]:
    """The rows of the frame in which the column x has a colour."""
    pixels = np.asarray(picture.convert("RGB"))[TOP:180, x].astype(int)
    near = np.abs(pixels - np.array(ImageColor.getrgb(colour))).sum(1) < 60
    return (TOP + np.flatnonzero(near)).tolist()


def test_a_rising_curve_rises_and_a_falling_one_falls() -> None:
    up, down = [(i, float(i)) for i in range(101)], [(i, 100.0 - i) for i in range(101)]
    picture = draw_curves({"up": up, "down": down}, "both", smooth=0.0)
    left, right = LEFT + 10, 480 - 20
    assert min(column(picture, left, LINE_COLORS[0])) > max(column(picture, right, LINE_COLORS[0]))
    assert max(column(picture, left, LINE_COLORS[1])) < min(column(picture, right, LINE_COLORS[1]))
    assert picture.size == (480, 200 + 15 + 4)


def test_tenfold_steps_are_even_on_a_logarithmic_scale() -> None:
    picture = draw_curves({"decay": [(i, 10.0**-i) for i in range(5)]}, "decay", log=True, smooth=0.0)
    places = [np.mean(column(picture, LEFT + round(share * (480 - LEFT - 8)), LINE_COLORS[0])) for share in (0.25, 0.5, 0.75)]
    assert places[1] - places[0] == pytest.approx(places[2] - places[1], abs=2)


def test_what_is_not_finite_is_left_out_and_nothing_at_all_is_an_error() -> None:
    whole = draw_curves({"a": [(0, 1.0), (1, 2.0), (2, 3.0)]}, "t")
    holed = draw_curves({"a": [(0, 1.0), (0.5, float("nan")), (1, 2.0), (1.5, float("inf")), (2, 3.0)]}, "t")
    assert np.array_equal(np.asarray(whole), np.asarray(holed))
    with pytest.raises(DataError, match="nothing to draw for 'grad'"):
        draw_curves({"a": [(0, float("nan"))], "b": []}, "grad")
    with pytest.raises(DataError, match="above 0"):
        draw_curves({"a": [(0, -1.0)]}, "grad", log=True)
    with pytest.raises(UsageError, match="at most 8, got 9"):
        draw_curves({str(i): [(0, 1.0)] for i in range(9)}, "t")


def test_smoothing_takes_the_running_mean() -> None:
    noisy = [(i, float(i % 2)) for i in range(100)]
    both = {"a": noisy, "b": [(0, 0.0), (99, 1.0)]}  # the second keeps the frame
    rough, smooth = draw_curves(both, "t", smooth=0.0), draw_curves(both, "t", smooth=0.2)
    middle = TOP + (200 - TOP - BOTTOM) / 2
    assert max(abs(y - middle) for x in range(200, 300) for y in column(rough, x, LINE_COLORS[0])) > 60
    assert max(abs(y - middle) for x in range(200, 300) for y in column(smooth, x, LINE_COLORS[0])) < 15


def test_a_long_legend_takes_more_lines_and_a_single_value_is_a_dot() -> None:
    one = draw_curves({"a": [(5, 1.0)]}, "t")
    many = draw_curves({f"a long name of a curve {i}": [(5, 1.0)] for i in range(8)}, "t")
    assert many.height >= one.height + 3 * 15
    assert column(one, 480 - 10, LINE_COLORS[0])
