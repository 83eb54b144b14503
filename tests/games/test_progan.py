"""ProGAN: growth without a jump, level as a pure function of progress, a resume in the middle of a fade."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
import torch
from support import PLAN, miniature, state_hash

from ganvas.core.capabilities import Grows
from ganvas.core.game import Step
from ganvas.engine.autotune import initial_state
from ganvas.engine.loop import train
from ganvas.engine.state import dump, restore
from ganvas.errors import UsageError
from ganvas.games import RECIPES
from ganvas.games.progan import Config, ProGAN, level_at

TINY = Config(width=4, max_width=8, latent_dim=6)  # 4, 8, 16, 32


def game_at(level: float, config: Config = TINY) -> ProGAN:
    torch.manual_seed(0)
    game = ProGAN(config)
    game.G.level.fill_(level)
    game.D.level.fill_(level)
    return game


def test_level_stays_then_fades_and_ends_at_the_last() -> None:
    levels = [level_at(share / 12, 4, 0.5) for share in range(13)]
    assert levels == pytest.approx([0, 0, 1, 1, 2, 2, 3, 3, 3, 3, 3, 3, 3])
    assert level_at(0.5 * 0.75 / 3, 4, 0.5) == pytest.approx(0.5)
    assert level_at(0.0, 4, 0.0) == 3
    finer = [level_at(share / 1000, 4, 0.6) for share in range(1001)]
    assert all(0 <= after - before < 0.011 for before, after in itertools.pairwise(finer))


def test_the_recipe_begins_at_four_pixels_and_ends_at_thirty_two() -> None:
    recipe = RECIPES["progan-mnist"]
    assert recipe.config.sides == [4, 8, 16, 32]
    assert recipe.data.fit == "pad"
    assert RECIPES["progan-images"].config.sides == [4, 8, 16, 32, 64, 128]


@pytest.mark.parametrize("boundary", [1.0, 2.0, 3.0])
@pytest.mark.parametrize("side", [-1, 1])
def test_nothing_jumps_at_a_boundary(boundary: float, side: int) -> None:
    """Just before a resolution is whole, and just after the next begins to fade in, all is as at the boundary."""
    if boundary + side * 1e-5 > 3:
        pytest.skip("nothing follows the last resolution")
    z, x = torch.randn(4, 6), torch.rand(4, 1, 32, 32) * 2 - 1
    at, near = game_at(boundary), game_at(boundary + side * 1e-5)
    with torch.no_grad():
        torch.testing.assert_close(at.sample(z), near.sample(z), atol=1e-3, rtol=1e-3)
        torch.testing.assert_close(at.judge(x), near.judge(x), atol=1e-3, rtol=1e-3)
        torch.testing.assert_close(at.blend(x), near.blend(x), atol=1e-4, rtol=1e-3)
        assert not torch.allclose(at.sample(z), game_at(boundary + side * 0.5).sample(z), atol=1e-2)


def test_reals_keep_the_detail_of_the_level_only() -> None:
    x = torch.randn(2, 1, 32, 32)
    assert torch.equal(game_at(3.0).blend(x), x)
    coarse = game_at(1.0).blend(x)
    torch.testing.assert_close(coarse[:, :, ::4, ::4], coarse[:, :, 3::4, 3::4])
    torch.testing.assert_close(game_at(1.5).blend(x), (coarse + game_at(2.0).blend(x)) / 2)


def test_one_latent_at_every_resolution() -> None:
    game, z = game_at(2.25), torch.randn(3, 6)
    assert isinstance(game, Grows)
    assert game.resolutions == (4, 8, 16, 32)
    assert torch.equal(game.sample_at(z, 32), game.sample(z))
    assert torch.equal(game.sample_at(z, 16), game_at(2.0).sample(z))
    assert game_at(1.0).resolutions == (4, 8)
    with pytest.raises(UsageError, match="expected one of 4, 8, got 16"):
        game_at(1.0).sample_at(z, 16)


def test_layers_that_are_not_there_yet_do_not_move() -> None:
    recipe, data = miniature("progan-mnist")
    state = initial_state(recipe, PLAN)
    next(train(state, data, recipe.train))
    before = state.game.state_dict()
    late = [name for name in before if name.startswith(("G.stages", "D.stages", "G.heads.1", "D.heads.1"))]
    start = initial_state(recipe, PLAN).game.state_dict()
    assert late
    assert all(torch.equal(before[name], start[name]) for name in late)


def test_resume_in_the_middle_of_a_fade_is_exact() -> None:
    recipe, data = miniature("progan-mnist")
    recipe = replace(recipe, config=replace(recipe.config, grown_by=1.0))

    def play(steps: int, state=None):  # type: ignore[no-untyped-def]
        state = state or initial_state(recipe, PLAN)
        for _ in itertools.islice(train(state, data, recipe.train), steps):
            pass
        return state

    halfway = play(15)
    assert 0.1 < float(halfway.game.G.level) % 1 < 0.9  # type: ignore[operator, union-attr]
    tensors, counters = dump(halfway)
    resumed = initial_state(recipe, PLAN)
    restore(resumed, {group: {k: v.clone() for k, v in held.items()} for group, held in tensors.items()}, counters)
    assert state_hash(dump(play(5, resumed))[0]) == state_hash(dump(play(20))[0])


def test_advance_sets_the_same_level_for_both() -> None:
    game = ProGAN(TINY)
    game.advance(Step(items_seen=55, total_items=100))
    assert float(game.G.level) == float(game.D.level) == pytest.approx(level_at(0.55, 4, 0.6))


def test_the_drift_term_is_part_of_the_loss() -> None:
    game, batch = game_at(3.0), {"real": torch.rand(4, 1, 32, 32)}
    terms = game.turns()[0].loss(batch, Step())
    assert set(terms) == {"D", "drift", "GP"}
    torch.testing.assert_close(terms["drift"], 0.001 * game.judge(batch["real"]).square().mean())


def test_without_growth_it_has_its_full_size_from_the_first_step() -> None:
    game = ProGAN(replace(TINY, grown_by=0.0))
    game.advance(Step(items_seen=0, total_items=100))
    assert game.resolutions == (4, 8, 16, 32)
    grown = ProGAN(TINY)
    grown.advance(Step(items_seen=0, total_items=100))
    assert grown.resolutions == (4,)
    coarse = grown.sample(torch.randn(1, 6))
    torch.testing.assert_close(coarse[:, :, ::8, ::8], coarse[:, :, 7::8, 7::8])
    fine = game.sample(torch.randn(1, 6))
    assert not torch.allclose(fine[:, :, ::8, ::8], fine[:, :, 7::8, 7::8], atol=1e-3)


def test_held_out_reals_are_shown_as_the_others_are() -> None:
    """At 4x4 the critic judges what it never saw without detail, as it sees what it learns from."""
    recipe, data = miniature("progan-mnist")
    state, seen = initial_state(recipe, PLAN), []
    judge = state.game.judge
    state.game.judge = lambda x, c=None: (seen.append(x.detach()), judge(x, c))[1]  # type: ignore[method-assign]
    next(train(state, data, recipe.train, held_out=data))
    assert len(seen) > 2
    for image in seen[:3]:  # held out, real, fake
        torch.testing.assert_close(image.float(), state.game.blend(image.float()))  # type: ignore[operator]
