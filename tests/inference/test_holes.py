"""Masks of the user: polarity, greys in the middle, sizes, and the preview."""

from __future__ import annotations

import numpy as np
import pytest

from ganvas.errors import UsageError
from ganvas.inference.holes import describe_hole, mark_hole, read_hole, require_hole


def test_white_is_filled_and_greys_count_as_the_nearer() -> None:
    levels = np.array([[0, 1, 127, 128, 254, 255]], np.uint8)
    assert read_hole(levels).tolist() == [[False, False, False, True, True, True]]
    assert read_hole(levels[..., None]).tolist() == read_hole(levels).tolist()
    deep = np.array([[0, 32767, 32768, 65535]], np.uint16)
    assert read_hole(deep).tolist() == [[False, False, True, True]]
    colors = np.array([[[255, 255, 255], [255, 0, 0], [255, 255, 0], [0, 0, 0]]], np.uint8)
    assert read_hole(colors).tolist() == [[True, False, True, False]]
    assert read_hole(np.array([[True, False]])).tolist() == [[True, False]]


def test_transparent_pixels_of_a_mask_are_kept() -> None:
    """A layer of an editor: painted white, and transparent elsewhere, whatever color is below."""
    layer = np.array([[[255, 255, 255, 255], [255, 255, 255, 0], [255, 255, 255, 127]]], np.uint8)
    assert read_hole(layer).tolist() == [[True, False, False]]
    assert read_hole(np.array([[[255, 255], [255, 0]]], np.uint8)).tolist() == [[True, False]]


def test_masks_that_do_not_fit_are_told_in_one_line() -> None:
    hole = np.zeros((20, 30), bool)
    with pytest.raises(UsageError, match=r"m\.png: expected white where the picture is to be filled, found none \(white is"):
        require_hole(hole, (20, 30), "m.png")
    with pytest.raises(UsageError, match=r"m\.png: expected black where the picture is kept, found none"):
        require_hole(~hole, (20, 30), "m.png")
    with pytest.raises(UsageError, match=r"m\.png: expected 31 x 20 pixels, as x\.png has, found 30 x 20"):
        require_hole(hole, (20, 31), "m.png", "x.png")
    hole[0, 0] = True
    require_hole(hole, (20, 30))


def test_a_mask_that_may_be_inverted_is_doubted() -> None:
    hole = np.zeros((10, 10), bool)
    hole[:2] = True
    assert describe_hole(hole) == "20 of 10 x 10 pixels are filled (20.0%)"
    assert describe_hole(~hole).endswith("if the mask is inverted: white is filled, black is kept")


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_a_preview_shows_the_hole_and_nothing_else(channels: int, kind: type) -> None:
    top = np.iinfo(kind).max
    picture = np.random.default_rng(0).integers(0, top + 1, (9, 7, channels)).astype(kind)
    hole = np.zeros((9, 7), bool)
    hole[2:4, 3:] = True
    shown = mark_hole(picture, hole)
    assert (shown.shape, shown.dtype) == ((9, 7, 3), np.uint8)
    plain = mark_hole(picture, np.zeros_like(hole))
    assert np.array_equal(shown[~hole], plain[~hole])
    assert (shown[hole] != plain[hole]).any(1).all()
    if kind is np.uint8 and channels == 3:
        assert np.array_equal(plain, picture)
