"""The engine: critic first, shared fakes, lazy turns, running averages, steps that are not finite."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
import torch
from support import PLAN, miniature
from torch import Tensor, nn

from ganvas.config import TrainConfig
from ganvas.data.source import Source
from ganvas.engine import State, begin, spectacles, train
from ganvas.game import Batch, Game, Step, Terms, Turn
from ganvas.plan import fresh
from ganvas.seeds import mix

POINTS = Source("points", {"real": torch.randn(32, 2, generator=torch.Generator().manual_seed(0))})
CONFIG = TrainConfig(images=800, batch=8, learning_rate=0.1, average_halflife=16)


@dataclass(frozen=True)
class Nothing:
    pass


class Toy(Game):
    """Two players of one weight each; what happens in a turn is recorded."""

    config_type = Nothing
    needs = ("real",)
    players = {"D": ("D",), "G": ("G",)}  # noqa: RUF012
    averaged = ("G",)

    def __init__(self) -> None:
        super().__init__()
        self.D, self.G = nn.Linear(2, 1), nn.Linear(1, 2)
        self.register_buffer("count", torch.zeros(()))
        self.moves: list[str] = []
        self.made = 0
        self.repeat, self.every = 1, 1
        self.poison: Callable[[Step], float] = lambda step: 1.0

    def turns(self) -> tuple[Turn, ...]:
        return (
            Turn("critic", "D", self.critic, repeat=self.repeat),
            Turn("penalty", "D", self.penalty, every=self.every),
            Turn("artist", "G", self.artist),
        )

    def fake(self, batch: Batch, step: Step) -> Tensor:
        def make() -> Tensor:
            self.made += 1
            self.count += 1
            fake: Tensor = self.G(step.normal(len(batch["real"]), 1))
            return fake

        return step.shared("fake", make)

    def critic(self, batch: Batch, step: Step) -> Terms:
        self.moves.append("critic")
        return {"D": (self.D(self.fake(batch, step).detach()).mean() - self.D(batch["real"]).mean()) * self.poison(step)}

    def penalty(self, batch: Batch, step: Step) -> Terms:
        self.moves.append("penalty")
        return {"P": sum(p.square().sum() for p in self.D.parameters())}  # type: ignore[dict-item]

    def artist(self, batch: Batch, step: Step) -> Terms:
        self.moves.append("artist")
        return {"G": -self.D(self.fake(batch, step)).mean()}


def play(game: Toy, steps: int, config: TrainConfig = CONFIG) -> State:
    state = begin(game, config, PLAN)
    for _ in itertools.islice(train(state, POINTS, config), steps):
        pass
    return state


def test_critic_moves_first_and_fakes_are_made_once_a_batch() -> None:
    game = Toy()
    game.every = 3
    play(game, 3)
    assert game.moves == ["critic", "penalty", "artist", "critic", "artist", "critic", "artist"]
    assert game.made == 3


def test_n_critic_draws_fresh_batches_and_counts_them() -> None:
    game = Toy()
    game.repeat = 3
    state = play(game, 2)
    assert game.moves.count("critic") == 6
    assert game.made == 6  # one for each batch; the artist answers to the last
    assert state.items == 2 * 3 * CONFIG.batch


def test_a_run_ends_after_its_images() -> None:
    state = begin(Toy(), CONFIG, PLAN)
    assert len(list(train(state, POINTS, CONFIG))) == 100
    assert state.items == 800


def test_lazy_turns_shrink_rate_and_moments() -> None:
    game = Toy()
    game.every = 4
    state = play(game, 1)
    group = state.optimizers["D"].param_groups[0]
    assert group["betas"] == pytest.approx((0.5**0.8, 0.999**0.8))
    assert group["lr"] == pytest.approx(0.1 * 0.8)
    assert state.optimizers["G"].param_groups[0]["lr"] == pytest.approx(0.1)


def test_running_average_follows_with_its_halflife() -> None:
    state = play(Toy(), 60)
    before = [p.clone() for p in state.average.G.parameters()]
    target = [p.detach().clone() for p in state.game.G.parameters()]
    config = replace(CONFIG, learning_rate=0.0, images=10**6)
    for _ in itertools.islice(train(state, POINTS, config), 2):  # 16 images: one half-life of 16 where the run is old enough
        pass
    halflife = min(16, 0.05 * state.items)
    for a, b, c in zip(before, state.average.G.parameters(), target, strict=True):
        torch.testing.assert_close(b, c + (a - c) * 0.5 ** (16 / halflife))
    assert torch.equal(state.average.count, torch.zeros(()))  # a buffer of no averaged network


@pytest.mark.parametrize("poison", [float("nan"), float("inf")])
def test_a_step_that_is_not_finite_never_reaches_the_weights(poison: float) -> None:
    game = Toy()
    game.poison = lambda step: poison if step.index == 5 else 1.0
    state = play(game, 5)
    count = game.count.clone()
    steps = train(state, POINTS, CONFIG)
    next(steps)
    assert (state.dropped, state.dropped_in_a_row) == (1, 1)
    assert torch.equal(game.count, count)  # what the forward pass changed is put back
    assert all(torch.isfinite(value).all() for value in game.state_dict().values())
    next(steps)
    assert (state.dropped, state.dropped_in_a_row) == (1, 0)


def test_wasserstein_clipping_holds_after_every_move() -> None:
    recipe, data = miniature("gan-ring")
    rules = replace(recipe.config.rules, objective="wasserstein", clip=0.01, n_critic=2)
    recipe = replace(recipe, config=replace(recipe.config, rules=rules), train=replace(recipe.train, learning_rate=0.1))
    state = fresh(recipe, PLAN)
    for _ in itertools.islice(train(state, data, recipe.train), 3):
        assert max(float(p.detach().abs().max()) for p in state.game.D.parameters()) <= 0.01 + 1e-7


def test_noise_belongs_to_the_sample_not_to_the_rank() -> None:
    def noise(rank: int, ranks: int) -> Tensor:
        torch.manual_seed(3)
        step = Step(rank=rank, ranks=ranks)
        return torch.cat([step.normal(8 // ranks, 5), step.uniform(8 // ranks, 5)], 1)

    whole = noise(0, 1)
    assert torch.equal(torch.cat([noise(0, 2), noise(1, 2)]), whole)
    assert torch.equal(torch.cat([noise(rank, 4) for rank in range(4)]), whole)


def test_mixed_seeds_differ() -> None:
    assert len({mix(seed, "step", index) for seed in range(20) for index in range(200)}) == 4000
    assert mix(1, 23) != mix(12, 3)


def test_diff_augment_changes_what_the_critic_sees_and_nothing_else() -> None:
    x = torch.rand(4, 1, 28, 28)
    assert spectacles(None, CONFIG) is None
    view = spectacles(None, replace(CONFIG, diff_augment=("translation", "cutout")))
    assert view is not None
    seen = view(x, Step())
    assert not torch.equal(seen, x)
    assert torch.equal(view(x[:, 0, 0], Step()), x[:, 0, 0])  # points stay as they are
    assert float((seen == 0).float().mean()) > 0.1  # holes


def test_a_recipe_trains_with_diff_augment_and_its_penalty() -> None:
    recipe, data = miniature("cgan-mnist")
    changed = replace(recipe, train=replace(recipe.train, diff_augment=("color", "translation", "cutout")))
    plain, augmented = (fresh(r, PLAN) for r in (recipe, changed))
    for state, config in ((plain, recipe.train), (augmented, changed.train)):
        for _, (_, terms) in zip(range(2), train(state, data, config), strict=False):
            assert all(torch.isfinite(term) for term in terms.values())
    assert any(not torch.equal(a, b) for a, b in zip(plain.game.parameters(), augmented.game.parameters(), strict=True))
