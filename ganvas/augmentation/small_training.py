"""Train a classifier or a generator on a few pictures in memory, without a run folder."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import torch
from torch import Tensor

from ganvas.config import Recipe
from ganvas.core.capabilities import Classifies, Conditional, Samples
from ganvas.core.game import Game
from ganvas.data.table import TableDataset
from ganvas.engine.autotune import initial_state
from ganvas.engine.loop import train
from ganvas.engine.state import averaged_game
from ganvas.errors import UsageError
from ganvas.games import GAMES, RECIPES
from ganvas.games.recipes import adapt_recipe
from ganvas.inference.batches import sample_chunks
from ganvas.latents.seed_latents import latents
from ganvas.media.image_files import to_bytes
from ganvas.runtime import placement
from ganvas.runtime.plan import Plan
from ganvas.runtime.process_settings import apply_plan, keep_process_settings

WIDTHS = (8, 16, 32)  # channels of the classifier: half of those of the recipe, and twice as fast
JUDGED, LEARNT = 32, 16  # the batches of classifier and generator: few pictures need many steps
SHOWN = 6_000  # pictures that a classifier is shown: enough for the opinion that a filter needs; a study shows it more
SHIFT = 2  # pixels of 28: how far the pictures of a classifier are shifted at most
CHUNK = 500  # pictures that are classified at a time
DRAWN = 64  # samples at a time


class Judge:
    """A classifier that was trained on a few pictures."""

    def __init__(self, game: Classifies) -> None:
        self.game = game

    @torch.no_grad()
    def name_classes(self, images: Tensor) -> Tensor:
        """The likeliest class int64 [n] of pictures uint8 [n, C, H, W]."""
        device = placement.device_of(self.game)
        parts = [self.game.classify(part.to(device).float() / 127.5 - 1).argmax(1) for part in images.split(CHUNK)]
        return placement.to_cpu(torch.cat(parts))


def train_judge(
    data: TableDataset, plan: Plan, *, seed: int = 0, shifted: bool = True, flipped: bool = False, shown: int = SHOWN
) -> Judge:
    """A small classifier (`ganvas/games/classifier.py`) that was shown `shown` pictures of `data`, each as often.

    `shifted`: by up to a fourteenth of their side, another shift each time. `flipped`: half of them are mirrored.
    """
    recipe = RECIPES["classifier-mnist"]
    reach = max(1, round(SHIFT * data.resolution / 28)) if shifted else 0
    settings = replace(
        recipe.train, images=shown, batch=JUDGED, seed=seed, average_halflife=min(2_000, shown // 4), balance="off"
    )
    recipe = replace(recipe, config=replace(recipe.config, shift=reach, widths=WIDTHS), train=settings)
    data = replace(data, flip=flipped)
    return Judge(cast("Classifies", _play(adapt_recipe(recipe, data), data, plan)))


class Drawer:
    """A generator that was trained on a few pictures."""

    def __init__(self, game: Samples) -> None:
        self.game = game

    def draw(self, labels: Tensor, first: int = 0) -> Tensor:
        """Samples uint8 [n, C, H, W] of these classes int64 [n]: sample i has the noise of seed first + i.

        Raises:
            DataError: a sample is not finite.
        """
        z = latents(range(first, first + len(labels)), self.game.latent_dim)
        return sample_chunks(self.game, z, labels, chunk=DRAWN, keep=to_bytes)


def require_conditional(recipe: Recipe) -> None:
    """Raises: UsageError: the game of the recipe does not generate pictures of a class on request."""
    game = GAMES[recipe.game]
    if not (issubclass(game, Conditional) and issubclass(game, Samples)):
        able = {kind for kind, each in GAMES.items() if issubclass(each, Conditional) and issubclass(each, Samples)}
        known = ", ".join(sorted(name for name, each in RECIPES.items() if each.game in able and each.data.source != "shapes"))
        raise UsageError(f"{recipe.name} makes no samples of a class on request; choose one of these recipes: {known}")


def train_drawer(recipe: Recipe, data: TableDataset, plan: Plan, seed: int = 0) -> Drawer:
    """The generator of a conditional recipe, trained on `data` only: `recipe.train.images` pictures, each as often.

    The discriminator sees its pictures augmented (DiffAugment, arXiv:2006.10738), because it would soon know a few by heart.
    """
    settings = replace(
        recipe.train,
        seed=seed,
        batch=min(recipe.train.batch, LEARNT),
        diff_augment=recipe.train.diff_augment or ("translation",),
        average_halflife=min(recipe.train.average_halflife, recipe.train.images // 4),
    )
    return Drawer(cast("Samples", _play(adapt_recipe(replace(recipe, train=settings), data), data, plan)))


def _play(recipe: Recipe, data: TableDataset, plan: Plan) -> Game:
    """The game of a recipe after its training, to be used."""
    with keep_process_settings():
        apply_plan(plan)
        state = initial_state(recipe, plan)
        for _ in train(state, data, recipe.train):
            pass
    return averaged_game(state).eval()
