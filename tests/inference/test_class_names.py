"""A class by name or by number: names win and say so, #1 is a number, Unicode forms do not matter."""

from __future__ import annotations

import warnings

import pytest

from ganvas.errors import GanvasWarning, UsageError
from ganvas.inference.class_names import find_class, match_class

NUMBERS = ("1", "10", "2", "3")


@pytest.mark.parametrize(("label", "number"), [("10", 1), ("2", 2), ("#1", 1), ("#3", 3), (1, 1), (3, 3), (10, 1)])
def test_what_is_clear_says_nothing(label: int | str, number: int) -> None:
    assert find_class(label, NUMBERS) == number


@pytest.mark.parametrize(
    ("label", "number", "words"),
    [
        ("1", 0, "class '1' is the one of this name, number 0; write #1 for number 1, '10'"),
        ("3", 3, ""),
        ("0", 0, "no class is called '0', so it is number 0, '1'; write #0 to say so"),
    ],
)
def test_names_win_and_say_so(label: str, number: int, words: str) -> None:
    assert match_class(label, NUMBERS) == (number, words)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert find_class(label, NUMBERS) == number
    assert [(str(each.message), each.category) for each in caught] == ([(words, GanvasWarning)] if words else [])


def test_digits_are_numbers_of_named_classes() -> None:
    assert [match_class(text, ("cat", "dog")) for text in ("1", "#0", "dog", " cat ")] == [(1, ""), (0, ""), (1, ""), (0, "")]
    assert [match_class(text, tuple("0123456789")) for text in ("7", "#7")] == [(7, ""), (7, "")]


@pytest.mark.parametrize("label", ["4", "#4", "#", "\u00b2", "1" * 5000, "-1", "ca", 4, -1])
def test_unknown_classes_are_one_line(label: int | str) -> None:
    with pytest.raises(UsageError, match="unknown class") as raised:
        find_class(label, NUMBERS)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("kept", ["\u00c4rger", "A\u0308rger"])
@pytest.mark.parametrize("given", ["\u00c4rger", "A\u0308rger"])
def test_names_are_compared_composed(kept: str, given: str) -> None:
    assert find_class(given, ("b", kept)) == 1


def test_a_name_that_begins_with_a_hash_is_a_name() -> None:
    assert find_class("#1", ("a", "b", "#1")) == 2
