"""The schema of the form is that of the settings: each control has its bounds, and the settings keep them."""

from __future__ import annotations

import dataclasses
import typing

import pytest

from ganvas.errors import UsageError
from ganvas.games import RECIPES
from ganvas.games.common.rules import OBJECTIVE_RULES
from ganvas.studio.play.play_lessons import CAPTIONS, list_captions
from ganvas.studio.play.play_settings import BUILT_IN, FIELDS, GROUPS, LIVE, OBJECTIVES, PlaySettings, describe_settings

CONTROLS = [control for group in describe_settings()["groups"] for control in group["controls"]]
BOUNDED = [control for control in CONTROLS if control["kind"] in ("number", "range")]
SETTINGS = PlaySettings()


def test_the_schema_names_every_setting_with_a_label_once() -> None:
    names = [control["name"] for control in CONTROLS]
    assert len(names) == len(set(names))
    assert set(names) == {name for name, field in FIELDS.items() if field.metadata["label"]}
    assert [group["title"] for group in describe_settings()["groups"]] == list(GROUPS)
    assert set(FIELDS) - set(names) == {"data", "span", "sharpen"}


@pytest.mark.parametrize("control", BOUNDED, ids=lambda control: str(control["name"]))
def test_a_bound_of_the_form_is_a_bound_of_the_settings(control: dict[str, typing.Any]) -> None:
    name, low, high = control["name"], control["low"], control["high"]
    for value in (low, high):
        assert getattr(SETTINGS.with_change(name, value), name) == value
    for value in (low - 1, high + 1):
        with pytest.raises(UsageError, match=name):
            SETTINGS.with_change(name, value)
    assert control["whole"] == (FIELDS[name].type == "int")


def test_choices_are_those_of_the_type_or_of_the_registry() -> None:
    hints = typing.get_type_hints(PlaySettings)
    for control in CONTROLS:
        if control["kind"] == "choice" and control["name"] != "objective":
            assert [value for value, _ in control["choices"]] == list(typing.get_args(hints[control["name"]]))
    assert set(OBJECTIVES) == set(OBJECTIVE_RULES)
    assert {f"gan-{name}" for name in BUILT_IN} <= set(RECIPES)


def test_what_changes_the_networks_begins_a_new_game() -> None:
    assert set(FIELDS) - LIVE == {
        *("data", "seed", "noise", "latent_dim", "width", "depth", "critic_width", "critic_depth"),
        *("coins", "frequencies", "span", "sharpen"),
    }


def test_every_caption_has_its_place_and_its_boxes() -> None:
    captions = list_captions()
    assert [caption["text"].split(" ·")[0] for caption in captions] == [f"{i} of 10" for i in range(1, 11)]
    assert all(caption["boxes"] for caption in captions)
    assert [(caption.player, i) for i, caption in enumerate(CAPTIONS) if caption.moves] == [("D", 4), ("G", 9)]
    assert dataclasses.is_dataclass(CAPTIONS[0])
