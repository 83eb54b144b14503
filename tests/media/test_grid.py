"""Names beside the rows and above the columns of a grid."""

from __future__ import annotations

import numpy as np
import torch
from PIL import ImageFont

from ganvas.media.grid import LINE, _cut_apart, _cut_off, make_grid, name_columns, name_rows


def test_a_name_stands_beside_each_row_and_the_grid_is_unchanged() -> None:
    grid = make_grid(torch.full((6, 1, 20, 20), -1.0), columns=2)
    named = name_rows(grid, ["ant", "bee", "crocodile"])
    left = named.width - grid.width
    assert np.array_equal(np.asarray(named)[:, left:], np.asarray(grid))
    text = np.asarray(named)[:, :left] < 128
    row = grid.height / 3
    for i in range(3):  # each name lies within its own row
        assert text[round(row * i) : round(row * (i + 1))].any()
    assert name_rows(grid, ["x" * 500, "", "b"]).width < grid.width + 110


def test_a_name_stands_above_each_column_and_within_it() -> None:
    grid = make_grid(torch.full((6, 3, 64, 64), -1.0), columns=3)
    named = name_columns(grid, ["T-shirt/top and more words than fit", "bag", "coat"])
    pixels = np.asarray(named.convert("L"))
    assert np.array_equal(np.asarray(named)[LINE:], np.asarray(grid))
    edges = [round(grid.width * i / 3) for i in range(4)]
    for i in range(3):
        assert (pixels[:LINE, edges[i] + 2 : edges[i + 1] - 2] < 128).any()
        assert not (pixels[:LINE, edges[i] : edges[i] + 2] < 128).any()  # no name runs into the next column


def test_names_grow_with_a_picture_that_will_be_shown_smaller() -> None:
    heights = []
    for side in (64, 128):
        named = name_rows(make_grid(torch.ones(20, 1, side, side), columns=10), ["HH", "HH"])
        dark = (np.asarray(named)[: named.height // 2, : named.width - 10 * side] < 128).any(1)
        heights.append(int(dark.sum()))
    assert heights[1] > 1.6 * heights[0]
    assert name_rows(make_grid(torch.ones(4, 1, 8, 400), columns=4), ["HH"]).height == 12  # not higher than its row


def test_a_long_name_is_cut_off_with_an_ellipsis() -> None:
    font = ImageFont.load_default(12)
    assert _cut_off("cat", font, 100) == "cat"
    cut = _cut_off("a very long name of a class", font, 60)
    assert cut.endswith("…")
    assert font.getlength(cut) <= 60
    assert _cut_off("cat", font, 0) == ""


def test_long_names_that_begin_alike_still_differ() -> None:
    font = ImageFont.load_default(12)
    names = ["lung x-ray healthy", "lung x-ray ill", "lung x-ray ill again", "bone", "lung x-ray healthy"]
    shown = _cut_apart(names, font, 60)
    assert shown == ["…healthy", "…ill", "…ill again", "bone", "…healthy"]
    same = ["a" * 40 + "b", "a" * 40 + "c", "a" * 40]
    for most in (20, 60):
        shown = _cut_apart(same, font, most)
        assert all(font.getlength(name) <= most for name in shown)
    assert len(set(shown)) == 3
    assert _cut_apart(["cat", "cats"], font, 0) == ["", ""]
