"""Quality and diversity of text: n-gram divergence, distinct and novel lines, edit distance.

Always report several numbers: repeating one good line has perfect quality, random lines have perfect diversity
(arXiv:1811.02549). Divergences are in nats: 0 for equal distributions, ln 2 for disjoint ones.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Sequence

import torch
from torch import Tensor

from ganvas.errors import UsageError

EDGE = "\0"  # stands before a line and after it


def ngrams(lines: Sequence[str], n: int) -> Counter[str]:
    """The counts of all n-grams of symbols, with one mark before each line and one after it."""
    if n < 1:
        raise UsageError(f"ngrams: expected n of at least 1, got {n}")
    marked = lines if n == 1 else [f"{EDGE}{line}{EDGE}" for line in lines]
    return Counter(line[i : i + n] for line in marked for i in range(len(line) - n + 1))


def jensen_shannon(a: Counter[str], b: Counter[str]) -> float:
    """The Jensen-Shannon divergence of two distributions given as counts, in nats: H((p + q) / 2) - (H(p) + H(q)) / 2.

    Raises:
        UsageError: one of them is empty.
    """
    total_a, total_b = a.total(), b.total()
    if not total_a or not total_b:
        raise UsageError("jensen_shannon: expected n-grams in both sets, found none; use a smaller n or longer lines")
    found = 0.0
    for run in a.keys() | b.keys():
        p, q = a[run] / total_a, b[run] / total_b
        middle = (p + q) / 2
        found += sum(x / 2 * math.log(x / middle) for x in (p, q) if x)
    return found


def distinct_share(lines: Sequence[str]) -> float:
    """The number of different lines over the number of lines."""
    return len(set(lines)) / len(lines)


def novel_share(lines: Sequence[str], known: Collection[str]) -> float:
    """The share of lines that are not in `known`."""
    known = set(known)
    return sum(line not in known for line in lines) / len(lines)


def nearest_edit_distance(text: Tensor, known: Tensor, chunk: int = 2_000_000) -> Tensor:
    """The edit distance (Levenshtein 1966) of each line to the nearest known one: text int64 [N, L], known [M, K] -> [N].

    Lines are padded with 0. All pairs of lines are computed at once, by dynamic programming over their prefixes.
    """
    rows = max(1, chunk // len(known))
    return torch.cat([_edit_distances(part, known).amin(1) for part in text.split(rows)]).long()


def _edit_distances(a: Tensor, b: Tensor) -> Tensor:
    """The edit distance of each line of a [N, L] to each line of b [M, K]: int16 [N, M]."""
    sizes_a, sizes_b = (a != 0).sum(1), (b != 0).sum(1)
    n, m, width = len(a), len(b), b.shape[1]
    row = torch.arange(width + 1, dtype=torch.int16).repeat(n, m, 1)
    place = sizes_b.view(1, m, 1).expand(n, m, 1)
    found = row.gather(2, place).squeeze(2)
    for i in range(a.shape[1]):
        below = torch.full_like(row, i + 1)
        differs = (a[:, i, None, None] != b[None]).to(torch.int16)
        aslant = torch.minimum(row[..., :-1] + differs, row[..., 1:] + 1)
        for k in range(width):
            below[..., k + 1] = torch.minimum(aslant[..., k], below[..., k] + 1)
        row = below
        ends_here = (sizes_a == i + 1)[:, None]
        found = torch.where(ends_here, row.gather(2, place).squeeze(2), found)
    return found
