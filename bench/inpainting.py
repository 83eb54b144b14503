"""Inpainting: PSNR of all holes together, beside that of a diffusion fill and of the mean color, and a sheet to look at.

    python bench/inpainting.py RUN SOURCE [--split test] [--count 10] [--sheet FILE.png]

RUN is a model of an inpaint-... recipe, or one that samples pictures, which fills by inversion. Each picture of SOURCE, as the
model takes it, gets the mask of the number of its row; SOURCE of photographs is cut into squares as for the training. Prints a
JSON row. The sheet has for each picture: with its hole, the diffusion fill, what the model made, the truth.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from ganvas.core.capabilities import Inpaints
from ganvas.data.masks import masks_of_seeds
from ganvas.editing.hole_inversion import fill_by_inversion
from ganvas.games.recipes import open_data, parse_recipe
from ganvas.inference.model import load
from ganvas.inference.picture_inpainting import inpaint_one
from ganvas.layers.smooth_fill import EXACT, fill_smoothly
from ganvas.media.grid import make_grid
from ganvas.media.image_files import save_png
from ganvas.metrics.psnr import psnr_within


def main() -> None:
    """Fill holes in the pictures that are named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("source")
    parser.add_argument("--split", default="train", choices=("train", "test"))
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument("--sheet", type=Path)
    asked = parser.parse_args()
    model = load(asked.run)
    recipe = parse_recipe(model.card["recipe"])
    data = open_data(replace(recipe, data=replace(recipe.data, source=asked.source, split=asked.split)))
    rows = torch.linspace(0, len(data) - 1, min(asked.count, len(data))).long()
    real = data.rows(rows)["real"]
    masks = masks_of_seeds(rows.tolist(), *real.shape[-2:])
    outside = (1 - masks).to(torch.uint8)
    smooth = fill_smoothly(real * outside, masks, EXACT).round().to(torch.uint8)
    mean = ((real * outside).sum((2, 3), keepdim=True) / outside.sum((2, 3), keepdim=True)).round().to(torch.uint8)
    started, made = time.process_time(), []
    for image, mask in zip(real, masks, strict=True):
        picture, hole = image.permute(1, 2, 0).numpy(), mask[0].numpy() > 0
        if isinstance(model.game, Inpaints):
            filled = inpaint_one(model.game, picture, hole)
        else:
            filled = fill_by_inversion(model, picture, hole).picture
        made.append(torch.from_numpy(np.array(filled)).permute(2, 0, 1))
    seconds = (time.process_time() - started) / len(made)
    sets = {"model": torch.stack(made), "diffusion fill": smooth, "mean color": mean.expand_as(real)}
    shares = masks.flatten(1).mean(1).double()
    # Of all holes together: where a hole is black, as around a digit, every filling is perfect, and its own PSNR infinite.
    errors = {name: (10 ** (-psnr_within(x, real, masks) / 10) * shares).sum() / shares.sum() for name, x in sets.items()}
    scores = {name: round(float(-10 * error.log10()), 2) for name, error in errors.items()}
    print(json.dumps({"model": model.name, "pictures": len(made), "psnr_hole": scores, "seconds": round(seconds, 2)}))
    if asked.sheet:
        shown = torch.where(masks > 0, 128, real).to(torch.uint8)
        parts = torch.stack([shown, smooth, sets["model"], real], 1).flatten(0, 1)
        save_png(asked.sheet, make_grid(parts.float() / 127.5 - 1, 8 if len(made) > 1 else 4, 2, 2), {})


if __name__ == "__main__":
    main()
