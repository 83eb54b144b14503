"""The controller that keeps two players level: what it answers to, what it leaves alone, and that it resumes exactly."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from pathlib import Path

import miniatures
import pytest
import torch
from support import PLAN, miniature, state_hash

from ganvas.core.game import Step, Turn
from ganvas.engine.autotune import initial_state
from ganvas.engine.balance import GRACE, HIGH, INTERVAL, Balance
from ganvas.engine.loop import discriminator_view, train
from ganvas.engine.state import State, dump, restore
from ganvas.games import GAMES
from ganvas.games.common.rules import with_objective

DISCRIMINATOR = Turn("discriminator", "D", lambda batch, step: {}, discriminators=("",))
GENERATOR = Turn("generator", "G", lambda batch, step: {})


def told(balance: Balance, looks: int, real: float, fake: float, held_out: float | None = None) -> list[str]:
    """What the controller says while the critic's verdicts stay as given, after the grace of the start."""
    lines = []
    for index in range(GRACE, GRACE + looks * INTERVAL):
        step = Step(index, index, 10**6)
        step.values = {"verdict_real": real, "verdict_fake": fake}
        if held_out is not None:
            step.values["verdict_held_out"] = held_out
        balance.observe(step)
        lines += step.events
    return lines


def test_a_game_in_the_band_is_left_alone() -> None:
    balance = Balance()
    assert told(balance, 50, 0.7, 0.3, 0.69) == []
    assert balance.rate == 1
    assert balance.augment == balance.noise == balance.lead == 0
    x = torch.randn(3, 2)
    assert balance.perturb(x, Step()) is x


def test_a_critic_too_far_ahead_is_slowed_then_rested_and_let_go_again() -> None:
    balance = Balance()
    lines = told(balance, 16, 0.98, 0.02)
    assert "the discriminator is right 98% of the time, too far ahead to teach" in lines[0]
    assert balance.rate < 0.1
    assert not balance.steers(GENERATOR)
    assert not balance.plays(DISCRIMINATOR, 1)
    assert balance.plays(DISCRIMINATOR, 4)
    assert balance.plays(GENERATOR, 1)
    lines = told(balance, 12, 0.7, 0.3)
    assert "again" in lines[-1]
    assert balance.lead == 0


def test_letting_go_is_quicker_than_holding_back() -> None:
    slow, quick = Balance(), Balance()
    told(slow, 6, 0.99, 0.01)
    raised = slow.lead
    quick.restore(slow.dump())
    told(quick, 6, 0.55, 0.45)
    assert raised > 0.4
    assert quick.lead == 0


def test_a_critic_who_cannot_tell_is_left_alone() -> None:
    """At the end of a good game nobody can."""
    balance = Balance()
    assert told(balance, 60, 0.5, 0.5) == []
    assert balance.rate == 1


def test_a_critic_whose_loss_explodes_takes_shorter_steps_at_once() -> None:
    balance = Balance()
    lines: list[str] = []
    for index in range(30):  # in the grace of the start
        step = Step(index, index, 10**6)
        step.values = {"verdict_real": 0.7, "verdict_fake": 0.3, "strain": 40.0}
        balance.observe(step)
        lines += step.events
    assert "40 times that of one that only guesses" in lines[0]
    assert balance.rate == pytest.approx(1 / 12)
    told(balance, 10, 0.7, 0.3)
    assert 0.85 < balance.lead < 1, "it comes back slowly, or the strain would come back"


def test_what_is_learnt_by_heart_is_answered_by_augmentation() -> None:
    balance = Balance()
    lines = told(balance, 30, 0.98, 0.02, held_out=0.6)
    assert any("calls training images real" in line for line in lines)
    assert balance.augment > 0.3
    assert balance.lead < 0.3, "a critic that is ahead because it memorises is hardly slowed"
    images = torch.rand(8, 1, 12, 12) * 2 - 1
    torch.manual_seed(0)
    shown = balance.perturb(images, Step())
    assert shown.shape == images.shape
    assert not torch.equal(shown, images)
    told(balance, 200, 0.7, 0.3, held_out=0.7)
    assert balance.augment == 0


def test_few_images_of_which_none_are_held_out_are_augmented_when_the_critic_is_sure_of_them() -> None:
    """r_t of ADA is 2 share - 1, and should be 0.4: arXiv:2006.06676 eq. 1."""
    balance = Balance(unwatched=True)
    events = told(balance, 100, 0.9, 0.05)
    assert balance.augment > 0.5
    assert any("calls 90% of the few training images real; augmentation up" in event for event in events)
    before = balance.augment
    told(balance, 20, 0.68, 0.3)
    assert abs(balance.augment - before) < 0.1
    told(balance, 200, 0.6, 0.3)
    assert balance.augment == 0


@pytest.mark.parametrize(("share", "unwatched"), [(0.0, True), (0.42, False)])
def test_the_loop_knows_whether_images_are_held_out(share: float, unwatched: bool) -> None:
    recipe, data = miniature("cgan-mnist")
    kept, held_out = data.hold_out(share)
    state = initial_state(recipe, PLAN)
    next(train(state, kept, recipe.train, held_out=held_out))
    assert state.balances[""].unwatched is unwatched


def test_nothing_happens_in_the_grace_of_the_start_or_when_only_watching() -> None:
    balance = Balance()
    for index in range(GRACE - 1):
        step = Step(index, index, 10**6, values={"verdict_real": 1.0, "verdict_fake": 0.0})
        balance.observe(step)
        assert step.events == []
    watching = Balance(steering=False)
    assert told(watching, 20, 0.99, 0.01) == []
    assert watching.lead == 0
    assert watching.skill == pytest.approx(0.99)


@pytest.mark.parametrize("skill", [0.0, 0.5, HIGH])
def test_the_edges_of_the_band_belong_to_it(skill: float) -> None:
    balance = Balance(skill=skill)
    assert balance.intervene() == []
    assert balance.lead == 0


def pushed(images: int) -> tuple[State, list[str]]:
    """A miniature whose critic is pushed ahead, after some images."""
    recipe, data = miniature("gan-ring")
    config = replace(recipe.train, images=images, rates={"D": 30.0})
    kept, held_out = data.hold_out(0.42)
    state = initial_state(replace(recipe, train=config), PLAN)
    state.balances = {"": Balance(lead=1.2, augment=0.3)}
    events = []
    for step, _ in train(state, kept, config, held_out=held_out):
        events += step.events
    return state, events


def test_the_state_of_the_balance_resumes_exactly() -> None:
    recipe, data = miniature("gan-ring")
    kept, held_out = data.hold_out(0.42)
    assert held_out is not None
    config = replace(recipe.train, images=8 * 200, rates={"D": 30.0})
    recipe = replace(recipe, train=config)

    def begun() -> State:
        state = initial_state(recipe, PLAN)
        state.balances = {"": Balance(lead=1.2)}
        return state

    whole = begun()
    for _ in train(whole, kept, config, held_out=held_out):
        pass
    first = begun()
    for _ in itertools.islice(train(first, kept, config, held_out=held_out), 133):
        pass
    tensors, counters = dump(first)
    second = initial_state(recipe, PLAN)
    restore(second, tensors, json.loads(json.dumps(counters)))
    for _ in train(second, kept, config, held_out=held_out):
        pass
    assert dump(second)[1] == dump(whole)[1]
    assert state_hash(dump(second)[0]) == state_hash(dump(whole)[0])


def test_noise_and_rests_reach_the_game() -> None:
    state, _ = pushed(8 * 40)
    assert state.balances[""].noise > 0
    moves = {player: int(max(s["step"] for s in opt.state.values())) for player, opt in state.optimizers.items()}
    assert moves["D"] * 2 <= moves["G"] + 1


def test_a_critic_who_measures_a_distance_is_never_slowed() -> None:
    """A Wasserstein critic should be at its optimum. Source: arXiv:1701.07875 sec. 3."""
    recipe, _ = miniature("gan-ring")
    game = initial_state(
        replace(recipe, config=replace(recipe.config, rules=with_objective(recipe.config.rules, "wasserstein"))), PLAN
    )
    assert not any(turn.steerable for turn in game.game.turns())
    assert all(Balance(lead=2.0).plays(turn, 1) for turn in game.game.turns())


@pytest.mark.parametrize("name", ["progan-mnist", "cgan-mnist"])
def test_a_game_without_a_turn_to_steer_is_only_watched(name: str) -> None:
    """Noise and augmentation reach the critic through what it is shown, not through its turn: they stay away as well."""
    recipe, _ = miniature(name)
    recipe = replace(recipe, config=replace(recipe.config, rules=with_objective(recipe.config.rules, "wasserstein-gp")))
    balance = initial_state(recipe, PLAN).balances[""]
    assert not balance.steering
    balance.memory, balance.skill = 0.5, 1.0
    for index in range(GRACE, GRACE + 4 * INTERVAL):
        step = Step(index, 0, 10**6, values={"verdict_real": 1.0, "verdict_fake": 0.0})
        balance.observe(step)
        assert not step.events
    assert balance.lead == balance.augment == 0
    nonsaturating = with_objective(recipe.config.rules, "nonsaturating")
    steered = initial_state(replace(recipe, config=replace(recipe.config, rules=nonsaturating)), PLAN).balances[""]
    assert steered.steering


@pytest.mark.parametrize("mode", ["auto", "fixed", "off"])
def test_fixed_watches_and_off_does_not(mode: str, tmp_path: Path) -> None:
    recipe, data = miniature("gan-ring")
    config = replace(recipe.train, balance=mode, rates={"D": 30.0}, images=8 * 150)
    state = initial_state(replace(recipe, train=config), PLAN)
    notes: set[str] = set()
    for step, _ in train(state, data, config):
        notes |= step.notes.keys()
        assert not step.events or mode == "auto"
    assert ("skill" in notes) == (mode != "off")


def test_before_the_first_look_nothing_is_said_of_skill() -> None:
    recipe, data = miniature("gan-ring")
    state = initial_state(recipe, PLAN)
    seen = ["skill" in step.notes for step, _ in train(state, data, replace(recipe.train, images=8 * 20))]
    assert seen == [False] * 15 + [True] * 5


def test_parting_keeps_samples_apart_and_together_they_are_all() -> None:
    _, data = miniature("cgan-mnist")
    kept, held_out = data.hold_out(0.5)
    assert held_out is not None
    assert kept.index is not None
    assert held_out.index is not None
    assert sorted([*kept.index.tolist(), *held_out.index.tolist()]) == list(range(48))
    again = data.hold_out(0.5)[0]
    assert again.index is not None
    assert torch.equal(again.index, kept.index)
    assert data.hold_out(0.1) == (data, None)  # four samples say nothing
    batch = held_out.samples(torch.tensor([0]))
    assert torch.equal(batch["label"], data.fields["label"][held_out.index[:1]])


def test_a_critic_that_may_rest_does_so_above_80_percent_of_the_last_batch() -> None:
    """arXiv:1610.07584 sec. 3.1."""
    balance = Balance(steering=False, resting=True)
    plays = []
    for real, fake in ((0.9, 0.3), (0.95, 0.3), (0.9, 0.2), (0.6, 0.4)):
        step = Step(0, 0, 10**6)
        step.values = {"verdict_real": real, "verdict_fake": fake}
        balance.observe(step)
        plays.append(balance.plays(DISCRIMINATOR, 1))
        assert balance.plays(GENERATOR, 1)
        assert balance.plays(replace(DISCRIMINATOR, steerable=False), 1)  # one that measures a distance never rests
    assert plays == [True, False, False, True]


def test_a_resting_critic_stays_as_it_is_and_looks_on() -> None:
    recipe, data = miniature("cgan-mnist")
    recipe = replace(recipe, train=replace(recipe.train, balance="rest"))
    state = initial_state(recipe, PLAN)
    moved, looked, rested = 0, 0, 0
    for step, terms in itertools.islice(train(state, data, recipe.train), 12):
        looked += "verdict_real" in step.notes
        moved += "D" in terms
        assert "G" in terms
        if step.index == 5:
            state.balances[""].last = 0.9  # as if it had been right about nine in ten
            before = {name: weight.clone() for name, weight in state.game.D.state_dict().items()}
        if step.index == 6:
            rested += "D" not in terms
            assert all(torch.equal(weight, before[name]) for name, weight in state.game.D.state_dict().items())
    assert rested == 1
    assert looked == 12
    assert 0 < moved < 12


def test_rest_is_in_the_checkpoint() -> None:
    one, other = Balance(steering=False, resting=True, last=0.9), Balance(steering=False, resting=True)
    other.restore(json.loads(json.dumps(one.dump())))
    assert other.last == 0.9
    assert not other.plays(DISCRIMINATOR, 1)


def test_each_discriminator_is_watched_and_held_back_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(GAMES, "miniature-cycle", miniatures.Cycle)  # type: ignore[arg-type]
    recipe, data = miniature("miniature-cycle")
    state = initial_state(recipe, PLAN)
    assert set(state.balances) == {"a", "b"}
    state.balances["a"].lead = 1.6  # D_a moves in each 4th step, at a twelfth of its rate
    state.balances["b"].lead = 0.5
    seen: set[str] = set()
    for step, terms in itertools.islice(train(state, data, recipe.train, held_out=data), 32):
        seen |= set(step.values)
        assert ("D_a" in terms) == (step.index % 4 == 0)
        assert "D_b" in terms
    assert state.moves == {"discriminator_a": 8, "discriminator_b": 32, "generator": 32}
    rates = {player: optimizer.param_groups[0]["lr"] for player, optimizer in state.optimizers.items()}
    assert rates["D_a"] == pytest.approx(rates["G"] / 12)
    assert rates["D_b"] == pytest.approx(rates["G"] * 12**-0.5)
    assert {"verdict_real_a", "verdict_held_out_b", "skill_a", "skill_b", "lead_a"} <= seen
    assert step.values["lead_a"] == 1.6
    assert step.values["lead_b"] == 0.5


def test_the_balance_of_several_discriminators_resumes_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(GAMES, "miniature-cycle", miniatures.Cycle)  # type: ignore[arg-type]
    recipe, data = miniature("miniature-cycle")
    whole, first = initial_state(recipe, PLAN), initial_state(recipe, PLAN)
    for state, steps in ((whole, 30), (first, 21)):
        state.balances["a"].lead = 1.2
        for _ in itertools.islice(train(state, data, recipe.train, held_out=data), steps):
            pass
    tensors, counters = dump(first)
    assert set(counters["balance"]) == {"a", "b"}
    second = initial_state(recipe, PLAN)
    restore(second, tensors, json.loads(json.dumps(counters)))
    for _ in itertools.islice(train(second, data, recipe.train, held_out=data), 9):
        pass
    assert dump(second)[1] == dump(whole)[1]
    assert state_hash(dump(second)[0]) == state_hash(dump(whole)[0])


def test_noise_and_augmentation_reach_their_own_discriminator_only() -> None:
    x = torch.rand(4, 1, 8, 8)
    view = discriminator_view(
        {"a": Balance(name="a"), "b": Balance(name="b", augment=0.8)}, miniature("miniature-cycle")[0].train
    )
    assert view is not None
    assert view(x, Step(), "a") is x
    assert not torch.equal(view(x, Step(), "b"), x)


def test_what_is_said_names_the_discriminator() -> None:
    balance = Balance(name="a")
    step = Step(0, 0, 10**6, values={"verdict_real_a": 0.7, "verdict_fake_a": 0.3, "strain_a": 40.0})
    for _ in range(6):
        balance.observe(step)
    assert "the loss of the discriminator a is 40 times" in step.events[0]
    assert step.values["lead_a"] > 0


def test_a_checkpoint_of_one_discriminator_has_the_format_of_before() -> None:
    recipe, _ = miniature("gan-ring")
    state = initial_state(recipe, PLAN)
    balance = dump(state)[1]["balance"]
    before = {"last", "lead", "least", "augment", "skill", "memory", "warmth", "sums"}
    assert set(balance) == before | {"sure"}
    counters = dump(state)[1] | {"balance": {name: balance[name] for name in before} | {"lead": 0.7}}
    restore(state, dump(state)[0], counters)
    assert state.balances[""].lead == 0.7
