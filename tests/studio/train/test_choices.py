"""What the form of a training offers, and what follows from a choice."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch

from ganvas.data.table import TableDataset
from ganvas.errors import ResourceError, UsageError
from ganvas.games import GAMES
from ganvas.games.recipe_choice import choose_recipe, name_for_source
from ganvas.games.recipes import resolve_recipe
from ganvas.games.registry import list_recipes
from ganvas.studio.train import choices
from ganvas.studio.train.job_status import LIVE_STATES, STATES, list_actions


@cache
def list_rows() -> list[dict[str, Any]]:
    return [{**row, **choices.match_recipe(row, "label" in GAMES[row["game"]].needs)} for row in list_recipes()]


def complete(settings: dict[str, str], **facts: Any) -> dict[str, str]:
    asked = {"keep_all": False, "measure": False, "images": None, "recipe": "cgan-fashion", "report": {}, **facts}
    return choices.complete_settings(settings, **asked)


def test_the_boxes_of_the_form_become_settings_and_a_persons_own_win() -> None:
    assert complete({"train.batch": "8"}) == {"train.batch": "8"}
    assert complete({}, keep_all=True, measure=True) == {"train.keep_all": "true", "train.eval_every": "8000"}
    assert complete({}, measure=True, images=1280) == {"train.eval_every": "80"}
    assert complete({}, measure=True, images=3) == {"train.eval_every": "1"}
    assert complete({"train.eval_every": "5"}, measure=True) == {"train.eval_every": "5"}


def test_small_pictures_are_not_enlarged() -> None:
    small, large = ({"images": {"resolution": side}} for side in (32, 64))
    assert complete({}, recipe="dcgan-images", report=small) == {"config.resolution": "32"}
    assert complete({"config.resolution": "64"}, recipe="dcgan-images", report=small) == {"config.resolution": "64"}
    assert (
        complete({}, recipe="dcgan-images", report=large)
        == complete({}, report=small)
        == complete({}, report={"images": None})
        == {}
    )


@pytest.mark.parametrize("minutes", [None, 5, 60])
@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize("classes", [0, 2])
@pytest.mark.parametrize(("channels", "side", "count"), [(3, 48, 60), (3, 128, 300), (3, 16, 300), (1, 28, 250), (1, 30, 900)])
def test_an_upload_is_trained_as_by_the_command_line(
    channels: int, side: int, count: int, classes: int, device: str, minutes: float | None
) -> None:
    names = {f"class {i}": count // 2 for i in range(classes)}
    report = {"images": {"resolution": side, "channels": channels}, "count": count, "classes": names}
    fields = {"real": torch.zeros(count, channels, side, side, dtype=torch.uint8)}
    if classes:
        fields["label"] = torch.arange(count) % classes
    choice = choose_recipe(TableDataset("mine", fields, tuple(names)), minutes, device=device)
    rows = list_rows()
    offer = choices.rank_recipes(rows, "", report)
    assert (offer["best"], minutes or offer["minutes"]) == (choice.recipe, choice.minutes)
    assert complete({}, recipe=choice.recipe, report=report, minutes=minutes, device=device) == choice.settings
    assert choices.choose_minutes(choice.recipe, report, minutes, None, device) == choice.minutes
    assert choices.choose_minutes(choice.recipe, report, None, 500, device) is None
    assert choices.choose_minutes("dcgan-images", report, minutes, None, device) == minutes
    said = choices.describe_choice(report, minutes, None, device)
    assert f"{said}; name another" in choice.text(resolve_recipe(choice.recipe, choice.settings))
    assert complete({"config.resolution": "16"}, recipe=choice.recipe, report=report)["config.resolution"] == "16"


@pytest.mark.parametrize("source", choices.SOURCE_LABELS)
def test_the_best_recipe_for_a_source_is_that_of_the_command_line(source: str) -> None:
    rows = list_rows()
    assert choices.rank_recipes(rows, source, {})["best"] == name_for_source(source)


def test_small_grey_pictures_get_the_settings_of_the_chooser() -> None:
    report = {"images": {"resolution": 30, "channels": 1}, "count": 1_000}
    assert complete({}, recipe="cgan-mnist-groups", report=report) == {"config.resolution": "28", "config.groups": "20"}
    assert complete({"config.groups": "5"}, recipe="cgan-mnist-groups", report=report)["config.groups"] == "5"
    assert complete({}, recipe="cgan-mnist", report=report) == {"config.resolution": "28"}
    assert complete({}, recipe="cgan-mnist-groups") == {}  # on the data of the recipe


def test_the_devices_of_this_machine_are_offered_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    devices = choices.list_devices()
    assert devices[:2] == ["auto", "cpu"]
    assert choices.find_device_kind("cpu") == "cpu"
    assert choices.find_device_kind("auto") == ("cuda" if "cuda" in devices else "cpu")
    with pytest.raises(UsageError, match="unknown device"):
        choices.find_device_kind("abacus")
    if "cuda" not in devices:
        with pytest.raises(ResourceError, match="not available"):
            choices.find_device_kind("cuda")


def test_a_recipe_is_offered_the_data_that_suit_it() -> None:
    digits = choices.match_recipe({"data": "mnist"}, labels=False)
    assert (digits["sources"], digits["takes_pictures"], digits["brings_data"]) == (["mnist", "fashion", "stacked"], True, True)
    assert choices.match_recipe({"data": "mnist"}, labels=True)["sources"] == ["mnist", "fashion"]
    own = choices.match_recipe({"data": choices.OWN_DATA}, labels=False)
    assert (own["sources"], own["takes_pictures"], own["brings_data"]) == ([], True, False)
    ring = choices.match_recipe({"data": "ring"}, labels=False)
    assert (ring["sources"], ring["takes_pictures"], ring["brings_data"]) == ([], False, True)


def test_a_game_that_translates_is_offered_the_sets_of_pairs_and_no_digits() -> None:
    rows = {row["name"]: choices.match_recipe(row, labels=False) for row in list_recipes()}
    assert rows["pix2pix-emoji"]["sources"] == rows["cyclegan-earth"]["sources"] == ["emoji-shading", "emoji-styles", "earth"]
    assert rows["spade-earth"]["sources"] == ["earth"]
    for name in ("pix2pix-emoji", "pix2pix-images", "cyclegan-images", "spade-images"):
        assert not rows[name]["takes_pictures"]  # only uploads with two sides
    assert [rows[f"{name}-images"]["sides"] for name in ("pix2pix", "cyclegan", "spade")] == ["pairs", "domains", "maps"]
    for name in ("sr-photos", "filter-sketch", "inpaint-photos", "inpaint-images"):  # single pictures are enough
        assert (rows[name]["takes_pictures"], rows[name]["brings_data"], rows[name]["sources"]) == (True, False, [])
        assert not rows[name]["sides"]


def test_every_state_has_a_name_and_its_actions() -> None:
    assert set(LIVE_STATES) < set(STATES)
    assert {state: list_actions(state, [100]) for state in STATES} == {
        "waiting": ["stop", "remove"],
        "starting": ["stop"],
        "running": ["pause", "stop"],
        "measuring": [],
        "saving": [],
        "paused": ["resume", "remove"],
        "stopped": ["resume", "remove"],
        "interrupted": ["resume", "remove"],
        "failed": ["resume", "remove"],
        "finished": ["remove"],
        "damaged": ["remove"],
    }
    assert list_actions("failed", []) == ["remove"]


def test_the_best_recipe_for_the_data_comes_first_and_no_recipe_of_digits_takes_photographs() -> None:
    rows = list_rows()

    def rank(source: str = "", **report: Any) -> dict[str, Any]:
        return choices.rank_recipes(rows, source, report)

    photos, icons = {"channels": 3, "resolution": 64}, {"channels": 1, "resolution": 32}
    classes = {"cat": 5, "dog": 5}
    assert rank(images=photos, classes=classes)["best"] == "fastgan-images-conditional"
    assert rank(images=photos, classes={})["best"] == "fastgan-images"
    assert "stylegan2-images-conditional" not in rank(images=photos, classes={"cat": 5})["made"]
    assert rank(images=photos, classes=classes)["others"] == []
    small = rank(images=icons, classes=classes)
    assert (small["best"], "dcgan-mnist" in small["others"]) == ("cgan-mnist", True)  # as small and grey as digits
    assert "cgan-mnist" not in rank(images=icons, classes={})["others"]
    assert rank(images=icons, classes={}, count=40)["best"] == "dcgan-mnist-paired"
    assert rank(images=icons, classes={}, count=2_000)["best"] == "cgan-mnist-groups"
    assert "dcgan-mnist" not in rank(images={**photos, "channels": 1}, classes={})["others"]
    assert (rank("mnist")["best"], "dcgan-fashion" in rank("mnist")["others"]) == ("cgan-mnist", True)
    everything = rank()
    assert (everything["best"], everything["others"]) == ("cgan-mnist", [])
    assert {"gan-ring", "textgan-names", "classifier-mnist"} < set(everything["made"])
    names = [everything["best"], *everything["made"]]
    assert len(names) == len(set(names))
    assert not {"dcgan-images"} & set(names)  # brings no data


def test_a_setting_that_has_a_field_is_refused_and_the_field_is_named() -> None:
    with pytest.raises(UsageError, match="write banana into “Seed”"):
        choices.require_no_field({"train.seed": "banana"})
    with pytest.raises(UsageError, match="field of its own"):
        choices.require_no_field({"train.images": "5"})
    choices.require_no_field({"train.batch": "5"})


def test_every_recipe_has_its_picture_and_every_game_its_words() -> None:
    static = Path(choices.__file__).parents[1] / "static" / "train" / "data"
    for row in list_recipes():
        facts = choices.match_recipe(row, labels=False)
        assert (static / facts["picture"]).is_file(), row["name"]
        assert facts["kind"], row["game"]
        assert "--" not in row["about"], row["name"]  # a card has no command line


def test_the_reason_for_the_suggested_recipe_follows_the_form() -> None:
    report = {"images": {"resolution": 128, "channels": 3}, "count": 300, "classes": {}}
    assert choices.describe_choice(report, None, None, "cpu") == (
        "fastgan-images: 300 color pictures without classes at 128 pixels for 15 minutes on the CPU, "
        "made at 32 pixels and drawn again, "
        "augmented as soon as the discriminator knows them by heart"
    )
    assert "at 64 pixels for 5 minutes on cuda" in choices.describe_choice(report, 5, None, "cuda")
    assert "for 900 images on the CPU" in choices.describe_choice(report, None, 900, "cpu")
    assert choices.describe_choice({}, None, None, "cpu") == ""
