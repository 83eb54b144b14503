"""Arithmetic with latents: 1-3 - 4-6 + 7-9."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F

from ganvas.editing.traversal import Traversal
from ganvas.errors import UsageError
from ganvas.inference.model import Model
from ganvas.latents import paths
from ganvas.media.grid import legible_scale, make_grid
from ganvas.media.image_files import png_name, save_png


@dataclass(frozen=True)
class Term:
    """What arithmetic adds (`sign` 1) or takes away (-1): the mean of some seeds, drawn as a class where one is named."""

    seeds: Sequence[int]
    sign: int = 1
    label: int | str | None = None

    def __str__(self) -> str:
        named = "" if self.label is None else f"{self.label}:"
        return f"{'-' if self.sign < 0 else '+'} {named}{','.join(map(str, self.seeds))}"


def arithmetic(model: Model, out: str | Path, terms: Sequence[Term], *, where: str | None = None) -> Traversal:
    """What remains when kinds are added and taken away: a row for each term, the mean of its seeds first, then each of them.

    The last row begins with the result for the means, which should be read; it goes on with that for the first seed of each
    term, the second, ..., where all terms have as many. In w codes are added as they are, in z they return to the sphere;
    a class is part of w, and beside z the classes are added alike. Source: arXiv:1511.06434 sec. 6.3.2.

    Raises:
        UsageError: fewer than two terms, one without a seed, no such class or space, another kind of file, or, in w and with
            classes, not one more added than taken away.
    """
    out = png_name(out)
    if len(terms) < 2 or not all(term.seeds for term in terms):
        raise UsageError("arithmetic: expected two terms or more, each with a seed, as in 1,2,3 - 4,5,6 + 7,8,9")
    space = model.space(where, next((term.label for term in terms if term.label is not None), None))
    classes = [None if space.together else model.classes_in_turn(term.label, 1) for term in terms]  # unnamed: the first
    added = sum(term.sign for term in terms)
    if added != 1 and (space.flat or classes[0] is not None):
        raise UsageError(f"arithmetic: expected one term more added than taken away, as in a - b + c, got {added} more")
    repeated = [None if c is None else c.expand(len(term.seeds)) for c, term in zip(classes, terms, strict=True)]
    codes = [space.of_seeds(term.seeds, c) for term, c in zip(terms, repeated, strict=True)]
    counts = {len(each) for each in codes}
    sums = [codes, *([each[i : i + 1] for each in codes] for i in range(counts.pop() if len(counts) == 1 else 0))]
    signs = [term.sign for term in terms]
    results = torch.stack([paths.combine(list(zip(signs, each, strict=True)), space.flat) for each in sums])
    means = [paths.combine([(1, each)], space.flat)[None] for each in codes]
    rows = [torch.cat(pair) for pair in zip(means, codes, strict=True)] + [results]
    if classes[0] is None:
        shares = None
    else:
        every = torch.stack([F.one_hot(c[0], len(model.classes)).float() for c in classes if c is not None])
        total = (torch.tensor(signs).float()[:, None] * every).sum(0, keepdim=True)
        shares = torch.cat([each.expand(len(row), -1) for each, row in zip([*every, total], rows, strict=True)])
    pictures = space.pictures(torch.cat(rows), shares)
    columns = max(map(len, rows))
    filled = [
        F.pad(part, (0, 0, 0, 0, 0, 0, 0, columns - len(part)), value=1.0) for part in pictures.split([len(r) for r in rows])
    ]
    told = model.provenance(" ".join(map(str, terms)).removeprefix("+ ")) | {"space": space.name}
    save_png(out, make_grid(torch.cat(filled), columns, legible_scale(pictures.shape[-2])), told)
    return Traversal(out)
