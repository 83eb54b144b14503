"""What is told of a run in place of what it does not have (yet)."""

from __future__ import annotations

from typing import Any

import pytest

from ganvas.studio.train import monitor

KIND: dict[str, Any] = {"unit": "images", "draws": True, "takes": ["noise"]}


@pytest.mark.parametrize(
    ("state", "items", "row", "every", "told"),
    [
        ("running", 0, {}, 8000, {"numbers": "after twenty", "picture": "comes soon", "measure": "comes after 8,000 images"}),
        ("failed", 0, {}, 0, {"numbers": "There are no", "picture": "There are no", "measure": "the box"}),
        ("paused", 900, {"skill": 0.7}, 90_000, {"measure": "comes after 20,000 images", "events": "None: both players"}),
        ("finished", 20_000, {"skill": 0.99}, 8000, {"measure": "this game has none", "events": "None."}),
        ("running", 15_000, {}, 8000, {"measure": "this game has none, or fewer than 50 samples"}),
        ("running", 900, {"skill": 0.99}, 0, {"picture": "There are no", "chart": "in this run", "events": "None so far."}),
        (
            "finished",
            900,
            {"skill": 0.7, "lead": 0.0452},
            0,
            {"events": "None large enough to log: the discriminator is slowed down by 0.045 now."},
        ),
        ("running", 900, {"skill": 0.7, "lead": 0.1, "augment": 0.03}, 0, {"events": "by 0.1 and augmentation is at 3% now"}),
        ("paused", 900, {"skill": 0.7, "lead": 0.0, "augment": 0.0}, 0, {"events": "None: both players learn without help"}),
    ],
)
def test_what_is_absent_is_told_as_the_run_stands(
    state: str, items: int, row: dict[str, float], every: int, told: dict[str, str]
) -> None:
    found = monitor.explain_missing({"state": state, "items": items, "total": 20_000, **KIND}, row, every)
    assert {name: text in found[name] for name, text in told.items()} == dict.fromkeys(told, True), found


def test_each_discriminator_is_told_of_by_its_name() -> None:
    row = {"verdict_real_a": 0.9, "verdict_real_b": 0.7, "skill_a": 0.99, "skill_b": 0.7, "lead_a": 0.5, "lead_b": 0}
    assert monitor.judge_skill(row) == "The discriminator a is far ahead. The discriminator b and its generator are level."
    assert monitor.describe_balance(row) == " large enough to log: the discriminator a is slowed down by 0.5 now."
    assert monitor.describe_balance({**row, "skill_a": 0.8, "lead_a": 0}) == ": both players learn without help."
    assert monitor.judge_skill({"skill": 0.9}) == "The discriminator is ahead."
    assert monitor.judge_skill({"skill": 0.5}) == "The discriminator guesses."
    assert monitor.judge_skill({"items": 90, "ELBO": -90.0}) == ""


def test_of_a_run_that_has_no_recipe_yet_nothing_is_said_too_early() -> None:
    assert (
        monitor.explain_missing({"state": "starting", "items": 0, "total": 0, **KIND}, {}, 0)["measure"]
        == "Nothing to draw yet."
    )


def test_words_know_what_a_game_plays_with() -> None:
    classifier = {"state": "running", "items": 0, "total": 20_000, "unit": "solids", "draws": False}
    assert monitor.explain_missing(classifier, {}, 8000)["measure"] == "The first measure comes after 8,000 solids."
    assert monitor.explain_missing(classifier, {}, 8000)["picture"] == "There are no pictures of this run."


def test_numbers_of_a_run_of_few_steps_come_after_the_last_one() -> None:
    run = {"state": "running", "items": 0, "total": 512, **KIND}
    for batch, when in ((32, "the last step"), (25, "twenty steps")):
        found = monitor.explain_missing(run, {}, 0, batch=batch)
        assert found["numbers"] == f"The first numbers come after {when}."
    assert "the last step" in monitor.explain_missing({**run, "total": 5_512}, {}, 0, since=5_000, batch=32)["numbers"]


@pytest.mark.parametrize(
    ("count", "share", "why"),
    [
        (45, 0.05, "it needs at least 50, and of 45 images none are held out; train on more"),
        (250, 0.08, "it needs at least 50, and of 250 images fewer than 50 are held out; data.held_out is their share"),
        (1_000, 0.05, ""),
        (0, 0.05, ""),  # not known: a built-in source
        (45, "all", ""),
    ],
)
def test_a_measure_that_cannot_come_is_not_promised(count: int, share: float | str, why: str) -> None:
    recipe: dict[str, Any] = {"data": {"held_out": share}}
    run = {"state": "running", "items": 0, "total": 512, **KIND}
    assert monitor.explain_unmeasured(run, recipe, count) == why
    told = monitor.explain_missing(run, {}, 512, never=why)["measure"]
    assert told == (f"No held-out measure: {why}." if why else "The first measure comes after 512 images.")
    assert "the box" in monitor.explain_missing(run, {}, 0, never=why)["measure"]  # it was not asked for


def test_games_and_data_of_which_the_number_of_images_says_nothing() -> None:
    recipe: dict[str, Any] = {"data": {"held_out": 0.05}}
    for other in ({"unit": "solids"}, {"draws": False}):
        assert monitor.explain_unmeasured({**KIND, **other}, recipe, 45) == "this game has none"
    for grouped in ({"tile": 128}, {"pair": "sketch"}):  # all squares of one photograph are held out together
        assert monitor.explain_unmeasured(KIND, {"data": {**recipe["data"], **grouped}}, 45) == ""
    assert monitor.explain_unmeasured({**KIND, "takes": ["source", "driving"]}, recipe, 45) == ""


def test_a_branch_is_measured_first_where_it_comes_to_the_next_multiple() -> None:
    found = monitor.explain_missing({"state": "running", "items": 21_000, "total": 60_000, **KIND}, {}, 8000, since=20_000)
    assert "comes after 24,000 images" in found["measure"]
