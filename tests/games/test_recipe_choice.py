"""Data without a recipe: which recipe is played, and what is told."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from PIL import Image

from ganvas.config import DataConfig
from ganvas.core.capabilities import Samples
from ganvas.data.table import TableDataset
from ganvas.engine import balance
from ganvas.errors import DataError, UsageError
from ganvas.games import RECIPES
from ganvas.games.recipe_choice import (
    FEW,
    FEW_UNWATCHED,
    GROUPED,
    Choice,
    choose_for_source,
    choose_recipe,
    choose_side,
    name_for_source,
)
from ganvas.games.recipes import adapt_recipe, resolve_recipe
from ganvas.games.registry import build
from ganvas.games.translation_choice import find_translation


def pictures(n: int, channels: int, side: int, classes: int = 0) -> TableDataset:
    fields = {"real": torch.zeros(n, channels, side, side, dtype=torch.uint8)}
    if classes:
        fields["label"] = torch.arange(n) % classes
    return TableDataset("mine", fields, tuple(f"class {i}" for i in range(classes)))


def tell(choice: Choice, **settings: str) -> str:
    """The line for a user with these settings; `config_groups` is config.groups."""
    named = {name.replace("_", ".", 1): value for name, value in settings.items()}
    return choice.text(resolve_recipe(choice.recipe, {**choice.settings, **named}, data="mine"))


CASES = {
    "digits": (pictures(40, 1, 28, 3), "cgan-mnist"),
    "few digits without classes": (pictures(GROUPED - 1, 1, 28), "dcgan-mnist-paired"),
    "digits without classes": (pictures(GROUPED, 1, 28), "cgan-mnist-groups"),
    "icons without classes": (pictures(GROUPED, 1, 32), "cgan-mnist-groups"),
    "photos": (pictures(40, 3, 128), "fastgan-images"),
    "photos of classes": (pictures(40, 3, 64, 2), "fastgan-images-conditional"),
    "one class is none": (pictures(40, 3, 64, 1), "fastgan-images"),
    "large grey pictures": (pictures(40, 1, 64), "fastgan-images"),
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
    assert f"{len(data):,}" in tell(choice)
    adapt_recipe(resolve_recipe(choice.recipe, choice.settings, data="mine"), data)  # raises if it does not


@pytest.mark.parametrize("side", [8, 9, 16, 25, 28, 30, 31, 32])
@pytest.mark.parametrize("count", [40, GROUPED])
@pytest.mark.parametrize("classes", [0, 3])
def test_small_grey_pictures_are_trained_at_their_own_side(side: int, count: int, classes: int) -> None:
    """At the largest one that the networks can have, and never at a larger one."""
    data = pictures(count, 1, side, classes)
    choice = choose_recipe(data)
    trained = {9: 8, 25: 24, 30: 28, 31: 28}.get(side, side)
    assert choice.settings["config.resolution"] == str(trained)
    assert f"at {trained} pixels" in tell(choice)
    recipe = resolve_recipe(choice.recipe, choice.settings, data="mine")
    game = build(adapt_recipe(recipe, pictures(count, 1, trained, classes))).eval()
    assert isinstance(game, Samples)
    made = game.sample(torch.zeros(2, game.latent_dim), torch.tensor([0, 1]) if classes else None)
    assert made.shape == (2, 1, trained, trained)


def test_of_very_few_pictures_none_are_held_out() -> None:
    assert "data.held_out" not in choose_recipe(pictures(199, 3, 64)).settings
    assert choose_recipe(pictures(200, 3, 64)).settings["data.held_out"] == "0.1"


def test_fewer_pictures_are_in_fewer_groups() -> None:
    """Some fifty in each, so that the discriminator does not know them by heart."""
    counts = (GROUPED, 1_000, 2_049, 5_000, 60_000)
    choices = [choose_recipe(pictures(count, 1, 8)) for count in counts]
    assert [choice.settings["config.groups"] for choice in choices] == [str(GROUPED // 50), "20", "40", "100", "100"]
    assert "2,049 grey pictures without classes in 40 groups at 8 pixels" in tell(choices[2])
    assert "config.groups" not in choose_recipe(pictures(GROUPED, 1, 8, 2)).settings
    assert "groups" not in tell(choose_recipe(pictures(GROUPED - 1, 1, 8)))


@pytest.mark.parametrize("count", [200, GROUPED, 317, 399, 400, 2_000])
@pytest.mark.parametrize(("channels", "classes"), [(1, 0), (1, 2), (3, 0)])
def test_enough_pictures_are_held_out_to_see_what_the_discriminator_knows_by_heart(
    channels: int, classes: int, count: int
) -> None:
    choice = choose_recipe(data := pictures(count, channels, 8, classes))
    recipe = resolve_recipe(choice.recipe, choice.settings, data="mine")
    _, held_out = data.hold_out(recipe.data.held_out)
    assert held_out is not None
    assert len(held_out) == max(20, count // 20)


def test_time_decides_the_side_but_pictures_are_never_enlarged() -> None:
    assert [choose_side(512, minutes) for minutes in (1, 5, 15, 45, 60, 10_000)] == [64, 64, 128, 128, 128, 128]
    assert choose_side(64, 1_000) == 64
    assert choose_side(100, 1_000) == 64
    assert choose_side(20, 1_000) == 32
    for minutes in (0, -1, float("nan")):
        with pytest.raises(UsageError, match="above 0"):
            choose_side(64, minutes)


def test_a_quarter_of_an_hour_unless_the_user_says_a_length() -> None:
    data = pictures(40, 3, 128)
    assert choose_recipe(data).minutes == 15
    assert choose_recipe(data, minutes=60).settings == {"config.resolution": "128"}
    counted = choose_recipe(data, images=1_000)
    assert counted.minutes is None
    assert "1,000 images" in tell(counted, train_images="1000")


def test_few_pictures_are_told_to_be_augmented() -> None:
    assert FEW_UNWATCHED == balance.FEW
    for channels in (1, 3):
        assert "augmented while the discriminator is sure" in tell(choose_recipe(pictures(5, channels, 64)))
        assert "augmented while the discriminator is sure" in tell(choose_recipe(pictures(199, channels, 32)))
        assert "augmented as soon as the discriminator knows them by heart" in tell(choose_recipe(pictures(200, channels, 32)))
        assert "augmented" not in tell(choose_recipe(pictures(FEW, channels, 32)))
    held_out = choose_recipe(pictures(1_000, 3, 32))
    assert "is sure of them" in tell(held_out, data_held_out="0")
    assert "augmented" not in tell(choose_recipe(pictures(2_000, 3, 32)), data_held_out="0")
    for off in ("off", "fixed", "rest"):
        assert "augmented" not in tell(held_out, train_balance=off)


def test_the_line_describes_what_is_trained() -> None:
    photos, icons = choose_recipe(pictures(40, 3, 128), minutes=60), choose_recipe(pictures(GROUPED, 1, 28))
    assert "at 128 pixels for 60 minutes" in tell(photos)
    assert "at 64 pixels for 60 minutes" in tell(photos, config_resolution="64")
    assert "in 6 groups at 28 pixels" in tell(icons)
    assert "in 3 groups at 28 pixels" in tell(icons, config_groups="3")
    assert "in 1 group at" in tell(icons, config_groups="1")
    assert tell(choose_recipe(pictures(1, 3, 64))).startswith("fastgan-images: 1 color picture without")


def test_pictures_that_are_enlarged_are_told() -> None:
    assert "at 32 pixels, enlarged from 16, for" in tell(choose_recipe(pictures(40, 3, 16)))
    for data in (pictures(40, 3, 32), pictures(40, 3, 48), pictures(40, 1, 16)):
        assert "enlarged" not in tell(choose_recipe(data))
    assert "enlarged from 16" in tell(choose_recipe(pictures(40, 1, 16)), config_resolution="32")


@pytest.mark.parametrize(
    ("source", "name"),
    {
        "fashion": "cgan-fashion",
        "mnist": "cgan-mnist",
        "grid": "gan-grid",
        "moons": "gan-moons",
        "mixture1d": "gan-mixture1d",
        "words": "textgan-words",
        "oracle": "textgan-oracle",
        "stacked": "dcgan-stacked",
        "shapes": "voxel-shapes",
        "edges:mnist": "cogan-edges",
        "negatives:mnist": "cogan-negatives",
        "holiday": "",
        "": "",
    }.items(),
)
def test_data_that_a_recipe_is_made_for_has_that_recipe(source: str, name: str) -> None:
    assert name_for_source(source) == name


@pytest.mark.parametrize(
    ("source", "name"), [("moons", "gan-moons"), ("words", "textgan-words"), ("edges:mnist", "cogan-edges")]
)
def test_built_in_data_goes_to_its_recipe(source: str, name: str) -> None:
    choice = choose_for_source(DataConfig(source=source), device="cpu")
    assert (choice.recipe, choice.settings) == (name, {})
    assert "made for this data" in choice.text(RECIPES[name])


@pytest.mark.parametrize(("channels", "side", "trained"), [(1, 30, 28), (3, 30, 28), (3, 64, 64), (1, 128, 64)])
def test_computed_domains_are_no_classes(channels: int, side: int, trained: int) -> None:
    data = pictures(400, channels, side, 2)
    choice = choose_recipe(data, minutes=90, source="edges:holiday")
    assert (choice.recipe, choice.settings["config.resolution"]) == ("cogan-images", str(trained))
    build(adapt_recipe(resolve_recipe(choice.recipe, choice.settings, data="mine"), pictures(40, channels, trained, 2)))


def test_what_cannot_be_chosen_is_one_line() -> None:
    with pytest.raises(UsageError, match="expected a recipe"):
        choose_for_source(DataConfig(source=""))
    with pytest.raises(DataError, match="points of 5 numbers"):
        choose_recipe(TableDataset("mine", {"real": torch.randn(50, 5)}))
    with pytest.raises(DataError, match="20 solids without classes; expected labels"):
        choose_recipe(TableDataset("mine", {"real": torch.zeros(20, 1, 16, 16, 16, dtype=torch.uint8)}))
    with pytest.raises(DataError, match="nowhere"):
        choose_for_source(DataConfig(source="nowhere"))


def test_text_of_the_user(tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("Ada\nBo\nCleo\n" * 40)
    choice = choose_for_source(DataConfig(source=str(tmp_path / "names.txt")))
    assert choice.recipe == "textgan-names"
    assert choice.recipe in RECIPES


FOLDERS = {
    "pairs": ("p/A", "p/B"),
    "maps": ("m/photos", "m/masks"),
    "domains": ("h/trainA", "h/trainB"),
    "wide": ("w",),
    "photos": ("s",),
}


def write(root: Path, folders: tuple[str, ...], count: int = 250, size: tuple[int, int] = (70, 70)) -> Path:
    """Black color pictures with equal names in each folder. Returns the first part of their path."""
    for folder in folders:
        (root / folder).mkdir(parents=True)
        Image.new("RGB", size).save(root / folder / "0.png")
        for i in range(1, count):
            shutil.copyfile(root / folder / "0.png", root / folder / f"{i}.png")
    return root / folders[0].partition("/")[0]


@pytest.mark.parametrize(
    ("kind", "pair", "line"),
    [
        ("pairs", "", "pix2pix-images: 250 pairs of pictures (A > B) at 64 pixels for 15 minutes on the CPU"),
        ("pairs", "sketch", "pix2pix-images: 250 pairs of pictures (A > B) at 64 pixels for 15 minutes on the CPU"),
        ("maps", "", "spade-images: 250 label maps with pictures (masks > photos) at 64 pixels for 15 minutes on the CPU"),
        ("domains", "", "cyclegan-images: 250 and 250 pictures of two domains without pairs (A, B) at 64 pixels"),
        ("wide", "side-by-side", "pix2pix-images: 250 pairs of pictures (left > right) at 64 pixels for 15 minutes on the CPU"),
        ("photos", "sketch", "filter-sketch: 250 photographs (data.pair=sketch) at 64 pixels for 15 minutes on the CPU"),
        ("photos", "bicubic-4", "sr-photos-x4: 250 photographs (data.pair=bicubic-4) at 64 pixels for 15 minutes on the CPU"),
        (
            "photos",
            "",
            "fastgan-images: 250 color pictures without classes at 64 pixels for 15 minutes on the CPU, "
            "made at 32 pixels and drawn again",
        ),
    ],
)
def test_own_data_that_a_game_can_translate_has_a_recipe(kind: str, pair: str, line: str, tmp_path: Path) -> None:
    source = str(write(tmp_path, FOLDERS[kind], size=(140, 70) if kind == "wide" else (70, 70)))
    choice = choose_for_source(DataConfig(source=source, pair=pair), device="cpu")
    assert tell(choice, **({"data_pair": pair} if pair else {})).startswith(line)
    assert "augmented" not in tell(choice) or choice.recipe == "fastgan-images"
    assert (choice.minutes, choice.settings["data.held_out"]) == (15, "0.08")


def test_the_time_decides_the_length_and_the_side_of_a_translation(tmp_path: Path) -> None:
    source = str(write(tmp_path, FOLDERS["pairs"], 3, (300, 200)))
    longer = choose_for_source(DataConfig(source=source), 60, device="cpu")
    assert (longer.minutes, longer.settings) == (60, {"config.resolution": "128"})
    counted = choose_for_source(DataConfig(source=source), images=500, device="cpu")
    assert (counted.minutes, counted.settings) == (None, {"config.resolution": "64"})
    write(tmp_path, ("c/cats", "c/dogs"), 3)
    assert find_translation(DataConfig(source=str(tmp_path / "c"))) is None  # they are two classes
    turned = find_translation(DataConfig(source=source, swap=True))
    assert turned is not None
    assert "(B > A)" in turned.text


def test_a_filter_of_a_source_has_its_recipe(tmp_path: Path) -> None:
    photos = write(tmp_path, ("photos",), 3)
    assert choose_for_source(DataConfig(source=f"filter:oil:{photos}"), device="cpu").recipe == "filter-oil"
    with pytest.raises(DataError, match="no such"):
        choose_for_source(DataConfig(source=f"filter:oil:{tmp_path / 'nowhere'}"))


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("emoji-shading", "pix2pix-emoji: 1,098 pairs of pictures (flat > shaded) at 64 pixels for 20,000 images on the CPU"),
        ("emoji-styles", "cyclegan-styles: 1,098 and 1,098 pictures of two domains without pairs (fluent, noto) at 64"),
        ("earth", "pix2pix-earth: 1,569 pairs of pictures (relief > satellite) at 64 pixels for 60,000 images on the CPU"),
    ],
)
def test_built_in_pairs_go_to_their_recipe(source: str, line: str) -> None:
    choice = choose_for_source(DataConfig(source=source), device="cpu")
    text = choice.text(RECIPES[choice.recipe])
    assert text.startswith(line)
    assert text.endswith(", the recipe made for this data; name another recipe to choose yourself")
    assert choice.settings == {}
    assert choice.minutes is None


def test_names_that_differ_by_a_word_make_pairs_in_one_folder_only(tmp_path: Path) -> None:
    for folder, name in (("p/A", "{}_in"), ("p/B", "{}_out"), ("c/cats", "cat.{}"), ("c/dogs", "dog.{}")):
        (tmp_path / folder).mkdir(parents=True)
        for i in range(4):
            Image.new("RGB", (64, 64)).save(tmp_path / folder / f"{name.format(i)}.png")
    pairs = find_translation(DataConfig(source=str(tmp_path / "p")))
    animals = find_translation(DataConfig(source=f"{tmp_path / 'c/cats'}::{tmp_path / 'c/dogs'}"))
    assert pairs is not None
    assert (pairs.recipe, pairs.count) == ("pix2pix-images", 4)
    assert animals is not None
    assert animals.recipe == "cyclegan-images"


def test_a_folder_of_clips_is_for_motion(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (64, 64), (shade, 0, 0)) for shade in (0, 90, 180)]
    folder = tmp_path / "clips"
    folder.mkdir()
    for name in ("a.gif", "b.png", "c.webp"):
        frames[0].save(folder / name, save_all=True, append_images=frames[1:], duration=40)
    found = choose_for_source(DataConfig(source=str(folder)))
    assert (found.recipe, found.found, found.minutes) == ("motion-clips", "3 clips", 15)
    assert "motion-clips: 3 clips at 64 pixels for 15 minutes on the CPU" in found.text(resolve_recipe(found.recipe, {}))
    for i in range(4):
        frames[i % 3].save(folder / f"still{i}.png")
    assert find_translation(DataConfig(source=str(folder))) is None  # more are stills
