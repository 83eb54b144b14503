"""The engine: D first, shared fakes, lazy terms, running averages, steps that are not finite."""

from __future__ import annotations

import copy
import itertools
import math
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch
from support import PLAN, miniature, state_hash
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from ganvas.config import TrainConfig
from ganvas.core.game import Batch, Game, Loss, Step, Terms, Turn, sum_losses
from ganvas.core.telemetry import read_together
from ganvas.data.table import TableDataset
from ganvas.engine.autotune import initial_state
from ganvas.engine.balance import Balance
from ganvas.engine.loop import discriminator_view, seed_step, train
from ganvas.engine.state import State, dump, new_state, restore
from ganvas.games import RECIPES
from ganvas.utils.seeds import mix

POINTS = TableDataset("points", {"real": torch.randn(32, 2, generator=torch.Generator().manual_seed(0))})
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
        self.repeat = 1
        self.poison: Callable[[Step], float] = lambda step: 1.0
        self.poison_g: Callable[[Step], float] = lambda step: 1.0

    def turns(self) -> tuple[Turn, ...]:
        return (
            Turn("discriminator", "D", self.d_loss, repeat=self.repeat),
            Turn("generator", "G", self.g_loss),
        )

    def fake(self, batch: Batch, step: Step) -> Tensor:
        def make() -> Tensor:
            self.made += 1
            self.count += 1
            fake: Tensor = self.G(step.normal(len(batch["real"]), 1))
            return fake

        return step.compute_once("fake", make)

    def d_loss(self, batch: Batch, step: Step) -> Terms:
        self.moves.append("D")
        return {"D": (self.D(self.fake(batch, step).detach()).mean() - self.D(batch["real"]).mean()) * self.poison(step)}

    def g_loss(self, batch: Batch, step: Step) -> Terms:
        self.moves.append("G")
        return {"G": -self.D(self.fake(batch, step)).mean() * self.poison_g(step)}


def play(game: Toy, steps: int, config: TrainConfig = CONFIG) -> State:
    state = new_state(game, config, PLAN)
    for _ in itertools.islice(train(state, POINTS, config), steps):
        pass
    return state


def test_the_discriminator_moves_first_and_fakes_are_made_once_a_batch() -> None:
    game = Toy()
    play(game, 3)
    assert game.moves == ["D", "G"] * 3
    assert game.made == 3


def test_n_critic_draws_fresh_batches_and_counts_them() -> None:
    game = Toy()
    game.repeat = 3
    state = play(game, 2)
    assert game.moves.count("D") == 6
    assert game.made == 6  # one for each batch; G answers to the last
    assert state.items == 2 * 3 * CONFIG.batch


def test_a_run_ends_after_its_images() -> None:
    state = new_state(Toy(), CONFIG, PLAN)
    assert len(list(train(state, POINTS, CONFIG))) == 100
    assert state.items == 800


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
    assert state.average.count.data_ptr() == state.game.count.data_ptr()  # a buffer of no averaged network: shared


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


@pytest.mark.parametrize("repeat", [1, 2])
def test_a_move_that_is_not_finite_is_not_made(repeat: int) -> None:
    """D has moved, by a finite loss, when the loss of G turns out not to be: D's move stays, and G and its moments do too."""
    game = Toy()
    game.repeat = repeat
    game.poison_g = lambda step: float("nan") if step.index == 5 else 1.0
    state = play(game, 5)
    before = copy.deepcopy(dump(state)[0])
    step, _ = next(train(state, POINTS, CONFIG))
    assert (state.dropped, math.isfinite(step.values["D"]), math.isfinite(step.values["G"])) == (1, True, False)
    after = dump(state)[0]
    assert all(torch.isfinite(value).all() for group in after.values() for value in group.values())
    changed = {name.partition(".")[0] for name, value in before["game"].items() if not torch.equal(value, after["game"][name])}
    assert changed == {"D"}
    assert state_hash({"G": after["optimizer.G"]}) == state_hash({"G": before["optimizer.G"]})


def test_the_generator_does_not_answer_a_move_that_was_left_out() -> None:
    game = Toy()
    game.poison = lambda step: float("inf") if step.index == 3 else 1.0
    state = play(game, 3)
    before = copy.deepcopy(dump(state)[0])
    next(train(state, POINTS, CONFIG))
    assert state_hash(dump(state)[0]) == state_hash(before)


def test_the_halflife_is_in_images_however_many_batches_a_step_takes() -> None:
    game = Toy()
    game.repeat = 5
    state = play(game, 40)
    before = [p.clone() for p in state.average.G.parameters()]
    target = [p.detach().clone() for p in state.game.G.parameters()]
    next(train(state, POINTS, replace(CONFIG, learning_rate=0.0, images=10**6)))
    for a, b, c in zip(before, state.average.G.parameters(), target, strict=True):
        torch.testing.assert_close(b, c + (a - c) * 0.5 ** (5 * 8 / 16))


def test_what_is_not_averaged_is_the_games_own() -> None:
    recipe, data = miniature("dcgan-mnist")
    state = initial_state(recipe, PLAN)
    next(train(state, data, recipe.train))
    pairs = zip(state.game.state_dict(keep_vars=True).items(), state.average.state_dict(keep_vars=True).values(), strict=True)
    for (name, own), kept in pairs:
        assert (own.data_ptr() == kept.data_ptr()) == name.startswith("D."), name
        assert not kept.requires_grad
    assert all(weight.requires_grad for weight in state.game.parameters())


def test_a_penalty_is_due_in_each_kth_move_of_the_discriminator() -> None:
    """While the balance lets D move in each 4th step only, a penalty of each 4th move is due in each 16th step."""
    recipe, data = miniature("gan-ring")
    state = initial_state(replace(recipe, train=replace(recipe.train, balance="fixed")), PLAN)
    assert recipe.config.rules.penalty_every == 4
    state.balances = {"": Balance(steering=False, lead=1.6)}
    assert state.balances[""].pause == 4
    due = [step.index for step, terms in itertools.islice(train(state, data, recipe.train), 33) if "R1" in terms]
    assert due == [0, 16, 32]
    assert state.moves == {"discriminator": 9, "generator": 33}


def test_a_lazy_term_is_reported_as_its_mean_share() -> None:
    recipe, data = miniature("gan-ring")
    found = []
    for every in (1, 4):
        rules = replace(recipe.config.rules, penalty_every=every)
        state = initial_state(replace(recipe, config=replace(recipe.config, rules=rules)), PLAN)
        found.append(next(train(state, data, recipe.train))[0].values["R1"])
    assert found[0] == pytest.approx(found[1])


def test_a_checkpoint_from_before_moves_were_counted_goes_on_by_steps() -> None:
    recipe, data = miniature("gan-ring")
    runs = []
    for old in (False, True):
        state = initial_state(recipe, PLAN)
        for _ in itertools.islice(train(state, data, recipe.train), 6):
            pass
        tensors, counters = copy.deepcopy(dump(state))
        if old:
            del counters["moves"]
        resumed = initial_state(recipe, PLAN)
        restore(resumed, tensors, counters)
        for _ in itertools.islice(train(resumed, data, recipe.train), 6):
            pass
        runs.append(dump(resumed))
    assert state_hash(runs[0][0]) == state_hash(runs[1][0])
    assert runs[0][1] == runs[1][1]


def test_networks_for_pictures_and_for_solids_have_the_format_of_each() -> None:
    class Both(Toy):
        def __init__(self) -> None:
            super().__init__()
            self.flat, self.solid = nn.Conv2d(3, 4, 3), nn.Conv3d(3, 4, 3)

    game = Both()
    new_state(game, CONFIG, replace(PLAN, channels_last=True))
    assert game.flat.weight.is_contiguous(memory_format=torch.channels_last)
    assert game.solid.weight.is_contiguous(memory_format=torch.channels_last_3d)


def test_a_step_is_seeded_as_by_torch_itself() -> None:
    torch.manual_seed(2**63 + 5)
    expected = torch.rand(4)
    seed_step(2**63 + 5, torch.device("cpu"))
    assert torch.equal(torch.rand(4), expected)


class Reads(TorchDispatchMode):
    """Counts numbers that are read one by one; `one_hot` checks its input on a CPU only, `softness` lies there."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.ops.aten._local_scalar_dense.default:
            callers = {frame.name for frame in traceback.extract_stack()}
            self.count += not callers & {"class_weights", "one_hot", "sample_gumbel", "softness"}
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("name", RECIPES)
def test_a_step_reads_nothing_from_the_device_but_its_numbers_at_the_end(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One transfer a step, in which all terms and notes come together; the meta device would fail at any other."""
    recipe, data = miniature(name)
    kept, held_out = data.hold_out(0.42)
    state = initial_state(recipe, PLAN)
    steps = train(state, kept, recipe.train, held_out=held_out)
    next(steps)
    transfers: list[int] = []

    def counted(*groups: Any) -> Any:
        transfers.append(reads.count)
        with torch.utils._python_dispatch._disable_current_modes():
            return read_together(*groups)

    monkeypatch.setattr("ganvas.engine.moves.read_together", counted)
    with Reads() as reads:
        for _ in itertools.islice(steps, 8):
            reads.count = 0  # what is read of the numbers once they are on the CPU
    assert transfers == [0] * 8


def test_ranks_average_what_follows_a_batch_and_nothing_else() -> None:
    from ganvas.engine.loop import batch_means
    from ganvas.engine.moves import changing_buffers

    def names(recipe: str, pick: Callable[[Game], list[Tensor]]) -> set[str]:
        game = initial_state(miniature(recipe)[0], PLAN).game
        chosen = {id(buffer) for buffer in pick(game)}
        return {name for name, buffer in game.named_buffers() if id(buffer) in chosen}

    assert names("stylegan2-fashion", batch_means) == {"path_mean", "G.mapping.mean"}
    assert names("stylegan2-fashion", changing_buffers) == {"path_mean", "G.mapping.mean"}
    assert names("progan-mnist", batch_means) == set()
    assert names("progan-mnist", changing_buffers) == {"G.level", "D.level"}
    assert {name.rpartition(".")[2] for name in names("dcgan-mnist", batch_means)} == {"running_mean", "running_var"}


def test_losses_that_are_summed_have_terms_of_different_names() -> None:
    one: Loss = lambda batch, step: {"G": torch.ones(())}  # noqa: E731
    assert set(sum_losses(one, lambda batch, step: {"L1": torch.ones(())})({}, Step())) == {"G", "L1"}
    with pytest.raises(ValueError, match="several have G"):
        sum_losses(one, one)({}, Step())


@pytest.mark.parametrize(
    ("names", "discriminators", "says"),
    [(("a", "a"), ((), ()), "turns of different names, found 'a' twice"), (("a", "b"), (("",), ("",)), "discriminators of")],
)
def test_turns_that_could_not_be_told_apart_are_refused(names: Any, discriminators: Any, says: str) -> None:
    class Doubled(Toy):
        def turns(self) -> tuple[Turn, ...]:
            first = super().turns()[0]
            return tuple(replace(first, name=name, discriminators=d) for name, d in zip(names, discriminators, strict=True))

    with pytest.raises(ValueError, match=says):
        new_state(Doubled(), CONFIG, PLAN)


def test_wasserstein_clipping_holds_after_every_move() -> None:
    recipe, data = miniature("gan-ring")
    rules = replace(recipe.config.rules, objective="wasserstein", clip=0.01, n_critic=2)
    recipe = replace(recipe, config=replace(recipe.config, rules=rules), train=replace(recipe.train, learning_rate=0.1))
    state = initial_state(recipe, PLAN)
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
    assert discriminator_view({}, CONFIG) is None
    view = discriminator_view({}, replace(CONFIG, diff_augment=("translation", "cutout")))
    assert view is not None
    seen = view(x, Step(), "")
    assert not torch.equal(seen, x)
    assert torch.equal(view(x[:, 0, 0], Step(), ""), x[:, 0, 0])  # points stay as they are
    assert float((seen == 0).float().mean()) > 0.1  # holes


def test_a_recipe_trains_with_diff_augment_and_its_penalty() -> None:
    recipe, data = miniature("cgan-mnist")
    changed = replace(recipe, train=replace(recipe.train, diff_augment=("color", "translation", "cutout")))
    plain, augmented = (initial_state(r, PLAN) for r in (recipe, changed))
    for state, config in ((plain, recipe.train), (augmented, changed.train)):
        for _, (_, terms) in zip(range(2), train(state, data, config), strict=False):
            assert all(torch.isfinite(term) for term in terms.values())
    assert any(not torch.equal(a, b) for a, b in zip(plain.game.parameters(), augmented.game.parameters(), strict=True))
