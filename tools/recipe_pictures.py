"""Draw the small pictures on the recipe cards of /train: what a recipe learns from. static/train/data/NAME.png.

`python tools/recipe_pictures.py [SOURCE ...]`; needs the built-in data, also Fashion-MNIST.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from ganvas.core.modality import POINTS, TEXT, VOXELS, modality_of
from ganvas.data.clips import ClipTable
from ganvas.data.dataset import Dataset
from ganvas.data.paired import PairedDataset
from ganvas.data.table import TableDataset
from ganvas.games import RECIPES
from ganvas.games.recipes import adapt_recipe, open_data
from ganvas.games.registry import build
from ganvas.inference.batches import as_pictures
from ganvas.media.grid import make_grid
from ganvas.media.voxel_rendering import shade

OUT = Path(__file__).parents[1] / "ganvas" / "studio" / "static" / "train" / "data"
SIDE = 112  # pixels
COLUMNS = 4
GREEN, GREY = (42, 157, 107, 255), (128, 128, 128, 255)
DOTS, LINES = 400, 6


def draw(name: str) -> Image.Image:
    """The picture of the data of a recipe."""
    recipe = RECIPES[name]
    data = open_data(recipe)
    if isinstance(data, ClipTable):
        return draw_clips(data)
    if isinstance(data, PairedDataset) or not isinstance(data, TableDataset):
        return draw_pairs(data)
    if data.modality is TEXT:
        game: Any = build(adapt_recipe(recipe, data))
        return draw_lines(game.decode_text(data.table[torch.arange(LINES) * 97]))
    if data.modality is POINTS:
        return draw_points(data.table[:DOTS].float())
    return join(data.table[: COLUMNS**2])  # one after another class where there are some


def draw_pairs(data: Dataset) -> Image.Image:
    """Eight inputs, each beside its output; of two domains samples of both."""
    rows = data.rows(torch.arange(COLUMNS**2 // 2) * (2 * len(data) // COLUMNS**2))
    outputs = rows.pop("real" if "real" in rows else "b")
    (inputs,) = rows.values()
    return join(torch.stack([inputs, outputs], 1).flatten(0, 1))


def draw_clips(data: ClipTable) -> Image.Image:
    """Four clips, one in a row: frames from its first half."""
    size = len(data) // data.clips
    first = torch.linspace(0, data.clips - 1, COLUMNS).round().long() * size
    frames = torch.arange(COLUMNS) * max(1, size // 2 // (COLUMNS - 1))
    return join(data.table[(first[:, None] + frames).flatten()])


def join(images: Tensor) -> Image.Image:
    """images or solids uint8 [16, ...] -> a square of them."""
    samples = images.float() / 127.5 - 1
    shown = shade(samples, 30.0) if modality_of(samples) is VOXELS else as_pictures(samples)
    return make_grid(shown, COLUMNS, 1, 0).resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def draw_points(points: Tensor) -> Image.Image:
    """Dots in the plane, or as heights of a histogram on a line."""
    image = Image.new("RGBA", (SIDE, SIDE))
    pen = ImageDraw.Draw(image)
    points = points.flatten(1)
    if points.shape[1] == 1:
        counts = torch.histc(points, 28)
        for i, height in enumerate((counts / counts.max() * (SIDE - 16)).tolist()):
            pen.rectangle((4 * i, SIDE - 6 - height, 4 * i + 2, SIDE - 6), fill=GREEN)
        return image
    low, high = points.amin(0), points.amax(0)
    span = float((high - low).max())
    places = ((points - (low + high) / 2) / span * (SIDE - 16) + SIDE / 2).tolist()
    for x, y in places:
        pen.ellipse((x - 1.5, SIDE - y - 1.5, x + 1.5, SIDE - y + 1.5), fill=GREEN)
    return image


def draw_lines(lines: list[str]) -> Image.Image:
    """Some lines of text."""
    image = Image.new("RGBA", (SIDE, SIDE))
    pen = ImageDraw.Draw(image)
    for i, line in enumerate(lines):
        pen.text((8, 6 + 17 * i), line[:14], fill=GREY, font=ImageFont.load_default(14))
    return image


def main() -> None:
    """Draw one picture for each data set, or for those that are named."""
    OUT.mkdir(parents=True, exist_ok=True)
    first = {recipe.data.source: name for name, recipe in reversed(list(RECIPES.items())) if recipe.data.source}
    for source in sys.argv[1:] or first:
        path = OUT / f"{source.replace(':', '-')}.png"
        draw(first[source]).save(path, optimize=True)
        print(f"{path.name}  {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
