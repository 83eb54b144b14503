"""Lines as numbers and back."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from ganvas.utils.tokens import count_symbols, decode_lines, encode_lines


def test_by_hand() -> None:
    text = encode_lines(["ab", "", "cab"], "abc", 3)
    assert text.tolist() == [[1, 2, 0], [0, 0, 0], [3, 1, 2]]
    assert decode_lines(text, "abc") == ["ab", "", "cab"]


def test_what_follows_the_end_is_not_read() -> None:
    assert decode_lines(torch.tensor([[2, 0, 1]]), "ab") == ["b"]


def test_numbers_without_an_alphabet_never_end() -> None:
    assert decode_lines(torch.tensor([[7, 0, 12]]), "") == ["7 0 12"]


@given(st.lists(st.text("äß日 z", max_size=6), min_size=1, max_size=5))
def test_there_and_back(lines: list[str]) -> None:
    assert decode_lines(encode_lines(lines, " zßä日", 6), " zßä日") == lines


def test_the_end_itself_counts_once() -> None:
    text = torch.tensor([[1, 0, 0, 0], [1, 2, 1, 2], [0, 0, 0, 0]])
    assert count_symbols(text, True).sum(1).tolist() == [2, 4, 1]
    assert count_symbols(text, False).all()
