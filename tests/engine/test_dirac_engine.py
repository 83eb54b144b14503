"""The Dirac-GAN played by the real engine, with plain gradient steps: R1 contracts at the predicted rate, nothing else does.

The critic moves first and the artist answers the new critic: near the equilibrium one step is a 2 x 2 matrix whose determinant
is 1 - h gamma for the logistic losses (slope 1/2 at 0), whatever else. Source: arXiv:1801.04406 sec. 3, linearised by hand.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from support import PLAN
from torch import Tensor, nn

from ganvas.config import TrainConfig
from ganvas.core.game import Batch, Game, Step, Turn
from ganvas.data.table import TableDataset
from ganvas.engine.loop import train
from ganvas.engine.state import new_state
from ganvas.games.common.duel import Duel
from ganvas.games.common.rules import Rules

NEAR = 1e-2  # of the equilibrium: the linear regime
STEPS = 60


class Number(nn.Module):
    """One learnt number."""

    def __init__(self, start: float) -> None:
        super().__init__()
        self.value = nn.Parameter(torch.tensor(start))


@dataclass(frozen=True)
class Config:
    rules: Rules
    theta: float
    psi: float


class Dirac(Game):
    """Reals lie at 0, the artist's only sample at theta, the critic's logit is psi x."""

    config_type = Config
    needs = ("real",)
    players = {"D": ("D",), "G": ("G",)}  # noqa: RUF012

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.G, self.D = Number(config.theta), Number(config.psi)

    def turns(self) -> tuple[Turn, ...]:
        return Duel(self.config.rules, self.make_fakes, self.judge, self.D).turns()

    def make_fakes(self, batch: Batch, step: Step) -> Tensor:
        return self.G.value.expand(len(batch["real"]), 1)

    def judge(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        return (self.D.value * x).squeeze(1)


def played(rules: Rules, theta: float, psi: float, h: float) -> list[float]:
    """Where theta and psi are after STEPS steps of size h by the engine."""
    game = Dirac(Config(rules, theta, psi))
    config = TrainConfig(images=2 * STEPS, batch=2, learning_rate=h, average_halflife=0, balance="off")
    state = new_state(game, config, PLAN)
    state.optimizers = {
        name: torch.optim.SGD(game.player_parameters(name), lr=1.0)  # type: ignore[misc]
        for name in game.players
    }
    for _ in train(state, TableDataset("zero", {"real": torch.zeros(8, 1)}), config):
        pass
    return [game.G.value.item(), game.D.value.item()]


def shrinkage(rules: Rules, h: float) -> float:
    """The determinant of one step: by how much areas round the equilibrium shrink."""
    ends = [played(rules, theta * NEAR, psi * NEAR, h) for theta, psi in ((1.0, 0.0), (0.0, 1.0))]
    area = float(torch.linalg.det(torch.tensor(ends, dtype=torch.float64) / NEAR))
    return float(area ** (1 / STEPS))


@pytest.mark.parametrize("objective", ["nonsaturating", "minimax"])
@pytest.mark.parametrize(("gamma", "h"), [(0.5, 0.1), (1.0, 0.2), (2.0, 0.1)])
def test_r1_contracts_at_the_predicted_rate(objective: str, gamma: float, h: float) -> None:
    assert shrinkage(Rules(objective=objective, r1_gamma=gamma), h) == pytest.approx(1 - h * gamma, rel=1e-3)


@pytest.mark.parametrize("objective", ["nonsaturating", "minimax", "wasserstein"])
@pytest.mark.parametrize("h", [0.1, 0.5])
def test_without_a_penalty_nothing_contracts(objective: str, h: float) -> None:
    assert shrinkage(Rules(objective=objective), h) == pytest.approx(1, abs=1e-4)


def test_a_lazy_penalty_contracts_as_much_on_average() -> None:
    """Each fourth step four times as strong: (1 - 4 h gamma) once in four."""
    found = shrinkage(Rules(r1_gamma=0.5, penalty_every=4), 0.1)
    assert found == pytest.approx((1 - 4 * 0.1 * 0.5) ** 0.25, rel=1e-3)


def test_r2_vanishes_at_the_equilibrium_no_more_than_r1() -> None:
    assert shrinkage(Rules(r2_gamma=0.5), 0.1) == pytest.approx(shrinkage(Rules(r1_gamma=0.5), 0.1), rel=1e-3)
