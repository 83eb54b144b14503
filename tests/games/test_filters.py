"""Learned filters: the network starts as its input, looks as far as it says, and learns what a teacher does."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from translation_tables import measure_reach, pairs, play, randomize, smooth_images

from ganvas.config import Recipe
from ganvas.games.filters import RECIPES, Config, Filter
from ganvas.utils.settings import from_dict, to_dict

TINY = Config(resolution=16, width=6, dilations=(1, 2))
SOURCE = smooth_images()
DATA = pairs(real=255 - SOURCE, source=SOURCE)
BATCH = DATA.samples(torch.arange(8))


def game(**changes: object) -> Filter:
    torch.manual_seed(0)
    return Filter(dataclasses.replace(TINY, **changes))  # type: ignore[arg-type]


def test_it_starts_as_its_input_and_learns_from_its_teacher() -> None:
    made = game()
    assert torch.equal(made.translate(BATCH, "source>real"), BATCH["source"])
    _, terms = play(made, DATA, 80)
    assert terms[-1]["L1"] < 0.7 * terms[0]["L1"]


@pytest.mark.parametrize("dilations", [(1, 2, 4, 2), (3,)])
def test_the_reach_is_what_it_says(dilations: tuple[int, ...]) -> None:
    made = game(dilations=dilations)
    randomize(made)
    assert made.reach - 2 <= measure_reach(made.G, 128) <= made.reach


def test_the_reach_of_the_recipes() -> None:
    """Tiles overlap by this much: it is what the docs promise."""
    assert {Filter(recipe.config).reach for recipe in RECIPES} == {32}


def test_grey_from_color_and_color_from_grey() -> None:
    grey = pairs(real=smooth_images(), source=smooth_images(channels=1))
    made = Filter(TINY.adapt(grey.facts))
    assert made.translate({"source": torch.zeros(1, 1, 10, 6)}, "source>real").shape == (1, 3, 10, 6)
    assert not made.keeps_grey
    assert {recipe.name for recipe in RECIPES if Filter(recipe.config).keeps_grey} == {
        "filter-sketch",
        "filter-denoise",
        "filter-deblur",
    }


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_recipes_survive_their_json(recipe: Recipe) -> None:
    assert from_dict(Recipe, to_dict(recipe), config=Config) == recipe
