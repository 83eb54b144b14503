"""Lines as numbers and back."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from ganvas.spelling import counted, numbered, spelt


def test_by_hand() -> None:
    text = numbered(["ab", "", "cab"], "abc", 3)
    assert text.tolist() == [[1, 2, 0], [0, 0, 0], [3, 1, 2]]
    assert spelt(text, "abc") == ["ab", "", "cab"]


def test_what_follows_the_end_is_not_read() -> None:
    assert spelt(torch.tensor([[2, 0, 1]]), "ab") == ["b"]


def test_numbers_without_an_alphabet_never_end() -> None:
    assert spelt(torch.tensor([[7, 0, 12]]), "") == ["7 0 12"]


@given(st.lists(st.text("äß日 z", max_size=6), min_size=1, max_size=5))
def test_there_and_back(lines: list[str]) -> None:
    assert spelt(numbered(lines, " zßä日", 6), " zßä日") == lines


def test_the_end_itself_counts_once() -> None:
    text = torch.tensor([[1, 0, 0, 0], [1, 2, 1, 2], [0, 0, 0, 0]])
    assert counted(text, True).sum(1).tolist() == [2, 4, 1]
    assert counted(text, False).all()
