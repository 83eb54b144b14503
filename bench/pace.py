"""The time that every recipe takes on this machine, beside the minutes that its recipe states.

    python bench/pace.py [RECIPE ...]

Chooses the plan as `ganvas train` does and times steps for some seconds, in the middle of each eighth of the run, so that
networks that grow are timed at every size. Recipes for the user's own images get color noise of 80 x 80 pixels.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch
from PIL import Image

from ganvas.config import Recipe
from ganvas.core.capabilities import Couples
from ganvas.engine.autotune import choose_plan, images_in_minutes
from ganvas.games import GAMES, RECIPES
from ganvas.games.recipes import adapt_recipe, open_data, resolve_recipe
from ganvas.runtime.device import describe_runtime
from ganvas.runtime.distributed import Ranks
from ganvas.runtime.process_settings import apply_plan

ROW = "| {:<29} | {:<8} | {:>7} | {:>9} | {:>8} | {:>7} | {:>6} |"


def make_pictures(folder: Path, count: int = 600, side: int = 80) -> Path:
    """Save random color images, half of them in each of two folders, a/ and b/, and as many label maps in maps/."""
    generator = torch.Generator().manual_seed(0)
    for name, channels, levels in (("pictures/a", 3, 256), ("pictures/b", 3, 256), ("maps", 1, 4)):
        (folder / name).mkdir(parents=True)
        for i in range(count // 2):
            noise = torch.randint(0, levels, (side, side, channels), generator=generator, dtype=torch.uint8)
            Image.fromarray(noise.squeeze(-1).numpy()).save(folder / name / f"{i}.png")
    return folder


def choose_source(recipe: Recipe, folder: Path) -> str:
    """The data source in place of a user's images: two domains if the game couples domains, or label maps with pictures."""
    pictures, needs = folder / "pictures", GAMES[recipe.game].needs
    if "map" in needs:
        return f"{folder / 'maps'}::{pictures / 'b'}"
    return f"edges:{pictures}" if issubclass(GAMES[recipe.game], Couples) else str(pictures)


def main(names: Sequence[str]) -> None:
    """Print a row for each recipe."""
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
