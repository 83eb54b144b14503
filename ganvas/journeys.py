"""Journeys through a model's space: along directions, over a plane, and by arithmetic on what codes have in common."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from ganvas.compass import Direction, directions
from ganvas.edit import latents as paths
from ganvas.errors import UsageError
from ganvas.export.film import film_name, save_film
from ganvas.export.pictures import legible_scale, png_name, save_png, sheet
from ganvas.model import Label, Model
from ganvas.space import Space, styled

FAR = 1_000.0  # standard deviations, at most


@dataclass(frozen=True)
class Journey:
    """Where a sheet or a film was written, and the directions it shows."""

    out: Path
    directions: tuple[Direction, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        rows = [{"name": way.name, "sd": way.sd, "share": way.share} for way in self.directions]
        return {"out": str(self.out), "directions": rows}


@dataclass(frozen=True)
class Term:
    """What arithmetic adds (`sign` 1) or takes away (-1): the mean of some seeds, drawn as a class where one is named."""

    seeds: Sequence[int]
    sign: int = 1
    label: int | str | None = None

    def __str__(self) -> str:
        named = "" if self.label is None else f"{self.label}:"
        return f"{'-' if self.sign < 0 else '+'} {named}{','.join(map(str, self.seeds))}"


def traverse(
    model: Model,
    out: str | Path,
    names: Sequence[str],
    seeds: Sequence[int] = range(4),
    *,
    span: float = 3.0,
    steps: int = 7,
    frames: int = 60,
    milliseconds: int = 50,
    label: Label = None,
    where: str | None = None,
    layers: Sequence[int] | None = None,
    judge: str | None = None,
) -> Journey:
    """Move seeds along directions, from -span to +span standard deviations of the model's own codes.

    A .png has a row for each direction and seed, `steps` pictures each: with an odd number, the middle one is the seed
    itself. A .gif, .apng or .mp4 swings to and fro once in `frames`. `names` as of `compass.directions`; `where` z or w,
    by default w where there is one; `layers` of a stylegan model, all by default. Classes are taken in turn.

    Raises:
        UsageError: no such direction, space or layer, nothing to show, no such span, or another kind of file.
    """
    out = Path(out)
    film = out.suffix.lower() != ".png"
    if film:
        film_name(out)
    if steps < 2 or frames < 2 or not seeds:
        raise UsageError(f"a traversal needs a seed, two steps and two frames, got {len(seeds)}, {steps} and {frames}")
    _check_span(span)
    space = model.space(where, label)
    ways = tuple(directions(model, space, names, judge=judge))
    c = None if space.together else model.classes_in_turn(label, len(seeds))
    codes = space.of_seeds(seeds, c)
    offsets = span * (torch.arange(frames) * (2 * math.pi / frames)).sin() if film else torch.linspace(-span, span, steps)
    rows = torch.cat([_shifted(space, codes, way, offsets, layers) for way in ways])  # [ways * seeds, offsets, ...]
    c = None if c is None else c.repeat(len(ways)).repeat_interleave(len(offsets))
    pictures = space.pictures(rows.flatten(0, 1), c).unflatten(0, rows.shape[:2])
    told = model.provenance(",".join(map(str, seeds)))
    told |= {"directions": ", ".join(map(str, ways)), "span": f"{span:g} standard deviations of {space.name}"}
    scale = legible_scale(pictures.shape[-2])
    if film:
        columns = len(seeds) if len(ways) > 1 else max(1, round(len(seeds) ** 0.5))
        save_film(out, [sheet(each, columns, 2 * scale, 2) for each in pictures.transpose(0, 1)], milliseconds, told)
    else:
        save_png(out, sheet(pictures.flatten(0, 1), len(offsets), scale), told)
    return Journey(out, ways)


def plane(
    model: Model,
    out: str | Path,
    seeds: Sequence[int],
    side: int = 12,
    *,
    names: Sequence[str] = (),
    span: float = 3.0,
    label: Label = None,
    where: str | None = None,
    judge: str | None = None,
) -> Journey:
    """A sheet of `side` x `side` pictures: between three seeds, or round one along two directions.

    The first seed is at the top left, the second at the top right, the third at the bottom left; spherical in z, flat in w.
    With two `names` of directions, the seed is in the middle, and they lead `span` standard deviations to the right and down.
    One class is drawn, by default the first.

    Raises:
        UsageError: other numbers of seeds or directions, no such direction, space or span, or another kind of file.
    """
    out = png_name(out)
    _check_span(span)
    space = model.space(where, label)
    ways = tuple(directions(model, space, names, judge=judge)) if names else ()
    if (len(seeds), len(ways)) not in ((3, 0), (1, 2)):
        found = f"{len(seeds)} and {len(ways)}"
        raise UsageError(f"plane: expected three seeds, or one seed and two directions, got {found}")
    if side < 2:
        raise UsageError(f"plane: expected a side of at least 2, got {side}")
    one = None if space.together else model.classes_in_turn(label, 1)
    codes = space.of_seeds(seeds, None if one is None else one.expand(len(seeds)))
    if ways:
        places, (right, down) = torch.linspace(-span, span, side), ways
        column = _shifted(space, codes, down, places, None).squeeze(0)
        points = _shifted(space, column, right, places, None).flatten(0, 1)
    else:
        points = paths.plane(codes[0], codes[1], codes[2], side, straight=space.flat)
    pictures = space.pictures(points, None if one is None else one.expand(len(points)))
    told = model.provenance(",".join(map(str, seeds))) | {"space": space.name}
    told |= {"directions": ", ".join(map(str, ways))} if ways else {}
    save_png(out, sheet(pictures, side, legible_scale(pictures.shape[-2]), 0), told)
    return Journey(out, ways)


def arithmetic(model: Model, out: str | Path, terms: Sequence[Term], *, where: str | None = None) -> Journey:
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
    results = torch.stack([paths.combined(list(zip(signs, each, strict=True)), space.flat) for each in sums])
    means = [paths.combined([(1, each)], space.flat)[None] for each in codes]
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
    save_png(out, sheet(torch.cat(filled), columns, legible_scale(pictures.shape[-2])), told)
    return Journey(out)


def _shifted(space: Space, codes: Tensor, way: Direction, offsets: Tensor, layers: Sequence[int] | None) -> Tensor:
    """codes [N, d] moved by each of the offsets [T], in standard deviations: [N, T, d], by layer [N, T, styles, d]."""
    step = (offsets[:, None] * way.sd * way.vector).float()
    if layers is None:
        return codes[:, None] + step
    styles = styled(space.game).styles if space.flat else 0
    if not styles:
        raise UsageError("layers: only styles w differ by layer; leave --layers out")
    if wrong := [layer for layer in layers if not 0 <= layer < styles]:
        raise UsageError(f"layers: expected from 0 to {styles - 1}, got {wrong[0]}")
    moved = torch.isin(torch.arange(styles), torch.tensor(list(layers)))
    return codes[:, None, None] + step[None, :, None] * moved[:, None]


def _check_span(span: float) -> None:
    if not abs(span) <= FAR:  # nor NaN
        raise UsageError(f"range: expected at most {FAR:,.0f} standard deviations, got {span:g}")
