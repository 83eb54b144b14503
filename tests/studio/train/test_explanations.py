"""Every setting of a shipped recipe that a page shows has an explanation."""

from __future__ import annotations

from ganvas.games import RECIPES
from ganvas.studio.train.analyses import explain_measure
from ganvas.studio.train.explanations import explain_settings
from ganvas.utils.settings import flatten, to_dict

NAMED = {"data.source"}  # no page shows it


def test_every_setting_of_training_and_data_explains_itself() -> None:
    for name, recipe in RECIPES.items():
        values = to_dict(recipe)
        settings = flatten({key: values[key] for key in ("data", "train")})
        texts = explain_settings(recipe.game, settings)
        assert set(settings) - set(texts) - NAMED == set(), name


def test_a_comment_beside_a_field_is_its_explanation() -> None:
    texts = explain_settings("gan", ["config.slope", "train.average_halflife", "config.rules.n_critic", "config.nothing"])
    assert texts == {
        "config.slope": "negative slope of the leaky ReLU of G; 0: ReLU",
        "train.average_halflife": "half-life of the EMA of the weights, in images; 0: no EMA",
        "config.rules.n_critic": "moves of D per move of G",
    }
    assert "`" not in "".join(explain_settings("gan", ["train.keep_all"]).values())
    assert explain_settings("no such game", ["train.batch", "config.slope"]) == {"train.batch": "samples in one step"}


def test_a_measure_says_what_it_measures_and_what_is_better() -> None:
    assert explain_measure("fd2000-digits") == ["Fréchet distance of features", "lower is better"]
    assert explain_measure("recall500-points")[1] == "near that of real data is best"
    assert explain_measure("sharpness2000")[0] == "variance of the Laplacian"
    assert explain_measure("new") == ["", "near that of real data is best"]
