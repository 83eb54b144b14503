"""Models show themselves: samples in rows of classes, points, text; nothing of what is not here."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import ganvas
from ganvas.errors import GanvasWarning, UsageError
from ganvas.inference import shown_model
from ganvas.inference.model import Model
from ganvas.inference.photo_sheet import GAP, SIDE
from ganvas.media.grid import LINE
from ganvas.media.shown_arrays import Pictures


@pytest.fixture(scope="module")
def digits() -> Model:
    return ganvas.load("cgan-mnist", "cpu")


def test_a_model_with_classes_has_a_row_for_each(digits: Model) -> None:
    data = digits._repr_png_()
    assert data
    with Image.open(BytesIO(data)) as picture:
        assert picture.height == 10 * 58 + 2
        assert picture.width > 10 * 58 + 2  # the names
        assert picture.info["synthetic"] == "true"
    assert repr(digits) == "Model('cgan-mnist', trained on 84,032 images, 10 classes, on cpu)"


def test_a_sheet_has_the_samples_that_are_asked_for(digits: Model) -> None:
    sheet = np.asarray(digits.sheet(4, seed=5, label=7, columns=2))
    sevens = digits.sample(4, seed=5, label=7)
    assert isinstance(sevens, Pictures)
    assert sheet.shape == (2 * 58 + 2, 2 * 58 + 2)
    assert np.array_equal(sheet[60:116:2, 60:116:2], sevens[3, :, :, 0])
    assert digits.sheet(label=[3, 8]).height == 2 * 58 + 2
    with pytest.raises(UsageError, match="number of samples"):
        digits.sheet(0)


def test_a_sheet_is_nearly_square_and_names_the_classes_above_their_columns(digits: Model, tmp_path: Path) -> None:
    bare = digits.sheet(64, label=7)
    assert bare.size == (8 * 58 + 2, 8 * 58 + 2)
    two = digits.sheet(16, label=[3, 8])
    assert two.width == 4 * 58 + 2  # 3, 8, 3, 8
    assert two.height > 4 * 58 + 2  # the names
    assert digits.named_in_turn([3, 8], 16) == [3, 8]
    assert digits.named_in_turn([3, 8], 1) == digits.named_in_turn(3, 16) == []
    assert len(digits.named_in_turn("all", 16)) == 10
    with Image.open(digits.save(tmp_path / "two.png", 16, label=["3", "8"])) as saved:
        assert saved.size == two.size
    with Image.open(digits.save(tmp_path / "one.png", 64, label="7")) as saved:
        assert saved.size == bare.size


def test_a_class_is_shown_by_its_own_number_in_every_column(
    digits: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of several columns of one class, and where only some of the classes are asked for."""
    drawn: list[list[str]] = []
    monkeypatch.setitem(digits.card, "classes", ["0", "1", "2", "犬", "4", "5", "6", "7", "猫", "9"])
    monkeypatch.setattr(shown_model, "name_columns", lambda picture, names: (drawn.append(list(names)), picture)[1])
    monkeypatch.setattr(shown_model, "name_rows", lambda picture, names: (drawn.append(list(names)), picture)[1])
    with pytest.warns(GanvasWarning, match="on the sheet #3 is 犬, #8 is 猫"):
        path = digits.save(tmp_path / "two.png", 16, label=[3, 8])
    digits.sheet(label=[8, 1])
    assert drawn == [["#3", "#8", "#3", "#8"], ["#8", "1"]]
    with Image.open(path) as saved:
        assert saved.info["classes"] == "#3 犬, #8 猫"


def test_own_pictures_are_not_opened_to_show_a_model(monkeypatch: pytest.MonkeyPatch) -> None:
    photos = ganvas.load("sr-photos", "cpu")
    with pytest.raises(UsageError, match="leave n and label out"):
        photos.sheet(3)
    monkeypatch.setitem(photos.card["recipe"]["data"], "tile", 0)  # pictures of one subject, such as of horses and zebras
    assert photos._repr_png_() is None


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("inpaint-photos", ("hole", "filled")),
        pytest.param("sr-photos", ("small", "x2"), marks=pytest.mark.slow),
        pytest.param("filter-sketch", ("photo", "sketch"), marks=pytest.mark.slow),
    ],
)
def test_models_for_photographs_show_what_they_make_of_three_that_come_with_ganvas(name: str, columns: tuple[str, str]) -> None:
    model = ganvas.load(name, "cpu")
    data: Any = model._repr_png_()
    with Image.open(BytesIO(data)) as picture:
        assert picture.size == (2 * (2 * SIDE) + GAP, 3 * (2 * SIDE) + 2 * GAP + LINE)
        pixels = np.asarray(picture.convert("RGB"), float)[LINE:]
    before, after = pixels[:, : 2 * SIDE], pixels[:, 2 * SIDE + GAP :]
    assert 2 < np.abs(before - after).mean() < (200 if columns[1] == "sketch" else 30)
    if columns[1] == "filled":  # outside of the hole the picture is as it was
        assert np.array_equal(before[: 2 * 20], after[: 2 * 20])
        assert not np.array_equal(before[2 * 20 : 2 * 26], after[2 * 20 : 2 * 26])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cyclegan-emoji", "spade-earth", "motion-emoji", "stylegan2-fashion"])
def test_models_on_built_in_data_show_inputs_and_outputs(name: str) -> None:
    data: Any = ganvas.load(name, "cpu")._repr_png_()
    with Image.open(BytesIO(data)) as picture:
        assert min(picture.size) >= 200
        assert len(picture.convert("RGB").getcolors(1 << 24) or ()) > 100


def test_a_classifier_shows_test_pictures_in_the_row_of_the_class_that_it_names() -> None:
    model = ganvas.load("classifier-mnist", "cpu")
    data: Any = model._repr_png_()
    with Image.open(BytesIO(data)) as picture:
        pixels = np.asarray(picture.convert("L"))
    rows = [pixels[2 + 58 * c : 2 + 58 * c + 56 : 2, -580:] for c in range(10)]
    ones, eights = (float((rows[c] > 128).mean()) for c in (1, 8))
    assert ones < eights  # a one has less ink
    assert len({row.tobytes() for row in rows}) == 10
    with pytest.raises(UsageError, match="generates nothing"):
        model.sheet(3)
    model.card["recipe"]["data"]["source"] = "fashion"  # it would be downloaded
    assert model._repr_png_() is None
