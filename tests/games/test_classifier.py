"""The classifier of points: the same game, without convolutions."""

from __future__ import annotations

import dataclasses
from dataclasses import replace

import pytest
import torch
from support import PLAN

from ganvas.config import TrainConfig
from ganvas.core.game import Step
from ganvas.data.table import TableDataset
from ganvas.engine.loop import train
from ganvas.engine.state import new_state
from ganvas.errors import UsageError
from ganvas.games.classifier import Classifier, Config


def test_points_on_two_sides_of_a_line_are_told_apart() -> None:
    torch.manual_seed(0)
    points = torch.randn(512, 2)
    source = TableDataset("halves", {"real": points, "label": (points[:, 0] > 0).long()}, ("left", "right"))
    config = Config(dims=0, channels=2, classes=2, widths=(16,), features=16, shift=0, dropout=0.0)
    training = TrainConfig(images=64 * 100, batch=64, learning_rate=1e-2)
    state = new_state(Classifier(config), training, PLAN)
    for _ in train(state, source, training):
        pass
    right = state.game.classify(points).argmax(1) == source.fields["label"]  # type: ignore[operator]
    assert right.float().mean() > 0.95


def test_points_cannot_be_shifted() -> None:
    with pytest.raises(UsageError, match="without shift"):
        Config(dims=0)
    with pytest.raises(UsageError, match=r"config\.dims"):
        dataclasses.replace(Config(), dims=1)


def test_two_ranks_drop_the_units_that_one_would() -> None:
    """The mask is the step's own, cut by rank: the global generator would give both ranks one mask."""
    config = replace(Config(shift=0), dropout=0.5)
    game = Classifier(config).eval()  # BatchNorm apart, so that samples do not depend on each other
    batch = {"real": torch.rand(8, 1, 28, 28) * 2 - 1, "label": torch.arange(8)}

    def loss(rank: int, ranks: int) -> float:
        torch.manual_seed(5)
        share = slice(rank * 8 // ranks, (rank + 1) * 8 // ranks)
        part = {name: field[share] for name, field in batch.items()}
        return float(game.loss(part, Step(rank=rank, ranks=ranks))["C"].detach())

    assert (loss(0, 2) + loss(1, 2)) / 2 == pytest.approx(loss(0, 1), rel=1e-5)
    with torch.no_grad():
        plain = torch.nn.functional.cross_entropy(game.classify(batch["real"]), batch["label"])
    assert loss(0, 1) != pytest.approx(float(plain))
