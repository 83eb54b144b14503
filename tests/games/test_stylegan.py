"""StyleGAN: each ingredient can be left out, styles act where they should, noise is fixed when drawing."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest
import torch
from support import PLAN, miniature

from ganvas.core.capabilities import Styled
from ganvas.core.game import Step
from ganvas.engine.autotune import initial_state
from ganvas.engine.loop import train
from ganvas.errors import UsageError
from ganvas.games.stylegan import Config, StyleGAN
from ganvas.layers.normalization import pixel_norm

TINY = Config(resolution=16, width=4, max_width=8, latent_dim=6, mapping=2)


def game(**changes: Any) -> StyleGAN:
    torch.manual_seed(0)
    made = StyleGAN(replace(TINY, **changes))
    for layer in made.G.layers:
        if layer.noise is not None:  # type: ignore[union-attr]
            torch.nn.init.constant_(layer.noise.strength, 0.5)  # type: ignore[union-attr, arg-type]
    return made.requires_grad_(False)


OFF: list[dict[str, Any]] = [
    {"mapping": 0},
    {"noise": False},
    {"mixing": 0.0},
    {"constant": False},
    {"styled": False},
    {"deviation": False},
    {"equalised": False},
]


@pytest.mark.parametrize("changes", OFF)
def test_an_ingredient_left_out_still_trains(changes: dict[str, Any]) -> None:
    recipe, data = miniature("stylegan-fashion")
    recipe = replace(recipe, config=replace(recipe.config, **changes))
    state = initial_state(recipe, PLAN)
    before = {name: weight.clone() for name, weight in state.game.named_parameters()}
    for _ in itertools.islice(train(state, data, recipe.train), 4):
        pass
    assert state.dropped == 0
    assert all(not torch.equal(before[name], weight) for name, weight in state.game.named_parameters())


def test_what_is_left_out_is_not_there() -> None:
    z = torch.randn(3, 6)
    assert torch.equal(game(mapping=0).map(z), pixel_norm(z))
    assert not [name for name, _ in game(noise=False).named_parameters() if "noise" in name]
    assert game(constant=False).G.constant is None
    assert game().G.start is None


def test_without_styles_the_picture_depends_on_its_start_only() -> None:
    made = game(styled=False)
    assert made.G.constant is None
    assert not [name for name, _ in made.named_parameters() if "adain" in name]
    w = made.map(torch.randn(2, 6))[:, None].expand(-1, made.styles, -1).clone()
    before = made.synthesize(w)
    w[:, 1:] += 1.0
    assert torch.equal(made.synthesize(w), before)
    w[:, 0] += 1.0
    assert not torch.allclose(made.synthesize(w), before, atol=1e-3)
    assert [weight.shape for weight in made.style_weights()] == [(8 * 16, 6)]


def test_without_deviation_each_picture_is_judged_alone() -> None:
    x = torch.randn(4, 1, 16, 16)
    for kept in (True, False):
        made = game(deviation=kept)
        assert made.judge(x)[:1].allclose(made.judge(x[:1]), atol=1e-5) is not kept


def test_ordinary_weights_are_the_same_function_at_first_and_learn_faster() -> None:
    even, uneven = game(), game(equalised=False)
    z, x = torch.randn(3, 6), torch.randn(4, 1, 16, 16)
    torch.testing.assert_close(even.sample(z), uneven.sample(z), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(even.judge(x), uneven.judge(x), atol=1e-4, rtol=1e-4)
    moved = []
    for made in (even, uneven):
        before = made.judge(x)
        for weight in made.D.parameters():
            weight.add_(0.01)  # what a step of Adam does
        moved.append(float((made.judge(x) - before).abs().mean()))
    assert moved[1] > 3 * moved[0]


def test_fresh_noise_changes_the_picture_and_fixed_noise_does_not() -> None:
    made, z = game(), torch.randn(3, 6)
    assert torch.equal(made.sample(z), made.sample(z))
    step = Step()
    noisy = made.synthesize(made.map(z), made.noise(3, step.normal))
    assert not torch.allclose(noisy, made.sample(z), atol=1e-3)
    without = game(noise=False)
    w = without.map(z)
    assert torch.equal(without.synthesize(w, without.noise(3, step.normal)), without.synthesize(w))


def test_each_layer_listens_to_its_own_style() -> None:
    made = game()
    assert isinstance(made, Styled)
    w = made.map(torch.randn(2, 6))[:, None].expand(-1, made.styles, -1)
    before = made.synthesize(w)
    for layer in range(made.styles):
        changed = w.clone()
        changed[0, layer] += 1.0
        after = made.synthesize(changed)
        assert not torch.allclose(after[0], before[0], atol=1e-4), layer
        torch.testing.assert_close(after[1], before[1])
    assert [weight.shape for weight in made.style_weights()] == [(2 * c, 6) for c in (8, 8, 8, 8, 4, 4)]


def test_training_follows_the_mean_style_and_drawing_does_not() -> None:
    made = game()
    made.sample(torch.randn(4, 6))
    assert not made.w_mean.any()
    made.make_fakes({"real": torch.zeros(4, 1, 16, 16)}, Step())
    assert made.w_mean.any()


def test_wrong_settings_are_one_line() -> None:
    with pytest.raises(UsageError, match=r"config.mixing: expected from 0 to 1, got 2"):
        replace(TINY, mixing=2.0)
    with pytest.raises(UsageError, match=r"config.mapping: expected at least 0"):
        replace(TINY, mapping=-1)
