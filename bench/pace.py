"""What every recipe takes on this machine, beside the minutes that it states.

    python bench/pace.py [RECIPE ...]

Settles the plan as `ganvas train` does and takes some seconds of steps, in the middle of each eighth of the run, so that what
grows is measured small and large. Recipes for the user's own pictures get coloured noise of 80 x 80 pixels, in two folders.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch
from PIL import Image

from ganvas.config import Recipe
from ganvas.engine.autotune import choose_plan, images_in_minutes
from ganvas.games import RECIPES
from ganvas.games.recipes import adapt_recipe, open_data, resolve_recipe
from ganvas.runtime.device import describe_runtime
from ganvas.runtime.distributed import Ranks
from ganvas.runtime.process_settings import apply_plan

ROW = "| {:<29} | {:<8} | {:>7} | {:>9} | {:>8} | {:>7} | {:>6} |"


def make_pictures(folder: Path, count: int = 600, side: int = 80) -> Path:
    """Random coloured pictures, half of them in each of two folders."""
    generator = torch.Generator().manual_seed(0)
    for i in range(count):
        noise = torch.randint(0, 256, (side, side, 3), generator=generator, dtype=torch.uint8)
        place = folder / "ab"[i % 2]
        place.mkdir(exist_ok=True, parents=True)
        Image.fromarray(noise.numpy()).save(place / f"{i}.png")
    return folder


def choose_source(recipe: Recipe, folder: Path) -> str:
    """The source that stands for a user's pictures; a pair of domains where the recipe needs one."""
    return f"edges:{folder}" if recipe.game == "cogan" else str(folder)


def main(names: Sequence[str]) -> None:
    """A row for each recipe."""
    facts = describe_runtime()
    print(f"{facts['processor']}, {facts['cores']} cores, PyTorch {facts['torch']}\n")
    print(ROW.format("recipe", "numbers", "threads", "items/s", "items", "minutes", "stated"))
    with tempfile.TemporaryDirectory() as temporary:
        folder = make_pictures(Path(temporary))
        for name in names or RECIPES:
            recipe = RECIPES[name]
            if not recipe.data.source:
                recipe = resolve_recipe(recipe, data=choose_source(recipe, folder))
            data = open_data(recipe)
            recipe = adapt_recipe(recipe, data)
            plan = choose_plan(recipe, data)
            apply_plan(plan)
            _, rate = images_in_minutes(recipe, data, plan, Ranks(), 1.0)
            items = recipe.train.images
            found = (
                name,
                plan.precision,
                plan.threads,
                f"{rate:,.0f}",
                f"{items:,}",
                f"{items / rate / 60:.1f}",
                recipe.minutes,
            )
            print(ROW.format(*found), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
