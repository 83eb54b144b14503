"""Arithmetic with latents: mean of 1-3, minus mean of 4-6, plus mean of 7-9. Source: arXiv:1511.06434 sec. 6.3.2."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from ganvas.editing.traversal import Traversal
from ganvas.errors import UsageError
from ganvas.inference.codes import Codes, name_places
from ganvas.inference.latent_space import require_styles
from ganvas.inference.model import Model
from ganvas.latents import paths
from ganvas.layers.mapping import repeat_per_layer
from ganvas.media.grid import legible_scale, make_grid
from ganvas.media.image_files import png_name, save_png


@dataclass(frozen=True)
class Term:
    """What is added (`sign` 1) or subtracted (-1): the mean of the latents of seeds or of codes, in a class if one is given."""

    seeds: Sequence[int] | Codes
    sign: int = 1
    label: int | str | None = None

    def __str__(self) -> str:
        label = "" if self.label is None else f"{self.label}:"
        return f"{'-' if self.sign < 0 else '+'} {label}{name_places(self.seeds)}"


def arithmetic(model: Model, out: str | Path, terms: Sequence[Term], *, where: str | None = None) -> Traversal:
    """Save a sheet with a row for each term, and the results in the last row.

    The row of a term begins with the mean of its seeds, followed by each seed. The last row begins with the result for the
    means, which is the one to look at. If all terms have the same number of seeds, the results for the first seed of each
    term, the second, ... follow. Codes w are added as they are; latents z are put back on the sphere. A class is part of w,
    and beside z the classes are added in the same way.

    Raises:
        UsageError: fewer than two terms, one without a seed, no such class or space, another kind of file, or, in w and with
            classes, not exactly one term more added than subtracted.
    """
    out = png_name(out)
    if len(terms) < 2 or not all(len(term.seeds) for term in terms):
        raise UsageError("arithmetic: expected two terms or more, each with a seed, as in 1,2,3 - 4,5,6 + 7,8,9")
    space = model.space(where, next((term.label for term in terms if term.label is not None), None))
    # By default the first class, of codes that of the first one.
    every = [None if space.together else model.classes_of(term.seeds, term.label) for term in terms]
    classes = [None if c is None else c[:1] for c in every]
    signs = [term.sign for term in terms]
    if sum(signs) != 1 and (space.flat or classes[0] is not None):
        raise UsageError(f"arithmetic: expected one term more added than taken away, as in a - b + c, got {sum(signs)} more")

    # The codes [n, d] of each term, and their sums: of the means, then seed by seed.
    codes = []
    for term, c in zip(terms, classes, strict=True):
        codes.append(space.of_seeds(term.seeds, None if c is None else c.expand(len(term.seeds))))
    if any(each.ndim == 3 for each in codes):  # w beside w+: the same style in all layers
        styles = require_styles(model.drawer).styles
        codes = [repeat_per_layer(each, styles) for each in codes]
    sums = [codes]
    if len({len(each) for each in codes}) == 1:
        sums += [[each[i : i + 1] for each in codes] for i in range(len(codes[0]))]
    results = torch.stack([paths.combine(list(zip(signs, each, strict=True)), space.flat) for each in sums])

    # The rows of the sheet: mean and seeds of each term, then the results.
    rows = [torch.cat([paths.combine([(1, each)], space.flat)[None], each]) for each in codes] + [results]
    pictures = space.pictures(torch.cat(rows), _class_shares(model, signs, classes, rows))
    columns = max(map(len, rows))
    parts = pictures.split([len(row) for row in rows])
    filled = [F.pad(part, (0, 0, 0, 0, 0, 0, 0, columns - len(part)), value=1.0) for part in parts]  # white
    text = model.provenance(" ".join(map(str, terms)).removeprefix("+ ")) | {"space": space.name}
    save_png(out, make_grid(torch.cat(filled), columns, legible_scale(pictures.shape[-2])), text)
    return Traversal(out)


def _class_shares(
    model: Model, signs: Sequence[int], classes: Sequence[Tensor | None], rows: Sequence[Tensor]
) -> Tensor | None:
    """Shares of the classes for each code of the rows [codes, classes]: one class a term, their sum for the results."""
    if classes[0] is None:
        return None
    every = torch.stack([F.one_hot(c[0], len(model.classes)).float() for c in classes if c is not None])
    total = (torch.tensor(signs).float()[:, None] * every).sum(0, keepdim=True)
    return torch.cat([each.expand(len(row), -1) for each, row in zip([*every, total], rows, strict=True)])
