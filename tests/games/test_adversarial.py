"""What every duel shares: the noise under which far modes overlap."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ganvas.errors import UsageError
from ganvas.game import Step
from ganvas.games.adversarial import Duel, Rules


def duel(noise: float) -> Duel:
    return Duel(Rules(noise=noise), lambda batch, step: batch["real"], lambda x, c: x.sum(1), nn.Linear(1, 1))


@pytest.mark.parametrize(("progress", "sd"), [(0, 0.8), (25, 0.2), (50, 0.0), (100, 0.0)])
def test_noise_falls_with_the_square_and_is_gone_halfway(progress: int, sd: float) -> None:
    torch.manual_seed(0)
    x = torch.zeros(20_000, 2)
    assert duel(0.8).seen(x, Step(0, progress, 100)).std().item() == pytest.approx(sd, rel=0.02)


def test_without_noise_nothing_is_drawn() -> None:
    x, game = torch.zeros(5, 2), duel(0.0)
    before = torch.get_rng_state()
    assert game.seen(x, Step()) is x
    assert torch.equal(torch.get_rng_state(), before)


def test_noise_below_zero_is_refused() -> None:
    with pytest.raises(UsageError, match=r"config\.rules\.noise: expected at least 0"):
        Rules(noise=-1)
