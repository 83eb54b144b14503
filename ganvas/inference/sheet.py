"""Sheets of samples, and plots of points."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import PIL.Image
import torch
from PIL.Image import Image

from ganvas.core.capabilities import Conditional, Couples, Samples, Writes
from ganvas.core.game import Game
from ganvas.core.modality import POINTS, modality_of
from ganvas.data.table import TableDataset
from ganvas.inference.batches import as_pictures, sample_chunks
from ganvas.latents.seed_latents import latents
from ganvas.media.grid import caption, legible_scale, make_grid
from ganvas.media.image_files import save_gif
from ganvas.media.preview import draw_page
from ganvas.media.scatter import scatter

COLUMNS = 10


def make_sheet(game: Game, data: TableDataset, seed: int = 0) -> Image | None:
    """The same noise at every call: a sheet with one row per class, a square sheet, or fakes among reals in the plane."""
    if not isinstance(game, Samples):
        return None
    if isinstance(game, Writes):
        text = sample_chunks(game, latents(range(seed, seed + COLUMNS**2), game.latent_dim), None)
        return draw_page(game.decode_text(text), line_width(game))
    if modality_of(data.table) is POINTS:
        fake = sample_chunks(game, latents(range(seed, seed + 500), game.latent_dim), None, 500)
        return scatter(data.samples(torch.arange(min(500, len(data))))["real"], fake)
    rows = game.classes if isinstance(game, Conditional) else COLUMNS
    c = torch.arange(rows).repeat_interleave(COLUMNS) if isinstance(game, Conditional) else None
    if isinstance(game, Couples):  # each noise in every class, one below the other
        z = latents(range(seed, seed + COLUMNS**2), game.latent_dim).unflatten(0, (COLUMNS, 1, COLUMNS))
        z = z[: max(1, COLUMNS // rows)].expand(-1, rows, -1, -1).flatten(0, 2)
        c = torch.arange(rows).repeat_interleave(COLUMNS).repeat(len(z) // (rows * COLUMNS))
    else:
        z = latents(range(seed, seed + rows * COLUMNS), game.latent_dim)
    images = as_pictures(sample_chunks(game, z, c))
    return make_grid(images, COLUMNS, legible_scale(images.shape[-1]))


def line_width(game: Game) -> int:
    """The most letters in a line of a game of text; a number has up to four, and a space."""
    return int(game.config.length * (1 if game.config.alphabet else 5))


def save_learning_gif(path: Path, pictures: Sequence[Path]) -> None:
    """A GIF of the pictures, each with the number of images that had been shown; the last one stays for two seconds."""
    frames = []
    for name in pictures:
        with PIL.Image.open(name) as picture:
            frames.append(caption(picture, [f"{int(picture.info.get('images', 0)):,} images"]))
    if len(frames) > 1:
        save_gif(path, frames + [frames[-1]] * 20, 100)
