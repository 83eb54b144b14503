"""Latent traversals: samples moved along directions of the latent space, and planes through it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ganvas.editing.named_directions import Direction, directions
from ganvas.errors import UsageError
from ganvas.inference.codes import Codes, name_places
from ganvas.inference.latent_space import Space, require_styles
from ganvas.inference.loaded_game import Label
from ganvas.inference.model import MOST_FRAMES, MOST_SIDE, Model
from ganvas.latents import paths
from ganvas.media.grid import legible_scale, make_grid
from ganvas.media.image_files import png_name, save_png
from ganvas.media.video import film_name, save_film
from ganvas.utils.parsing import require_count

FAR = 1_000.0  # standard deviations, at most


@dataclass(frozen=True)
class Traversal:
    """The path of a sheet or a film, and the directions that it shows."""

    out: Path
    directions: tuple[Direction, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        rows = [{"name": each.name, "sd": each.sd, "share": each.share} for each in self.directions]
        return {"out": str(self.out), "directions": rows}


def traverse(
    model: Model,
    out: str | Path,
    names: Sequence[str],
    seeds: Sequence[int] | Codes = range(4),
    *,
    span: float = 3.0,
    steps: int = 7,
    frames: int = 60,
    milliseconds: int = 50,
    label: Label = None,
    where: str | None = None,
    layers: Sequence[int] | None = None,
    judge: str | None = None,
) -> Traversal:
    """Move seeds along directions, from -span to +span standard deviations of the model's own codes.

    A .png has a row for each direction and seed, with `steps` images: the middle one of an odd number is the seed itself.
    A .gif, .apng or .mp4 moves forth and back once in `frames`. `names` as of `named_directions.directions`. `where`: z or w,
    by default w if the model has it. `layers` of a stylegan model, by default all. Classes are taken in turn.

    Raises:
        UsageError: no such direction, space or layer, nothing to show, no such span, or another kind of file.
    """
    out = Path(out)
    film = out.suffix.lower() != ".png"
    if film:
        film_name(out)
    if steps < 2 or frames < 2 or not len(seeds):
        raise UsageError(f"a traversal needs a seed, two steps and two frames, got {len(seeds)}, {steps} and {frames}")
    require_count("frames", frames, 2, MOST_FRAMES)
    require_count("steps", steps, 2, MOST_FRAMES)
    _check_span(span)
    space = model.space(where, label)
    ways = tuple(directions(model, space, names, judge=judge))
    c = None if space.together else model.classes_of(seeds, label)
    codes = space.of_seeds(seeds, c)

    # A film follows a sine, so that it ends where it begins; a sheet has equal steps.
    offsets = span * (torch.arange(frames) * (2 * math.pi / frames)).sin() if film else torch.linspace(-span, span, steps)
    rows = torch.cat([_shift(space, codes, way, offsets, layers) for way in ways])  # [ways * seeds, offsets, ...]
    c = None if c is None else c.repeat(len(ways)).repeat_interleave(len(offsets))
    pictures = space.pictures(rows.flatten(0, 1), c).unflatten(0, rows.shape[:2])

    text = model.provenance(name_places(seeds))
    text |= {"directions": ", ".join(map(str, ways)), "span": f"{span:g} standard deviations of {space.name}"}
    scale = legible_scale(pictures.shape[-2])
    if film:
        columns = len(seeds) if len(ways) > 1 else max(1, round(len(seeds) ** 0.5))
        save_film(out, [make_grid(each, columns, 2 * scale, 2) for each in pictures.transpose(0, 1)], milliseconds, text)
    else:
        save_png(out, make_grid(pictures.flatten(0, 1), len(offsets), scale), text)
    return Traversal(out, ways)


def plane(
    model: Model,
    out: str | Path,
    seeds: Sequence[int] | Codes,
    side: int = 12,
    *,
    names: Sequence[str] = (),
    span: float = 3.0,
    label: Label = None,
    where: str | None = None,
    judge: str | None = None,
) -> Traversal:
    """A sheet of `side` x `side` images: between three seeds, or around one seed along two directions.

    The first seed is at the top left, the second at the top right, the third at the bottom left; on a sphere in z, on a plane
    in w. With two `names` of directions the seed is in the middle, and the directions go `span` standard deviations to the
    right and down. All images are of one class, by default the first.

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
    require_count("side", side, 2, MOST_SIDE)
    one = None if space.together else model.classes_of(seeds, label)
    one = None if one is None else one[:1]
    codes = space.of_seeds(seeds, None if one is None else one.expand(len(seeds)))
    if ways:
        places, (right, down) = torch.linspace(-span, span, side), ways
        column = _shift(space, codes, down, places, None).squeeze(0)
        points = _shift(space, column, right, places, None).flatten(0, 1)
    else:
        points = paths.latent_plane(codes[0], codes[1], codes[2], side, straight=space.flat)
    pictures = space.pictures(points, None if one is None else one.expand(len(points)))
    text = model.provenance(name_places(seeds)) | {"space": space.name}
    text |= {"directions": ", ".join(map(str, ways))} if ways else {}
    save_png(out, make_grid(pictures, side, legible_scale(pictures.shape[-2]), 0), text)
    return Traversal(out, ways)


def _shift(space: Space, codes: Tensor, way: Direction, offsets: Tensor, layers: Sequence[int] | None) -> Tensor:
    """codes [N, d] or [N, styles, d], offsets [T] in standard deviations -> moved codes [N, T, d] or [N, T, styles, d]."""
    step = (offsets[:, None] * way.sd * way.vector).float()
    by_layer = codes.ndim == 3
    if layers is None:
        return codes[:, None] + (step[:, None] if by_layer else step)
    styles = require_styles(space.game).styles if space.flat else 0
    if not styles:
        raise UsageError("layers: only styles w differ by layer; leave --layers out")
    if wrong := [layer for layer in layers if not 0 <= layer < styles]:
        raise UsageError(f"layers: expected from 0 to {styles - 1}, got {wrong[0]}")
    moved = torch.isin(torch.arange(styles), torch.tensor(list(layers)))
    return (codes[:, None] if by_layer else codes[:, None, None]) + step[None, :, None] * moved[:, None]


def _check_span(span: float) -> None:
    if not abs(span) <= FAR:  # written this way, it also refuses NaN
        raise UsageError(f"range: expected at most {FAR:,.0f} standard deviations, got {span:g}")
