"""Every game and every recipe, by name. Nothing is registered by being imported: a game is a line here."""

from __future__ import annotations

from collections.abc import Mapping

from ganvas.config import Recipe
from ganvas.errors import unknown
from ganvas.game import Game
from ganvas.games import cgan, classifier, cogan, dcgan, gan, progan, r3gan, stylegan, stylegan2, textgan, textlm, vae, voxel

GAMES: Mapping[str, type[Game]] = {
    "gan": gan.GAN,
    "cgan": cgan.CGAN,
    "dcgan": dcgan.DCGAN,
    "r3gan": r3gan.R3GAN,
    "progan": progan.ProGAN,
    "stylegan": stylegan.StyleGAN,
    "stylegan2": stylegan2.StyleGAN2,
    "stylegan2-conditional": stylegan2.ConditionalStyleGAN2,
    "cogan": cogan.CoGAN,
    "voxel": voxel.VoxelGAN,
    "textgan": textgan.TextGAN,
    "textlm": textlm.TextLM,
    "classifier": classifier.Classifier,
    "vae": vae.VAE,
    "vae-conditional": vae.ConditionalVAE,
}

_MODULES = (cgan, gan, dcgan, cogan, r3gan, progan, stylegan, stylegan2, voxel, textgan, textlm, vae, classifier)
RECIPES: Mapping[str, Recipe] = {recipe.name: recipe for module in _MODULES for recipe in module.RECIPES}


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
