"""What the page learns of an upload with two sides: its report, its recipes, and that they train as by the command line."""

from __future__ import annotations

import io
import json
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ganvas.config import DataConfig
from ganvas.games import GAMES
from ganvas.games.recipe_choice import choose_for_source
from ganvas.games.registry import list_recipes
from ganvas.studio.train import choices
from ganvas.studio.train.ingest import ingest


def picture(seed: int, maps: bool = False) -> bytes:
    file, rng = io.BytesIO(), np.random.default_rng(seed)
    shape = (3, 3) if maps else (3, 3, 3)
    pixels = rng.integers(0, 2 if maps else 256, shape, dtype=np.uint8)
    pixels[0, 0] = seed % 2
    Image.fromarray(pixels).resize((48, 48), Image.Resampling.NEAREST).save(file, "PNG")
    return file.getvalue()


def send(tmp_path: Path, folders: tuple[str, ...], names: str = "klmn", **files: bytes) -> dict[str, Any]:
    """The report on a zip with a picture of each name in each folder. Folders that end in / hold maps."""
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as file:
        for k, folder in enumerate(folders):
            for i, name in enumerate(names):
                file.writestr(f"set/{folder.strip('/')}/{name}.png", picture(10 * k + i, folder.endswith("/")))
        for name, content in files.items():
            file.writestr(f"set/{name}.csv", content)
    facts = ingest(tmp_path / "in.zip", tmp_path, "mine.zip")
    assert json.loads((tmp_path / "report.json").read_text()) == json.loads(json.dumps(facts))
    assert (tmp_path / "preview.png").stat().st_size > 0
    return facts


@cache
def list_rows() -> list[dict[str, Any]]:
    return [{**row, **choices.match_recipe(row, "label" in GAMES[row["game"]].needs)} for row in list_recipes()]


def rank(report: dict[str, Any]) -> dict[str, Any]:
    offer = choices.rank_recipes(list_rows(), "", report)
    offer["names"] = {offer["best"], *offer["made"], *offer["others"]}
    return offer


def assert_as_by_the_command_line(tmp_path: Path, report: dict[str, Any]) -> None:
    """The recipe that is offered first, with its settings and its length."""
    choice = choose_for_source(DataConfig(source=str(tmp_path / "data.zip")), device="cpu")
    offer = rank(report)
    assert (offer["best"], offer["minutes"]) == (choice.recipe, choice.minutes)
    asked = {"keep_all": False, "measure": False, "images": None, "recipe": choice.recipe, "report": report}
    assert choices.complete_settings({}, **asked) == choice.settings


def test_pairs_are_offered_to_the_game_that_translates_them(tmp_path: Path) -> None:
    report = send(tmp_path, ("A", "B"))
    assert (report["count"], report["classes"], report["layout"]) == (8, {}, "A/ and B/")
    assert report["warnings"] == ["there are 4 samples; training needs hundreds"]  # as the command line counts them: pairs
    assert {key: report["sides"][key] for key in ("names", "counts", "pairs", "maps")} == {
        "names": ["A", "B"],
        "counts": [4, 4],
        "pairs": 4,
        "maps": False,
    }
    assert rank(report)["best"] == "pix2pix-images"
    assert {"cyclegan-images", "filter-sketch", "fastgan-images"} < rank(report)["names"]
    assert not {"spade-images", "fastgan-images-conditional"} & rank(report)["names"]
    assert_as_by_the_command_line(tmp_path, report)


def test_label_maps_are_reported_with_the_classes_of_their_legend(tmp_path: Path) -> None:
    report = send(tmp_path, ("photos", "labels/"), legend=b"class,name\n0,sea\n1,land\n")
    assert (report["sides"]["names"], report["sides"]["maps"]) == (["labels", "photos"], True)
    assert list(report["sides"]["classes"]) == ["sea", "land"]
    assert report["skipped"] == []
    assert rank(report)["best"] == "spade-images"
    assert_as_by_the_command_line(tmp_path, report)


def test_two_domains_are_offered_to_the_game_without_pairs(tmp_path: Path) -> None:
    report = send(tmp_path, ("trainA", "trainB", "testA", "testB"))
    assert (report["sides"]["pairs"], report["classes"]) == (0, {"A": 4, "B": 4})
    assert rank(report)["best"] == "cyclegan-images"
    assert "cogan-images" in rank(report)["names"]  # takes them as classes
    assert not {"pix2pix-images", "spade-images"} & rank(report)["names"]
    assert_as_by_the_command_line(tmp_path, report)


def test_two_classes_stay_classes_and_may_be_domains(tmp_path: Path) -> None:
    report = send(tmp_path, ("cats", "dogs"), "1234")
    assert (report["classes"], report["sides"]["translation"]) == ({"cats": 4, "dogs": 4}, None)
    assert rank(report)["best"] == "fastgan-images-conditional"
    assert "cyclegan-images" in rank(report)["names"]
    assert "pix2pix-images" not in rank(report)["names"]
    assert_as_by_the_command_line(tmp_path, report)


def test_an_upload_with_one_side_has_no_sides(tmp_path: Path) -> None:
    report = send(tmp_path, ("faces",))
    assert report["sides"] == {}
    assert "motion-clips" not in rank(report)["names"]
    assert not {"pix2pix-images", "cyclegan-images", "spade-images"} & rank(report)["names"]
    assert_as_by_the_command_line(tmp_path, report)


def test_clips_are_offered_to_the_recipe_that_lets_pictures_move(tmp_path: Path) -> None:
    frames = [Image.fromarray(np.full((20, 30, 3), 255, np.uint8)) for _ in range(4)]
    for k, frame in enumerate(frames):
        frame.paste((200, 0, 0), (4 + 2 * k, 8, 10 + 2 * k, 14))
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as file:
        for name in "abc":
            made = io.BytesIO()
            frames[0].save(made, "GIF", save_all=True, append_images=frames[1:])
            file.writestr(f"set/{name}.gif", made.getvalue())
        made = io.BytesIO()
        frames[0].save(made, "PNG")
        file.writestr("set/still.png", made.getvalue())
        file.writestr("set/notes.txt", "hello")
    report = ingest(tmp_path / "in.zip", tmp_path, "mine.zip")
    assert json.loads((tmp_path / "report.json").read_text()) == json.loads(json.dumps(report))
    with Image.open(tmp_path / "preview.png") as image:
        assert image.width > image.height, "a row of frames of each clip"
    assert (report["source"], report["clips"], report["frames"], report["lengths"]) == ("mine.zip", 3, 12, (4, 4))
    assert {each["name"] for each in report["skipped"]} == {"set/still.png", "set/notes.txt"}
    assert "3 clips cut to squares: set_a.gif to 13 x 13 pixels at 3, 4 of 30 x 20" in report["warnings"][0]
    assert report["warnings"][1:] == ["there are 12 samples; training needs hundreds"]
    assert rank(report)["names"] == {"motion-clips"}
    assert rank(report)["minutes"] == choices.choose_minutes("motion-clips", report, None, None, "cpu") == 15
    assert choices.describe_choice(report, None, None, "cpu").startswith("motion-clips: 3 clips at 64 pixels")
    settings = choices.complete_settings(
        {}, keep_all=False, measure=False, images=None, recipe="motion-clips", report={**report, "clips": 250}
    )
    assert settings == {"data.held_out": "0.08"}, "as for a folder of so many clips"


@pytest.mark.parametrize("folders", [("train/A", "train/B", "test/A"), ("set/A", "set/B")])
def test_what_makes_no_pairs_is_said_and_the_pictures_are_still_ready(tmp_path: Path, folders: tuple[str, ...]) -> None:
    if folders[0] == "set/A":  # shapes that differ
        with zipfile.ZipFile(tmp_path / "in.zip", "w") as file:
            for i, folder in enumerate(folders):
                for name in "kl":
                    made = io.BytesIO()
                    Image.fromarray(np.full((40, 40 + 40 * i), 9 + i, np.uint8)).save(made, "PNG")
                    file.writestr(f"{folder}/{name}.png", made.getvalue())
        report = ingest(tmp_path / "in.zip", tmp_path, "mine.zip")
        told = "its shape is not that of"
    else:
        report = send(tmp_path, folders)
        told = "expected the folders A and B, as in train/"
    assert report["count"] > 0
    assert report["sides"] == {}
    assert [told in text and str(tmp_path) not in text for text in report["warnings"] if "no pairs" in text] == [True]
