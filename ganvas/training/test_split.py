"""What the end of a run reports of the test split."""

from __future__ import annotations

import torch

from ganvas.core.capabilities import Bounds, Classifies, Conditional, Writes
from ganvas.core.game import Game
from ganvas.data.table import TableDataset
from ganvas.evaluation import validation
from ganvas.evaluation.accuracy import accuracy
from ganvas.metrics.elbo import elbo_terms


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
