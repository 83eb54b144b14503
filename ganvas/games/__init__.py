"""Every game and every recipe, by name. Nothing is registered by being imported: a game is a line here."""

from __future__ import annotations

from collections.abc import Mapping

from ganvas.config import Recipe
from ganvas.errors import unknown
from ganvas.game import Game
from ganvas.games import cgan, classifier, cogan, dcgan, gan, r3gan, voxel

GAMES: Mapping[str, type[Game]] = {
    "gan": gan.GAN,
    "cgan": cgan.CGAN,
    "dcgan": dcgan.DCGAN,
    "r3gan": r3gan.R3GAN,
    "cogan": cogan.CoGAN,
    "voxel": voxel.VoxelGAN,
    "classifier": classifier.Classifier,
}

RECIPES: Mapping[str, Recipe] = {
    recipe.name: recipe for module in (cgan, gan, dcgan, r3gan, cogan, voxel, classifier) for recipe in module.RECIPES
}


def game_named(name: str) -> type[Game]:
    """Raises: UsageError: no such game; names the nearest."""
    if name not in GAMES:
        raise unknown("game", name, GAMES)
    return GAMES[name]


def build(recipe: Recipe) -> Game:
    """The recipe's game with fresh weights, from the global random state."""
    return GAMES[recipe.game](recipe.config)


def recipe_named(name: str) -> Recipe:
    """Raises: UsageError: no such recipe; names the nearest."""
    if name not in RECIPES:
        raise unknown("recipe", name, RECIPES)
    return RECIPES[name]
