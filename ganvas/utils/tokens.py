"""Character tokens: encode lines of text as integers, and decode them.

Token 0 ends a line and pads the rest; token k is the k-th symbol of the alphabet. Without an alphabet lines have no end:
every line has the full length, and its tokens are printed as numbers.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def encode_lines(lines: Sequence[str], alphabet: str, length: int) -> Tensor:
    """Lines of at most `length` symbols, all of them in the alphabet -> int64 [N, length]."""
    number = {symbol: i + 1 for i, symbol in enumerate(alphabet)}
    text = torch.zeros(len(lines), length, dtype=torch.int64)
    rows = text.numpy()
    for i, line in enumerate(lines):
        rows[i, : len(line)] = [number[symbol] for symbol in line]
    return text


def decode_lines(text: Tensor, alphabet: str) -> list[str]:
    """int64 [N, L] -> N lines, each up to its first 0; without an alphabet all of its numbers, separated by spaces."""
    rows: list[list[int]] = text.tolist()
    if not alphabet:
        return [" ".join(map(str, row)) for row in rows]
    symbols = ("", *alphabet)
    return ["".join(symbols[number] for number in row[: (*row, 0).index(0)]) for row in rows]


def count_symbols(text: Tensor, ends: bool) -> Tensor:
    """int64 [N, L] -> bool [N, L]: the mask of the tokens of each line, its first 0 included; all if lines have no end."""
    if not ends:
        return torch.ones_like(text, dtype=torch.bool)
    before = (text == 0).cumsum(1) - (text == 0).long()
    return before == 0
