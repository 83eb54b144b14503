"""What the end of a run reports of the test split."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch

from ganvas.config import Recipe
from ganvas.core.capabilities import Bounds, Classifies, Conditional, Writes
from ganvas.core.game import Game
from ganvas.data.dataset import Dataset
from ganvas.data.table import TableDataset
from ganvas.errors import DataError
from ganvas.evaluation import validation
from ganvas.evaluation.accuracy import accuracy
from ganvas.games.recipes import open_samples
from ganvas.metrics.elbo import elbo_terms


def open_test_split(recipe: Recipe, data: Dataset, game: Game, tell: Callable[[str], None]) -> TableDataset | None:
    """The test split of the data of a run; None, with a message to `tell`, if it cannot be used.

    None also if the game has nothing to report on it.
    """
    if not isinstance(game, Classifies | Bounds | Writes):
        return None
    try:
        test = open_samples(replace(recipe, data=replace(recipe.data, split="test")))
    except DataError as failure:  # a folder without test/, or one that cannot be read: no reason to lose the run
        tell(f"no result on a test split: {failure}")
        return None
    if test.classes != data.classes:
        tell("no result on the test split: its classes are not those of the training split")
        return None
    return test


def measure_test_split(game: Game, test: TableDataset) -> dict[str, float]:
    """The measures on the test split for result.json: accuracy of a classifier, terms of a bound and nats a symbol in nats."""
    if isinstance(game, Writes):
        return {"test_nats_per_symbol": validation.nats_per_symbol(game, test)}
    device, found = next(game.parameters()).device, {}
    if isinstance(game, Classifies):
        found["test_accuracy"] = accuracy(game.classify, test, device=device)
    if not isinstance(game, Bounds):
        return found
    batch = test.rows(torch.arange(len(test)))  # as bytes
    label = batch["label"] if isinstance(game, Conditional) else None
    parts = {name: float(each.mean()) for name, each in elbo_terms(game, batch["real"], label).items()}
    return found | {"test_loss": sum(parts.values()), **{f"test_{name}": value for name, value in parts.items()}}
