"""A duel: its noise, labels, penalties and hooks, several in one game, patches, scales and older fakes."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from ganvas.core.game import Step, sum_losses
from ganvas.core.memory import Memory
from ganvas.errors import UsageError
from ganvas.games.common.duel import Duel
from ganvas.games.common.rules import Rules, with_objective


def duel(noise: float) -> Duel:
    return Duel(Rules(noise=noise), lambda batch, step: batch["real"], lambda x, c: x.sum(1), nn.Linear(1, 1))


@pytest.mark.parametrize(("progress", "sd"), [(0, 0.8), (25, 0.2), (50, 0.0), (100, 0.0)])
def test_noise_falls_with_the_square_and_is_gone_halfway(progress: int, sd: float) -> None:
    torch.manual_seed(0)
    x = torch.zeros(20_000, 2)
    assert duel(0.8).view(x, Step(0, progress, 100)).std().item() == pytest.approx(sd, rel=0.02)


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
    assert game.view(x, Step()) is x
    assert torch.equal(torch.get_rng_state(), before)


def test_the_variety_of_the_fakes_is_relative_to_that_of_the_reals() -> None:
    real = torch.randn(64, 5, generator=torch.Generator().manual_seed(0)) + 3
    game = Duel(Rules(), lambda batch, step: 0.25 * batch["real"], lambda x, c: x.sum(1), nn.Linear(1, 1), name="a")
    step = Step()
    game.d_loss({"real": real}, step)
    assert step.notes["variety_a"].item() == pytest.approx(0.25, rel=1e-4)


def test_noise_below_zero_is_refused() -> None:
    with pytest.raises(UsageError, match=r"config\.rules\.noise: expected at least 0"):
        Rules(noise=-1)


@pytest.mark.parametrize("objective", ["hinge", "wasserstein", "relativistic"])
def test_labels_are_smoothed_only_where_the_objective_has_some(objective: str) -> None:
    rules = Rules(objective=objective, smoothing=0.9)  # a config of an old bundle still loads
    with pytest.raises(UsageError, match=r"config\.rules\.smoothing: expected 1, because \w+ has no label to smooth, got 0\.9"):
        plain(rules).turns()
    chosen = with_objective(Rules(smoothing=0.9), objective)
    assert chosen.smoothing == 1
    plain(chosen).turns()
    assert with_objective(Rules(smoothing=0.9), "leastsquares").smoothing == 0.9


def plain(rules: Rules, **changes: Any) -> Duel:
    """Fakes are twice the reals; a logit is the sum of a sample."""
    return Duel(rules, lambda batch, step: 2 * batch["real"], lambda x, c: x.flatten(1).sum(1), nn.Linear(1, 1), **changes)


def test_two_duels_of_a_game_keep_terms_notes_and_fakes_apart() -> None:
    a, b = (
        Duel(
            Rules(r1_gamma=1.0),
            lambda batch, step, other=other: batch[other] + 1,  # type: ignore[misc]
            lambda x, c: x.flatten(1).sum(1),
            nn.Linear(1, 1),
            name=name,
            real=lambda batch, step, name=name: batch[name],  # type: ignore[misc]
        )
        for name, other in (("a", "b"), ("b", "a"))
    )
    batch, step = {"a": torch.zeros(4, 2), "b": torch.ones(4, 2)}, Step()
    terms = sum_losses(a.d_loss, b.d_loss)(batch, step)
    assert set(terms) == {"D_a", "R1_a", "D_b", "R1_b"}
    assert {"verdict_real_a", "verdict_fake_b", "strain_a", "logit_gap_b"} <= set(step.notes)
    assert torch.equal(a.make_fake(batch, step), torch.full((4, 2), 2.0))
    assert torch.equal(b.make_fake(batch, step), torch.ones(4, 2))
    assert [turn.name for turn in (*a.turns(), *b.turns())] == [
        "discriminator_a",
        "generator_a",
        "discriminator_b",
        "generator_b",
    ]
    assert a.d_turn("D_a").discriminators == ("a",)
    assert set(a.held_out_logits(batch, step)) == {"a"}


@pytest.mark.parametrize("together", [True, False])
def test_logits_of_patches_and_of_several_scales(together: bool) -> None:
    """The loss is the mean over scales of the mean over patches, and a score is that of a sample's logits."""
    large, small = (lambda x: x[:, :, :2]), (lambda x: 3 * x[:, :, 2:])
    game = Duel(
        Rules(r1_gamma=2.0, r2_gamma=1.0),
        lambda batch, step: batch["real"] + 1,
        lambda x, c: [large(x), small(x)],
        nn.Linear(1, 1),
        together=together,
    )
    batch = {"real": torch.randn(5, 1, 3, generator=torch.Generator().manual_seed(0))}
    step = Step()
    terms = game.d_loss(batch, step)
    real, fake = batch["real"], batch["real"] + 1
    each = [F.softplus(-part(real)).mean() + F.softplus(part(fake)).mean() for part in (large, small)]
    torch.testing.assert_close(terms["D"], (each[0] + each[1]) / 2)
    # The slope of a sample's score: half of the mean of two, and half of three times the third.
    torch.testing.assert_close(terms["R1"], torch.tensor(0.25**2 + 0.25**2 + 1.5**2))
    torch.testing.assert_close(game.g_loss(batch, step)["G"], sum(F.softplus(-p(fake)).mean() for p in (large, small)) / 2)
    logits = game.held_out_logits(batch, step)[""]
    assert logits.shape == (5, 3)
    right = torch.cat([large(real), small(real)], 2) > 0
    torch.testing.assert_close(step.notes["verdict_real"], right.float().mean())


def test_further_losses_join_without_a_wrapper() -> None:
    extra = {"L1": torch.ones(())}
    game = plain(Rules(), d_extra=(lambda batch, step: dict(extra),), g_extra=(lambda batch, step: dict(extra),))
    batch = {"real": torch.ones(2, 2)}
    assert set(game.d_loss(batch, Step())) == {"D", "L1"}
    assert set(game.g_loss(batch, Step())) == {"G", "L1"}


@pytest.mark.parametrize(("extra", "term"), [("g_extra", "G"), ("d_extra", "D"), ("d_extra", "R1")])
def test_a_further_loss_never_replaces_another(extra: str, term: str) -> None:
    game = plain(Rules(r1_gamma=1.0), **{extra: (lambda batch, step: {term: torch.zeros(())},)})
    loss = game.g_loss if extra == "g_extra" else game.d_loss
    with pytest.raises(ValueError, match=f"terms of different names; several have {term}"):
        loss({"real": torch.ones(4, 2)}, Step())


def test_features_of_fakes_that_are_the_reals_match() -> None:
    features = lambda x, c: [x, x.square()]  # noqa: E731
    batch = {"real": torch.ones(3, 2)}
    assert plain(Rules(), features=features).match_features(batch, Step())["features"].item() == 2.0  # |2 - 1|, |4 - 1|
    with pytest.raises(UsageError, match="feature matching needs the features of D"):
        plain(Rules()).match_features(batch, Step())


def test_a_discriminator_with_a_memory_is_shown_older_fakes_and_the_generator_is_not() -> None:
    memory = Memory(4)
    game = plain(Rules(r2_gamma=1.0), memory=memory)
    game.d_loss({"real": torch.zeros(4, 2)}, Step())
    memory.keep()
    torch.manual_seed(0)
    batch, step = {"real": torch.ones(4, 2)}, Step()
    game.d_loss(batch, step)
    shown = game.remember_fake(batch, step)
    assert set(shown.unique().tolist()) == {0.0, 2.0}, "some of before, some of this batch; once for loss and penalty"
    assert torch.equal(game.make_fake(batch, step), torch.full((4, 2), 2.0))


def test_the_pass_with_a_gradient_comes_first_under_autocast() -> None:
    """A weight that autocast has cast within no_grad is used again without its graph by whatever comes next."""
    D = nn.Linear(3, 1)
    for loss in ("g_loss", "match_features"):
        game = Duel(
            Rules(objective="relativistic"),
            lambda batch, step: batch["real"] + 1,
            lambda x, c: D(x).squeeze(1),
            D,
            features=lambda x, c: [D(x)],
        )
        with torch.autocast("cpu", torch.bfloat16):
            terms = getattr(game, loss)({"real": torch.randn(4, 3)}, Step())
        (slope,) = torch.autograd.grad(sum(terms.values()), [D.weight])
        assert slope.any(), loss


def test_a_penalty_is_due_by_the_moves_of_the_discriminator() -> None:
    game, batch = plain(Rules(r1_gamma=1.0, penalty_every=4)), {"real": torch.ones(2, 2)}
    due = [move for move in range(9) if "R1" in game.d_loss(batch, Step(index=4 * move, move=move))]
    assert due == [0, 4, 8]
    step = Step(index=1, move=0)
    assert game.d_loss(batch, step)["R1"].item() == pytest.approx(4 * game.penalties(batch, Step())["R1"].item())
    assert step.lazy == {"R1": 4}


def test_penalties_are_in_float32_unless_the_rules_say_otherwise() -> None:
    D, seen = nn.Linear(3, 1), []

    def judge(x: torch.Tensor, c: torch.Tensor | None) -> torch.Tensor:
        seen.append((logits := D(x)).dtype)
        return logits.squeeze(1)

    values = []
    for full in (True, False):
        game = Duel(Rules(r1_gamma=1.0, full_precision=full), lambda batch, step: batch["real"] + 1, judge, D)
        with torch.autocast("cpu", torch.bfloat16):
            values.append(game.penalties({"real": torch.randn(4, 3)}, Step())["R1"])
    assert seen == [torch.float32, torch.bfloat16]
    assert values[1].item() == pytest.approx(values[0].item(), rel=0.02)
    (slope,) = torch.autograd.grad(values[1], [D.weight])
    assert torch.allclose(slope, D.weight, rtol=0.02)


def test_one_logit_and_a_map_of_logits_may_stand_side_by_side() -> None:
    game = Duel(
        Rules(), lambda batch, step: -batch["real"], lambda x, c: (x[:, 0], x.unflatten(1, (1, 1, -1))), nn.Linear(1, 1)
    )
    batch, step = {"real": torch.ones(4, 6)}, Step()
    assert game.d_loss(batch, step)["D"].item() == pytest.approx(2 * math.log1p(math.exp(-1)))
    assert step.notes["verdict_real"] == 1
    assert step.notes["verdict_fake"] == 0
    assert game.held_out_logits(batch, Step())[""].shape == (4, 7)
