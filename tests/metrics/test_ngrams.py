"""Measures of text against values computed by hand."""

from __future__ import annotations

import math
from collections import Counter

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ganvas.errors import UsageError
from ganvas.metrics.ngrams import EDGE, distinct_share, jensen_shannon, nearest_edit_distance, ngrams, novel_share
from ganvas.utils.tokens import encode_lines


def test_ngrams_by_hand() -> None:
    assert ngrams(["aba"], 1) == Counter({"a": 2, "b": 1})
    assert ngrams(["ab"], 2) == Counter({f"{EDGE}a": 1, "ab": 1, f"b{EDGE}": 1})
    assert ngrams(["a"], 4) == Counter()
    with pytest.raises(UsageError, match="at least 1"):
        ngrams(["a"], 0)


def test_equal_laws_and_disjoint_ones() -> None:
    a = Counter({"x": 2, "y": 6})
    assert jensen_shannon(a, Counter({"x": 1, "y": 3})) == pytest.approx(0, abs=1e-12)
    assert jensen_shannon(a, Counter({"z": 5})) == pytest.approx(math.log(2))


def test_a_coin_against_a_fixed_one() -> None:
    """p = (1, 0), q = (1/2, 1/2): H(3/4, 1/4) - ln 2 / 2."""
    middle = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
    assert jensen_shannon(Counter("xx"), Counter("xy")) == pytest.approx(middle - math.log(2) / 2)
    assert jensen_shannon(Counter("xy"), Counter("xx")) == pytest.approx(middle - math.log(2) / 2)


def test_nothing_to_compare() -> None:
    with pytest.raises(UsageError, match="n-grams"):
        jensen_shannon(Counter(), Counter("a"))


def test_shares_by_hand() -> None:
    assert distinct_share(["a", "b", "a", "a"]) == 0.5
    assert novel_share(["a", "b", "c", "a"], ["a", "z"]) == 0.5


def edits(a: str, b: str) -> int:
    """The textbook's recursion, row by row."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a):
        below = [i + 1]
        for k, y in enumerate(b):
            below.append(min(row[k] + (x != y), row[k + 1] + 1, below[k] + 1))
        row = below
    return row[-1]


def test_edits_by_hand() -> None:
    alphabet, known = "egiknst", ["sitting", "ten", "kitten"]
    text = encode_lines(["kitten", "sittin", "net", ""], alphabet, 8)
    assert nearest_edit_distance(text, encode_lines(known, alphabet, 7)).tolist() == [0, 1, 2, 3]
    assert nearest_edit_distance(text[:1], encode_lines(known[:1], alphabet, 7)).tolist() == [3]


@given(
    st.lists(st.text("abc", max_size=5), min_size=1, max_size=4), st.lists(st.text("abc", max_size=4), min_size=1, max_size=4)
)
def test_edits_are_the_textbooks(lines: list[str], known: list[str]) -> None:
    found = nearest_edit_distance(encode_lines(lines, "abc", 5), encode_lines(known, "abc", 4), chunk=3)
    assert found.tolist() == [min(edits(line, other) for other in known) for line in lines]


def test_an_empty_line_is_as_far_as_the_other_is_long() -> None:
    assert nearest_edit_distance(torch.zeros(1, 3, dtype=torch.int64), encode_lines(["ab"], "ab", 2)).tolist() == [2]
