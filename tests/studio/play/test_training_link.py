"""The bridge from a play session to the form of /train: a training of digits by the same rules."""

from __future__ import annotations

import dataclasses
from urllib.parse import parse_qsl

import pytest

from ganvas.config import Recipe
from ganvas.games.registry import find_recipe
from ganvas.studio.play.play_presets import choose_settings
from ganvas.studio.play.play_settings import OBJECTIVES, PlaySettings
from ganvas.studio.play.training_link import RECIPE, make_training_link
from ganvas.utils.settings import assign


def train_like(setup: PlaySettings) -> Recipe:
    """The recipe with what the form of /train would get from the link."""
    facts = dict(parse_qsl(make_training_link(setup).address.removeprefix("new&")))
    assert facts["recipe"] == RECIPE
    assert facts["seed"] == str(setup.seed)
    recipe = find_recipe(RECIPE)
    for name, value in facts.items():
        if name.startswith("set."):
            recipe = assign(recipe, name.removeprefix("set."), value)
    return recipe


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_the_training_has_the_rules_of_the_session(objective: str) -> None:
    changes = {"d_rate": 4e-4, "g_rate": 1e-4, "balance": "off", "momentum": 0.3, "end": 0.5, "d_noise": 0.1, "seed": 7}
    setup = dataclasses.replace(choose_settings("ring").with_change("objective", objective), noise="uniform", **changes)
    recipe, training = train_like(setup), setup.make_training()
    assert recipe.config.rules == dataclasses.replace(setup.make_rules(), n_critic=setup.d_moves)
    assert recipe.config.noise == "uniform"
    for name in ("learning_rate", "rates", "balance", "schedule", "adam"):
        assert getattr(recipe.train, name) == getattr(training, name), name
    assert recipe.train.rates == {"D": 1.0, "G": 0.25}
    assert recipe.config.width == find_recipe(RECIPE).config.width  # the networks stay those of digits


def test_the_link_has_only_what_differs() -> None:
    recipe = find_recipe(RECIPE)
    same = {"d_rate": recipe.train.learning_rate, "g_rate": recipe.train.learning_rate, "balance": recipe.train.balance}
    address = make_training_link(PlaySettings(**same, momentum=recipe.train.adam.beta1)).address
    names = [name for name, _ in parse_qsl(address) if name.startswith("set.")]
    assert names == ["set.train.rates", "set.train.schedule.shape", "set.train.adam.beta2"]


def test_what_a_training_does_not_have_is_listed() -> None:
    assert make_training_link(PlaySettings()).lacks == ()
    link = make_training_link(PlaySettings(optimiser="sgd", g_moves=2, d_moves=0))
    assert len(link.lacks) == 3
    assert "n_critic" not in link.address  # which is 1 at least
