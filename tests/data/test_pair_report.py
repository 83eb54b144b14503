"""What `ganvas data` says of two sides, and which recipe it names."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support import ganvas

from ganvas.config import DataConfig
from ganvas.data import pair_report
from ganvas.data.open import open_source
from ganvas.data.pair_report import inspect_pairs
from ganvas.data.report import inspect
from ganvas.errors import UsageError
from ganvas.games import RECIPES
from ganvas.games.translation_choice import find_translation


def write(root: Path, *folders: str, count: int = 4, maps: bool = False) -> Path:
    for k, folder in enumerate(folders):
        (root / folder).mkdir(parents=True)
        for i in range(count):
            pixels = np.full((12, 16, 3), 40 * i + 20 * k, np.uint8)
            pixels[:, :4] = 255
            if maps and k == 0:
                pixels = np.repeat(np.array([0, 1, 1, 255], np.uint8), 4)[None].repeat(12, 0)
            Image.fromarray(pixels).save(root / folder / f"{i}.png")
    return root


def test_pairs_are_reported_with_sizes_and_a_preview(tmp_path: Path) -> None:
    report = inspect_pairs(str(write(tmp_path / "p", "A", "B")))
    assert report is not None
    assert (report.pairs, report.recipe) == (4, "pix2pix-images")
    assert "A/ and B/, 4 pairs, A > B" in report.text()
    assert "B: 4 pictures; sizes: min 16 x 12" in report.text()
    report.preview(tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.width > 4 * 2 * 64
    with pytest.raises(UsageError, match=r"ending in \.png"):
        report.preview(tmp_path / "sheet.gif")


def test_classes_of_maps_have_their_shares(tmp_path: Path) -> None:
    report = inspect_pairs(str(write(tmp_path / "p", "masks", "photos", maps=True)), "stretch")
    assert report is not None
    assert (report.maps, report.recipe) == (True, "spade-images")
    assert report.classes == pytest.approx({"0": 0.25, "1": 0.5})
    assert report.unknown == pytest.approx(0.25)
    assert "not known: 25.0%" in report.text()


def test_domains_and_classes_are_told_apart(tmp_path: Path) -> None:
    report = inspect_pairs(str(write(tmp_path / "h", "trainA", "trainB")))
    assert report is not None
    assert (report.pairs, report.recipe) == (0, "cyclegan-images")
    assert inspect_pairs(str(write(tmp_path / "c", "cats", "dogs"))) is None
    both = inspect_pairs(f"{tmp_path / 'c/cats'}::{tmp_path / 'c/dogs'}")
    assert both is not None
    assert both.pairs == 4
    assert inspect_pairs("mnist") is None


def test_the_command_reports_pairs_and_what_was_left_out(tmp_path: Path) -> None:
    write(tmp_path / "p", "A", "B")
    (tmp_path / "p" / "A" / "3.png").unlink()
    told = ganvas("data", "p", "--json", cwd=tmp_path)
    assert told.returncode == 0, told.stderr
    plain = json.loads(told.stdout)
    assert (plain["pairs"], plain["sides"][0]["name"]) == (3, "A")
    assert plain["skipped"] == [{"name": "B/3.png", "reason": "no picture of this name in A"}]
    assert (tmp_path / "preview.png").exists()
    swapped = ganvas("data", "p", "--swap", "--out", "b.png", cwd=tmp_path)
    assert "3 pairs, B > A" in swapped.stdout
    classes = ganvas("data", str(write(tmp_path / "c", "cats", "dogs")), "--out", "c.png", cwd=tmp_path)
    assert "classes: 2" in classes.stdout


def test_built_in_sets_and_filters_are_reported(tmp_path: Path) -> None:
    report = inspect_pairs("earth", split="test")
    assert report is not None
    assert "318 pairs, relief > satellite" in report.text()
    assert report.text().endswith("suggested: pix2pix-earth")
    emoji = inspect_pairs("emoji-shading")
    assert emoji is not None
    assert "1,098 pairs, flat > shaded" in emoji.text()
    assert "shaded of the test split: 298 pictures" in emoji.text()
    (tmp_path / "p").mkdir()
    for i in range(3):
        Image.fromarray(np.full((80, 100, 3), 60 * i + 30, np.uint8)).save(tmp_path / "p" / f"{i}.png")
    for source, pair in ((str(tmp_path / "p"), "sketch"), (f"filter:sketch:{tmp_path / 'p'}", "")):
        sketch = inspect_pairs(source, pair=pair)
        assert sketch is not None
        assert sketch.pairs == 3
        assert [side.name for side in sketch.sides] == ["photo", "sketch"]
        assert "squares of 3 photographs, 3 pairs, photo > sketch" in sketch.text()
    small = inspect_pairs(str(tmp_path / "p"), pair="bicubic-4")
    assert small is not None
    assert "min 16 x 16" in small.text()
    assert small.text().endswith("suggested: sr-photos-x4")
    small.preview(tmp_path / "small.png")


def test_the_recipes_made_for_sets_and_filters_are_those_of_the_training() -> None:
    for name, recipe in pair_report.RECIPES.items():
        made = [each for each, values in RECIPES.items() if name in (values.data.source, values.data.pair)]
        assert recipe == made[0], name


def test_two_folders_of_other_names_are_pairs_if_their_pictures_have_the_same_words(tmp_path: Path) -> None:
    for folder in ("winter", "summer"):
        (tmp_path / folder).mkdir()
        for name in ("lake", "hill2", "road"):
            Image.new("RGB", (32, 32)).save(tmp_path / folder / f"{name}.png")
    report = inspect_pairs(str(tmp_path))
    assert report is not None
    assert (report.pairs, [side.name for side in report.sides]) == (3, ["summer", "winter"])


def test_a_mistyped_filter_is_refused_wherever_it_is_named(tmp_path: Path) -> None:
    write(tmp_path / "p", "A", "B")
    for source, pair in (("p", "foo"), ("p/A", "foo"), ("earth", "foo"), ("mnist", "foo"), ("p", "2")):
        path = str(tmp_path / source) if source.startswith("p") else source
        with pytest.raises(UsageError, match=rf"^unknown filter '{pair}'.* \(known: bicubic-2, .*sketch"):
            inspect_pairs(path, pair=pair)
    with pytest.raises(UsageError, match=r"^unknown filter 'foo'"):
        inspect_pairs(f"filter:foo:{tmp_path / 'p/A'}")
    with pytest.raises(UsageError, match=r"^unknown filter 'foo'"):
        find_translation(DataConfig(source=str(tmp_path / "p"), pair="foo"))


def test_own_pairs_that_win_over_a_filter_are_reported_as_without_it(tmp_path: Path) -> None:
    plain = inspect_pairs(str(write(tmp_path / "p", "A", "B")))
    report = inspect_pairs(str(tmp_path / "p"), pair="sketch")
    assert report is not None
    assert plain is not None
    assert (report.layout, report.sides, report.recipe) == (plain.layout, plain.sides, plain.recipe)
    assert report.sides[0].kinds == {"RGB": 4}
    assert report.warnings == ("data.pair=sketch is not used: the pairs of A and B are", *plain.warnings)


def test_the_sides_of_the_test_split_are_reported_too(tmp_path: Path) -> None:
    write(tmp_path / "h", "trainA", "trainB")
    write(tmp_path / "h", "testA", "testB", count=2)
    report = inspect_pairs(str(tmp_path / "h"))
    assert report is not None
    assert [(side.name, side.count) for side in (*report.sides, *report.test)] == [("A", 4), ("B", 4), ("A", 2), ("B", 2)]
    assert "B: 4 pictures; sizes: min 16 x 12" in report.text()
    assert "B of the test split: 2 pictures; sizes: min 16 x 12" in report.text()
    assert report.to_dict()["test"][1]["count"] == 2
    held = inspect_pairs(str(tmp_path / "h"), split="test")
    assert held is not None
    assert (held.sides, held.test) == (report.test, ())
    write(tmp_path / "m", "train/photos", "train/masks")
    write(tmp_path / "m", "test/masks", "test/photos", count=3)
    maps = inspect_pairs(str(tmp_path / "m"), swap=True)
    assert maps is not None
    assert [(side.name, side.count) for side in maps.test] == [("masks", 3), ("photos", 3)]


def test_pictures_that_may_be_two_are_told(tmp_path: Path) -> None:
    """By `ganvas data` and before a training, where nobody named a game that needs pairs."""
    for name, width in (("wide", 32), ("square", 16)):
        (tmp_path / name).mkdir()
        for i in range(5):
            pixels = np.random.default_rng(i).integers(0, 256, (16, width, 3), np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{i}.png")
    hint = "all pictures are twice as wide as high; with data.pair=side-by-side each is read as an input and an output"
    assert any(text.startswith(hint) for text in inspect(str(tmp_path / "wide")).warnings)
    assert any(text.startswith(hint) for text in open_source(DataConfig(source=str(tmp_path / "wide"))).warnings)
    assert not any("twice as wide" in text for text in inspect(str(tmp_path / "square")).warnings)


def test_files_that_are_no_pictures_do_not_count(tmp_path: Path) -> None:
    write(tmp_path / "p", "A", "B")
    (tmp_path / "p" / "B" / "1.png").write_text("no picture")
    report = inspect_pairs(str(tmp_path / "p"))
    assert report is not None
    assert report.pairs == 3
    assert [(side.count, sum(side.kinds.values())) for side in report.sides] == [(4, 4), (3, 3)]
