"""Strips: the same latents side by side at every resolution, with more and more truncation, or with mixed styles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from ganvas.core.capabilities import Grows, require_pictures
from ganvas.errors import UsageError, unknown_name
from ganvas.inference.batches import make_sampler, sample_chunks
from ganvas.inference.code_pictures import draw_codes
from ganvas.inference.codes import Codes, name_places
from ganvas.inference.latent_space import Space, require_styles
from ganvas.inference.loaded_game import Label
from ganvas.inference.model import Model
from ganvas.latents.seed_latents import latents
from ganvas.latents.truncation import mix_styles
from ganvas.layers.mapping import repeat_per_layer
from ganvas.media.grid import caption, legible_scale, make_grid
from ganvas.media.image_files import png_name, save_png

PSIS = (1.0, 0.7, 0.5, 0.0, -0.5, -1.0)  # as in arXiv:1812.04948 fig. 8
Images = tuple[Tensor, int]  # [N, C, H, W] row by row, and the number of columns


def by_resolution(model: Model, seeds: Sequence[int] | Codes, c: Tensor | None) -> Images:
    """A row for each seed, a column for each resolution of the generator. Raises: UsageError: it has one; styles as codes."""
    game = model.drawer
    if not isinstance(game, Grows):
        raise UsageError(f"{model.card['recipe']['name']} has one resolution only; choose a progan or stylegan2 model")
    if isinstance(seeds, Codes) and seeds.space != "z":
        raise UsageError("resolution: these codes are styles w, which are for the last resolution; give seeds, or codes of z")
    z = Space(game).of_seeds(seeds, c)
    ways = [partial(lambda z, c, side: game.sample_at(z, side, c), side=side) for side in game.resolutions]
    return _arrange_columns([sample_chunks(game, z, c, draw=way) for way in ways])


def by_truncation(model: Model, seeds: Sequence[int] | Codes, c: Tensor | None) -> Images:
    """A row for each seed, a column for each psi of `PSIS`."""
    game = model.drawer
    require_styles(game)
    if isinstance(seeds, Codes):
        return _arrange_columns([draw_codes(model, seeds, psi=psi)[0] for psi in PSIS])
    z = latents(seeds, game.latent_dim)
    return _arrange_columns([sample_chunks(game, z, c, draw=make_sampler(game, psi)) for psi in PSIS])


def by_mixing(model: Model, seeds: Sequence[int] | Codes, c: Tensor | None, cut: int | None = None) -> Images:
    """Style mixing: a row for each seed of the first half (coarse styles), a column for each other (from layer `cut` on)."""
    game = require_styles(model.drawer)
    if len(seeds) < 2:
        raise UsageError("mixing: expected two seeds or more, got 1")
    at, half, space = game.styles // 2 if cut is None else cut, len(seeds) // 2, Space(model.drawer, flat=True)
    if c is not None and not isinstance(seeds, Codes):
        c = c[:1].expand(len(seeds))
    w = space.of_seeds(seeds, c)
    pairs = [(i, j) for i in range(half) for j in (i, *range(half, len(w)))]
    coarse, fine = (w[list(rows)] for rows in zip(*pairs, strict=True))
    images = space.pictures(
        torch.cat([repeat_per_layer(w[half:], game.styles), mix_styles(coarse, fine, game.styles, at)]), None
    )
    return torch.cat([torch.ones_like(images[:1]), images]), len(w) - half + 1


def strip(
    model: Model, out: str | Path, by: str, seeds: Sequence[int] | Codes, *, label: Label = None, cut: int | None = None
) -> Path:
    """Save the strip `by` resolution, truncation or mixing as a .png. Classes are taken in turn; mixing uses the first.

    Given codes have their own classes.

    Raises:
        UsageError: no such strip, a model that cannot make it, or another kind of file.
    """
    out = Path(out)
    kinds: dict[str, Callable[[Model, Sequence[int] | Codes, Tensor | None], Images]] = {
        "resolution": by_resolution,
        "truncation": by_truncation,
        "mixing": partial(by_mixing, cut=cut),
    }
    if by not in kinds:
        raise unknown_name("strip", by, kinds)
    png_name(out, "a strip")
    require_pictures(model.game)
    c = model.classes_of(seeds, label)
    images, columns = kinds[by](model, seeds, c)
    picture = caption(make_grid(images, columns, legible_scale(images.shape[-1])), [_describe_columns(model, by)])
    save_png(out, picture, model.provenance(name_places(seeds)))
    return out


def _describe_columns(model: Model, by: str) -> str:
    """The line below a strip: what its columns are."""
    if by == "resolution" and isinstance(model.drawer, Grows):
        return "pixels: " + ", ".join(map(str, model.drawer.resolutions))
    if by == "truncation":
        return "psi: " + ", ".join(f"{psi:g}" for psi in PSIS)
    return "left: coarse styles; top: fine ones"


def _arrange_columns(columns: Sequence[Tensor]) -> Images:
    return torch.stack(list(columns), 1).flatten(0, 1), len(columns)
