"""The experiments of bench/translation.py: their recipes exist, and each variant changes something."""

from __future__ import annotations

import pytest
from translation import EXPERIMENTS, Experiment, choose_variants

from ganvas.games import cyclegan, filters, pix2pix, spade, srgan
from ganvas.utils.settings import assign

RECIPES = {recipe.name: recipe for module in (pix2pix, cyclegan, spade, srgan, filters) for recipe in module.RECIPES}


def test_every_recipe_with_data_of_its_own_has_an_experiment() -> None:
    assert set(EXPERIMENTS) <= set(RECIPES)
    assert {name for name, recipe in RECIPES.items() if recipe.data.source} <= set(EXPERIMENTS)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_each_variant_changes_the_recipe(name: str) -> None:
    recipe, experiment = RECIPES[EXPERIMENTS[name].recipe], EXPERIMENTS[name]
    assert experiment.minutes <= recipe.minutes
    for settings in experiment.variants.values():
        changed = recipe
        for path, text in settings.items():
            changed = assign(changed, path, text)
            assert changed != recipe, path


def test_variants_are_chosen_by_name() -> None:
    experiment = Experiment("r", 1, {"no cycle": {"config.cycle": "0"}})
    assert choose_variants(experiment, None) == {"as it is": {}, "no cycle": {"config.cycle": "0"}}
    assert list(choose_variants(experiment, ["no cycle"])) == ["no cycle"]
    with pytest.raises(SystemExit, match="--only: expected some of as it is, no cycle; got pool"):
        choose_variants(experiment, ["pool"])
