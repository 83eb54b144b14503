"""What is known of a run's kind: the same for whatever can be compared, and no more than that."""

from __future__ import annotations

import pytest

from ganvas.games import RECIPES
from ganvas.studio.run_kind import UNKNOWN_KIND, describe_kind, explain_absence
from ganvas.utils.settings import to_dict


def known(name: str, **data: object) -> dict[str, object]:
    """The kind of a shipped recipe, on other data."""
    recipe = to_dict(RECIPES[name])
    return describe_kind({**recipe, "data": {**recipe["data"], **data}})


@pytest.mark.parametrize(
    ("name", "unit", "draws"),
    [
        ("gan-ring", "points", True),
        ("gan-mnist", "images", True),
        ("vae-mnist-conditional", "images", True),
        ("textgan-names", "lines", True),
        ("textlm-oracle", "lines", True),
        ("voxel-shapes", "solids", True),
        ("classifier-mnist", "images", False),
        ("classifier-shapes", "solids", False),
    ],
)
def test_a_recipe_says_what_it_is_counted_in_and_whether_it_draws(name: str, unit: str, draws: bool) -> None:
    assert (known(name)["unit"], known(name)["draws"]) == (unit, draws)


def test_only_a_model_that_samples_is_explored() -> None:
    assert known("gan-mnist")["explores"]
    assert not known("classifier-mnist")["explores"]
    assert explain_absence(to_dict(RECIPES["gan-mnist"])) == ""
    assert explain_absence(to_dict(RECIPES["classifier-mnist"])) == "it generates nothing"
    for name in ("spade-earth", "cyclegan-emoji", "filter-sketch", "sr-photos", "inpaint-photos"):
        assert (
            explain_absence(to_dict(RECIPES[name])) == "it makes its output from inputs, not from noise; use the page Translate"
        )
    assert explain_absence(to_dict(RECIPES["motion-emoji"])).endswith("; use the page Animate")
    assert explain_absence({}) == explain_absence({"game": []}) == "its recipe names no known game"


def test_runs_are_alike_where_they_draw_the_same_from_the_same_data() -> None:
    assert known("gan-mnist")["alike"] == known("dcgan-mnist")["alike"] == known("vae-mnist")["alike"] != ""
    assert known("textgan-names")["alike"] == known("textlm-names")["alike"]
    others = ("gan-ring", "gan-moons", "dcgan-fashion", "progan-mnist", "textgan-words", "voxel-shapes")
    assert len({known(name)["alike"] for name in ("gan-mnist", *others)}) == 7
    assert known("classifier-mnist")["alike"] == describe_kind({})["alike"] == describe_kind({"game": "chess"})["alike"] == ""


@pytest.mark.parametrize(
    "wrong",
    [{"game": []}, {"config": 3}, {"config": {"resolution": 8, "dims": 10**12}}, {"data": "mnist"}],
)
def test_a_recipe_that_cannot_be_read_is_of_no_known_kind(wrong: dict[str, object]) -> None:
    assert describe_kind({**to_dict(RECIPES["dcgan-mnist"]), **wrong}) == UNKNOWN_KIND


def test_a_path_is_told_by_its_hash_only() -> None:
    found = known("dcgan-images", source="/home/me/pets.zip")
    assert found["alike"] not in ("", known("dcgan-images", source="/home/me/other.zip")["alike"])
    assert "pets" not in str(found)


@pytest.mark.parametrize(
    ("name", "takes", "gives", "inverts"),
    [
        ("gan-ring", ["noise"], ["points"], False),
        ("cgan-mnist", ["noise", "label"], ["images"], False),
        ("vae-mnist", ["noise"], ["images"], True),
        ("textgan-names", ["noise"], ["lines"], False),
        ("classifier-mnist", ["images"], ["labels"], False),
    ],
)
def test_a_recipe_says_what_its_model_takes_and_gives(name: str, takes: list[str], gives: list[str], inverts: bool) -> None:
    assert {key: known(name)[key] for key in ("takes", "gives", "inverts")} == {
        "takes": takes,
        "gives": gives,
        "inverts": inverts,
    }
