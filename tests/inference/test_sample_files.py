"""Samples as files: one picture each, with their classes, and back again as data."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from support import ganvas, miniature_model

from ganvas.cli.arguments import parse_labels
from ganvas.config import DataConfig
from ganvas.data.open import open_source
from ganvas.errors import GanvasWarning, ResourceError, UsageError
from ganvas.inference import model_file
from ganvas.inference.model import Model
from ganvas.media.picture_folder import require_new_folder

NAMES = ("1", "10", "2", "3", "cat/\u00c4rger", "x,y", "6", "7", "[/b]", "9")  # the class "10" is number 1


@pytest.fixture(scope="module")
def model() -> Model:
    """A conditional model whose classes have awkward names."""
    plain = miniature_model("cgan-mnist")
    return Model(plain.game, {**plain.card, "classes": list(NAMES)}, plain.identity)


def test_a_folder_has_a_picture_a_sample_and_their_labels(model: Model, tmp_path: Path) -> None:
    assert model.save(tmp_path / "set", 12, seed=5) == tmp_path / "set"
    files = sorted(path.name for path in (tmp_path / "set").iterdir())
    assert len(files) == 13
    assert files[:5] == ["00005-1.png", "00006-10.png", "00007-2.png", "00008-3.png", "00009-cat_\u00c4rger.png"]
    with (tmp_path / "set" / "labels.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["label"] for row in rows] == [*NAMES, "1", "10"]
    assert [int(row["seed"]) for row in rows] == list(range(5, 17))
    expected = model.sample(12, seed=5)
    for row, pixels in zip(rows, expected, strict=True):
        with PIL.Image.open(tmp_path / "set" / row["file"]) as picture:
            assert np.array_equal(np.asarray(picture), pixels[..., 0])
            assert picture.info["seeds"] == row["seed"]
    assert list(tmp_path.iterdir()) == [tmp_path / "set"]


def test_classes_that_a_sheet_shows_by_number_are_told(model: Model, tmp_path: Path) -> None:
    other = Model(model.game, {**model.card, "classes": ["犬", *NAMES[1:]]}, model.identity)
    with pytest.warns(GanvasWarning, match="^on the sheet #0 is 犬$"):
        other.save(tmp_path / "sheet.png", 10)
    other.save(tmp_path / "one.png", 1, label="犬")  # no names on it, no warning


@pytest.mark.parametrize("out", ["set", "set.npz"])
def test_samples_come_back_as_data_with_their_classes(model: Model, out: str, tmp_path: Path) -> None:
    model.save(tmp_path / out, 20, seed=1)
    data = open_source(DataConfig(source=str(tmp_path / out)))
    names = [data.classes[number] for number in data.fields["label"].tolist()]
    assert names == [*NAMES, *NAMES]
    assert data.warnings == ()
    pixels = model.sample(20, seed=1).transpose(0, 3, 1, 2)
    assert np.array_equal(data.fields["real"].numpy(), pixels)


def test_an_archive_of_one_class_keeps_its_name(model: Model, tmp_path: Path) -> None:
    assert model.choose_classes(parse_labels("x,y")) == [5]
    assert model.choose_classes([1]) == [1]
    assert model.choose_classes(["6", 7]) == [6, 7]
    with np.load(model.save(tmp_path / "x.npz", 3, label="10")) as arrays:
        assert (arrays["labels"].tolist(), arrays["classes"].tolist()) == ([1, 1, 1], list(NAMES))
    data = open_source(DataConfig(source=str(tmp_path / "x.npz")))
    assert (data.classes, data.fields["label"].tolist()) == (("10",), [0, 0, 0])
    assert data.warnings[0].startswith("classes without a sample, left out: '1', '2', ")


def test_nothing_in_a_folder_is_replaced(model: Model, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert len(list(model.save(tmp_path / "empty", 2).iterdir())) == 3
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"expected a new or an empty folder, found files in it"):
        model.save(tmp_path / "full", 2)
    with pytest.raises(UsageError, match="expected a new or an empty folder, found a file"):
        require_new_folder(tmp_path / "full" / "mine.txt")
    with pytest.raises(ResourceError, match="cannot write"):
        model.save(tmp_path / "gone" / "set", 2)
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r"file: expected a new or an empty folder, found a file; choose another one"):
        model.save(tmp_path / "file", 2)
    with pytest.raises(ResourceError, match=r"Not a directory; a file is where a folder is needed; choose another place"):
        model.save(tmp_path / "file" / "set", 2)
    assert sorted(path.name for path in tmp_path.rglob("*") if path.suffix == ".txt") == ["mine.txt"]


def test_a_folder_that_cannot_be_completed_does_not_exist(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> bytes:
        raise ResourceError("no space")

    monkeypatch.setattr("ganvas.media.picture_folder.encode_png", refuse)
    with pytest.raises(ResourceError):
        model.save(tmp_path / "set", 2)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["gan-ring", "textgan-names"])
def test_only_pictures_go_into_a_folder(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="expected pictures for a folder"):
        miniature_model(name).save(tmp_path / "set", 2)
    assert list(tmp_path.iterdir()) == []


def test_couples_have_a_file_for_each_class(tmp_path: Path) -> None:
    made = miniature_model("cogan-negatives")
    folder = made.save(tmp_path / "set", 2 * len(made.classes))
    names = sorted(path.name for path in folder.glob("*.png"))
    assert len(names) == 2 * len(made.classes)
    assert {name[:5] for name in names} == {"00000", "00001"}


@pytest.mark.parametrize("ending", ["jpg", "JPEG"])
def test_a_sheet_as_jpeg(model: Model, ending: str, tmp_path: Path) -> None:
    model.save(tmp_path / f"x.{ending}", 4)
    with PIL.Image.open(tmp_path / f"x.{ending}") as picture, PIL.Image.open(model.save(tmp_path / "x.png", 4)) as exact:
        assert (picture.format, picture.size) == ("JPEG", exact.size)
        assert b'"synthetic": "true"' in picture.info["comment"]
    with pytest.raises(UsageError, match=r"expected a name ending in .png, .jpg, .jpeg, .npz, or none for a folder"):
        model.save(tmp_path / "x.webp", 4)


def test_names_win_on_the_command_line_and_say_so(model: Model, tmp_path: Path) -> None:
    model_file.save(tmp_path / "m.safetensors", model.game, model.card)
    done = ganvas("sample", "m.safetensors", "-n", 4, "--label", "10,1,#1,#0", "--out", "x.npz", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    with np.load(tmp_path / "x.npz") as arrays:
        assert arrays["labels"].tolist() == [1, 0, 1, 0]
    assert done.stderr == "warning: class '1' is the one of this name, number 0; write #1 for number 1, '10'\n"
