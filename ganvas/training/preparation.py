"""Let a game that `Prepares` learn something of its data, before the first step of a run or of a branch on other data."""

from __future__ import annotations

from pathlib import Path

import torch

from ganvas.config import Recipe
from ganvas.core.capabilities import Prepares
from ganvas.core.game import Game
from ganvas.data.dataset import Dataset
from ganvas.data.loader import fetch
from ganvas.engine import checkpoint
from ganvas.errors import DataError
from ganvas.games.registry import build
from ganvas.utils.files import remove_tree

MOST = 10_000  # samples that a game learns from


def prepare_game(game: Game, data: Dataset, seed: int, device: str = "cpu") -> None:
    """Let `game` learn of the first training samples in the order of this seed, if it `Prepares`. Equal on all ranks."""
    if isinstance(game, Prepares):
        samples = fetch(data, seed, 0, min(MOST, len(data)), device)
        game.prepare(samples[game.needs[0]])


def prepare_checkpoint(folder: Path, recipe: Recipe, data: Dataset) -> None:
    """Let the game in the checkpoint in `folder` learn of other training samples, if it `Prepares`. The rest stays.

    Raises:
        DataError: there is no checkpoint. ResourceError: the disk refused.
    """
    with torch.random.fork_rng(devices=[]):
        game = build(recipe)
    if not isinstance(game, Prepares):
        return
    found = checkpoint.load(folder)
    if found is None:
        raise DataError(f"{folder} has no checkpoint that can be read; choose another with --at")
    before = found.tensors["game"]
    game.load_state_dict(before)
    prepare_game(game, data, recipe.train.seed)
    learned = {name: tensor for name, tensor in game.state_dict().items() if not torch.equal(tensor, before[name])}
    tensors = {**found.tensors, **{group: {**found.tensors[group], **learned} for group in ("game", "average")}}
    remove_tree(found.path)
    checkpoint.save(folder, found.items, tensors, found.meta)
