"""What every duel shares: the noise under which far modes overlap."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
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


def test_a_real_under_another_label_counts_as_a_fake() -> None:
    """A critic who looks at the label only: reals of class 0 get 2 under their own label and -1 under the other."""
    table = torch.tensor([2.0, -1.0])
    game = Duel(
        Rules(mismatch=0.5),
        lambda batch, step: batch["real"],
        lambda x, c: table[c] + 0 * x[:1, :1],
        nn.Linear(1, 1),
        classes=2,
    )
    batch = {"real": torch.zeros(6, 3), "label": torch.zeros(6, dtype=torch.int64)}
    terms = game.d_loss(batch, Step())
    softplus = {value: math.log1p(math.exp(value)) for value in (-2.0, 2.0, -1.0)}
    assert terms["D"].item() == pytest.approx(softplus[-2.0] + softplus[2.0])
    assert terms["mismatch"].item() == pytest.approx(0.5 * (softplus[-2.0] + softplus[-1.0]))


def test_the_other_label_is_any_but_the_own() -> None:
    seen: list[torch.Tensor] = []

    def judge(x: torch.Tensor, c: torch.Tensor) -> torch.Tensor:
        seen.append(c)
        return F.one_hot(c, 5).sum(-1).float()

    game = Duel(Rules(mismatch=1), lambda batch, step: batch["real"], judge, nn.Linear(1, 1), classes=5)
    game.d_loss({"real": torch.zeros(500, 3), "label": torch.full((500,), 3)}, Step())
    own, other = seen[0][:500].unbind(1)
    assert set(own.tolist()) == {3}
    assert set(other.tolist()) == {0, 1, 2, 4}


def test_labels_are_exchanged_only_where_the_critic_can_judge_two() -> None:
    with pytest.raises(UsageError, match=r"config\.rules\.mismatch needs a game with classes"):
        Duel(Rules(mismatch=1), lambda batch, step: batch["real"], lambda x, c: x.sum(1), nn.Linear(1, 1)).turns()


def test_without_noise_nothing_is_drawn() -> None:
    x, game = torch.zeros(5, 2), duel(0.0)
    before = torch.get_rng_state()
    assert game.seen(x, Step()) is x
    assert torch.equal(torch.get_rng_state(), before)


def test_noise_below_zero_is_refused() -> None:
    with pytest.raises(UsageError, match=r"config\.rules\.noise: expected at least 0"):
        Rules(noise=-1)
