"""The list of recipes, for people and for scripts."""

from __future__ import annotations

from typing import Any

import torch

from ganvas.games import RECIPES, build


def catalogue() -> list[dict[str, Any]]:
    """One row a recipe: name, game, paper, data, parameters (of all networks), minutes (reference machine), about."""
    rows = []
    for recipe in RECIPES.values():
        with torch.device("meta"):
            parameters = sum(weight.numel() for weight in build(recipe).parameters())
        rows.append(
            {
                "name": recipe.name,
                "game": recipe.game,
                "paper": recipe.paper,
                "data": recipe.data.source or "your own",
                "parameters": parameters,
                "minutes": recipe.minutes,
                "about": recipe.about,
            }
        )
    return rows
