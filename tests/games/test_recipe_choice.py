"""Data without a recipe: which recipe is played, and what is told."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from ganvas.data.table import TableDataset
from ganvas.errors import DataError, UsageError
from ganvas.games import RECIPES
from ganvas.games.recipe_choice import FEW, choose_for_source, choose_recipe, choose_side
from ganvas.games.recipes import adapt_recipe, resolve_recipe


def pictures(n: int, channels: int, side: int, classes: int = 0) -> TableDataset:
    fields = {"real": torch.zeros(n, channels, side, side, dtype=torch.uint8)}
    if classes:
        fields["label"] = torch.arange(n) % classes
    return TableDataset("mine", fields, tuple(f"class {i}" for i in range(classes)))


CASES = {
    "digits": (pictures(40, 1, 28, 3), "cgan-mnist"),
    "digits without classes": (pictures(40, 1, 28), "dcgan-mnist-paired"),
    "photos": (pictures(40, 3, 128), "dcgan-images"),
    "photos of classes": (pictures(40, 3, 64, 2), "stylegan2-images-conditional"),
    "one class is none": (pictures(40, 3, 64, 1), "dcgan-images"),
    "large grey pictures": (pictures(40, 1, 64), "dcgan-images"),
    "points": (TableDataset("mine", {"real": torch.randn(50, 2)}), "gan-ring"),
    "numbers": (TableDataset("mine", {"real": torch.randn(50, 1)}), "gan-normal1d"),
    "solids": (
        TableDataset(
            "mine", {"real": torch.zeros(20, 1, 16, 16, 16, dtype=torch.uint8), "label": torch.arange(20) % 2}, ("a", "b")
        ),
        "voxel-shapes",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_each_kind_of_data_has_a_recipe_that_takes_it(name: str) -> None:
    data, expected = CASES[name]
    choice = choose_recipe(data, minutes=15)
    assert choice.recipe == expected
    assert f"{len(data):,}" in choice.text()
    adapt_recipe(resolve_recipe(choice.recipe, choice.settings, data="mine"), data)  # raises if it does not


def test_time_decides_the_side_but_pictures_are_never_enlarged() -> None:
    assert [choose_side(512, minutes, "cpu") for minutes in (1, 5, 15, 45, 60, 10_000)] == [32, 32, 64, 64, 128, 128]
    assert [choose_side(512, minutes, "cuda") for minutes in (1, 15)] == [64, 128]
    assert choose_side(64, 1_000, "cpu") == 64
    assert choose_side(100, 1_000, "cpu") == 64
    assert choose_side(20, 1_000, "cpu") == 32
    for minutes in (0, -1, float("nan")):
        with pytest.raises(UsageError, match="above 0"):
            choose_side(64, minutes, "cpu")


def test_a_quarter_of_an_hour_unless_the_user_says_a_length() -> None:
    data = pictures(40, 3, 128)
    assert choose_recipe(data).minutes == 15
    assert choose_recipe(data, minutes=60).settings == {"config.resolution": "128"}
    counted = choose_recipe(data, images=1_000)
    assert counted.minutes is None
    assert "1,000 images" in counted.text()


def test_few_pictures_are_told_to_be_augmented() -> None:
    assert "augmented" in choose_recipe(pictures(40, 3, 64)).text()
    assert "augmented" not in choose_recipe(pictures(FEW, 3, 32)).text()


def test_what_cannot_be_chosen_is_one_line() -> None:
    with pytest.raises(UsageError, match="expected a recipe"):
        choose_for_source(None)
    with pytest.raises(DataError, match="points of 5 numbers"):
        choose_recipe(TableDataset("mine", {"real": torch.randn(50, 5)}))
    with pytest.raises(DataError, match="nowhere"):
        choose_for_source("nowhere")


def test_text_of_the_user(tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("Ada\nBo\nCleo\n" * 40)
    choice = choose_for_source(str(tmp_path / "names.txt"))
    assert choice.recipe == "textgan-names"
    assert choice.recipe in RECIPES
