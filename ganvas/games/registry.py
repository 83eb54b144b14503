"""Find games and recipes by name, list them, and build the networks of a recipe."""

from __future__ import annotations

from typing import Any

import torch

from ganvas.config import Recipe
from ganvas.core.game import Game
from ganvas.errors import unknown_name
from ganvas.games import GAMES, RECIPES


def list_recipes() -> list[dict[str, Any]]:
    """One row for each recipe: name, game, paper, data, parameters of all networks, minutes on the reference machine, about."""
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


def find_game(name: str) -> type[Game]:
    """The class of a game. Raises: UsageError: no such game; the message has the nearest name."""
    if name not in GAMES:
        raise unknown_name("game", name, GAMES)
    return GAMES[name]


def build(recipe: Recipe) -> Game:
    """The game of a recipe with new weights, from the global random state."""
    return GAMES[recipe.game](recipe.config)


def find_recipe(name: str) -> Recipe:
    """The recipe. Raises: UsageError: no such recipe; the message has the nearest name."""
    if name not in RECIPES:
        raise unknown_name("recipe", name, RECIPES, "ganvas recipes")
    return RECIPES[name]
