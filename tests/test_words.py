"""The words of a command line: what they stand for, and what is said of those that stand for nothing."""

from __future__ import annotations

import pytest

from ganvas.errors import UsageError
from ganvas.words import MOST, numbers


def test_numbers_are_lists_and_ranges() -> None:
    assert numbers("1,5,9") == [1, 5, 9]
    assert numbers("7,0-3,2-2") == [7, 0, 1, 2, 3, 2]
    assert len(numbers(f"0-{MOST - 1}")) == MOST
    assert numbers(f"{2**63 - 2}-{2**63 - 1}") == [2**63 - 2, 2**63 - 1]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a,b", "expected seeds such as 1,5,9 or 0-7, got 'a,b'"),
        ("\N{SUPERSCRIPT TWO}", "expected seeds such as"),
        ("-1", "expected seeds such as"),
        ("1-", "expected seeds such as"),
        ("1,5-3", "the smaller end of a range first, as in 0-7, got '5-3'"),
        ("0-1000000000000", "expected at most 10,000 numbers, got '0-1000000000000'"),
        ("0-9999,10000", "expected at most 10,000 numbers, got"),
    ],
)
def test_what_are_no_numbers(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        numbers(text)
