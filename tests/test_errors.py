"""Messages about names that do not exist: what was meant, and what there is, without a list that nobody reads."""

from __future__ import annotations

import pytest

from ganvas.errors import MOST, UsageError, unknown_name
from ganvas.games.registry import find_recipe

FEW = ["blue", "green", "red"]
MANY = [f"metric{i:02}" for i in range(MOST + 5)]


@pytest.mark.parametrize(
    ("name", "known", "see", "told"),
    [
        ("gren", FEW, "", "unknown name 'gren'; did you mean 'green'? (known: blue, green, red)"),
        ("xyz", FEW, "ganvas x", "unknown name 'xyz' (known: blue, green, red)"),
        ("metric7", MANY, "ganvas x", "unknown name 'metric7'; did you mean 'metric17'? (see `ganvas x`)"),
        ("xyz", MANY, "ganvas x", "unknown name 'xyz' (known: metric00, metric01, metric02 and 22 more: see `ganvas x`)"),
        ("xyz", MANY, "", "unknown name 'xyz' (known: metric00, metric01, metric02 and 22 more)"),
    ],
)
def test_a_message_lists_all_of_few_names_and_some_of_many(name: str, known: list[str], see: str, told: str) -> None:
    assert str(unknown_name("name", name, known, see)) == told


def test_the_nearest_of_many_names_are_listed_where_no_command_lists_all() -> None:
    told = str(unknown_name("name", "metric7", MANY))
    assert told.startswith("unknown name 'metric7'; did you mean 'metric17'? (known: metric17, metric07, ")
    assert told.endswith(" and 22 more)")


def test_a_mistyped_recipe_is_answered_by_the_one_that_was_meant() -> None:
    with pytest.raises(UsageError) as error:
        find_recipe("fastgan-imags")
    assert str(error.value) == "unknown recipe 'fastgan-imags'; did you mean 'fastgan-images'? (see `ganvas recipes`)"


def test_a_part_of_a_name_is_enough_and_a_far_name_is_not_suggested() -> None:
    with pytest.raises(UsageError, match=r"'sr'; did you mean 'sr-photos'\?"):
        find_recipe("sr")
    with pytest.raises(UsageError, match=r"unknown recipe 'nixrecipe' \("):
        find_recipe("nixrecipe")
