"""Names in pictures: whatever their script, no box stands for a sign."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from ganvas.errors import GanvasWarning
from ganvas.media.cloud import draw_cloud
from ganvas.media.font import choose_font, explain_names, load_wide_font, show_line, show_names, tell_names, warn_of_numbers
from ganvas.media.grid import caption, make_grid, name_columns, name_rows
from ganvas.media.preview import draw_page


def draw_box() -> np.ndarray:
    """The sign that a font draws for one that it lacks, uint8 [H, W]."""
    picture = Image.new("L", (40, 40), 255)
    ImageDraw.Draw(picture).text((10, 10), "\uffff", fill=0, font=load_wide_font(12))
    dark = np.argwhere(np.asarray(picture) < 128)
    (top, left), (bottom, right) = dark.min(0), dark.max(0)
    return np.asarray(picture)[top : bottom + 1, left : right + 1]


@pytest.mark.parametrize("name", ["ё", "Ä", "ñ", "Ελλάδα", "Łódź", "Việt", "București", "Ї", "naïve café", "…", "№ 1"])
def test_latin_greek_and_cyrillic_are_drawn(name: str) -> None:
    assert show_names([name]) == [name]
    assert explain_names([name]) == {}
    font = choose_font([name], 12)
    signs = {sign: font.getmask(sign) for sign in name if not sign.isspace()}
    lacking = font.getmask("\uffff")
    for sign, mask in signs.items():
        assert mask.getbbox() is not None, sign
        assert (mask.size, bytes(mask)) != (lacking.size, bytes(lacking)), sign


def test_an_accent_and_its_letter_in_two_signs_are_drawn_as_one() -> None:
    assert show_names(["A\u0308", "n\u0303"]) == ["Ä", "ñ"]
    assert explain_names(["A\u0308"]) == {}


def test_names_of_other_scripts_are_numbers_that_the_metadata_explain() -> None:
    names = ["cat", "日本", "ё", "قط", "🐈", "a\u200bb"]
    assert show_names(names) == ["cat", "#1", "ё", "#3", "#4", "#5"]
    assert explain_names(names) == {"classes": "#1 日本, #3 قط, #4 🐈, #5 a\u200bb"}
    assert show_line("日本 runs") == "?? runs"


def test_the_terminal_says_which_class_a_number_on_a_sheet_is() -> None:
    assert tell_names(["cat", "日本", "犬🐶", "a\u200bb"]) == r"on the sheet #1 is 日本, #2 is 犬🐶, #3 is a\u200bb"
    many = tell_names(["犬"] * 7)
    assert many.endswith("#4 is 犬 and 2 more; the metadata of the picture lists all")
    assert tell_names(["cat", "ё"]) == ""
    with pytest.warns(GanvasWarning, match="on the sheet #0 is 犬"):
        warn_of_numbers(["犬"])
    warn_of_numbers(["cat"])  # no warning, which would be an error here


def test_ascii_looks_as_before() -> None:
    assert choose_font(["T-shirt/top", "bag…"], 12).getname() == ("Aileron", "Regular")  # type: ignore[union-attr]


def test_no_picture_with_names_has_a_box() -> None:
    names, grid = ["日本", "ё", "Ä"], make_grid(torch.full((3, 1, 64, 64), -1.0), columns=3)
    page = draw_page(["日本", "ё"], 10)
    cloud = draw_cloud(torch.rand(3, 2), torch.arange(3), names, 64)
    box = draw_box()
    shown = Image.new("L", (60, 30), 255)
    ImageDraw.Draw(shown).text((10, 5), "\uffff", fill=0, font=load_wide_font(12))
    for picture in (name_rows(grid, names), name_columns(grid, names), caption(grid, names), page, cloud):
        ink = np.asarray(picture.convert("L")) < 200
        windows = np.lib.stride_tricks.sliding_window_view(ink, box.shape)
        assert not (windows == (box < 200)).all((2, 3)).any()
    sought = np.lib.stride_tricks.sliding_window_view(np.asarray(shown) < 200, box.shape)
    assert (sought == (box < 200)).all((2, 3)).any()  # it would be found
