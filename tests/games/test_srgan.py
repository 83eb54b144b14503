"""SRGAN: it starts as bicubic interpolation; pixels first, then details; both are in one model."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from PIL import Image
from translation_tables import TRAIN, measure_reach, pairs, play, randomize, smooth_images

from ganvas.config import Recipe
from ganvas.core.game import Step
from ganvas.errors import UsageError
from ganvas.games.recipes import parse_recipe, resolve_recipe
from ganvas.games.srgan import RECIPES, SRGAN, Config
from ganvas.metrics.resize import enlarge
from ganvas.utils.settings import from_dict, to_dict

TINY = Config(resolution=32, width=4, blocks=1, critic_widths=(4, 4, 8))
REAL = smooth_images(side=32)
DATA = pairs(real=REAL, low=REAL[:, :, ::2, ::2].contiguous())
BATCH = DATA.samples(torch.arange(4))


def game(**changes: object) -> SRGAN:
    torch.manual_seed(0)
    return SRGAN(dataclasses.replace(TINY, **changes))  # type: ignore[arg-type]


def at(made: SRGAN, progress: float) -> SRGAN:
    made.advance(Step(items_seen=round(100 * progress), total_items=100))
    return made


@pytest.mark.parametrize("scale", [2, 4])
def test_the_bicubic_interpolation_is_that_of_pillow(scale: int) -> None:
    values = np.random.default_rng(0).random((9, 12), np.float32)
    wanted = np.asarray(Image.fromarray(values).resize((12 * scale, 9 * scale), Image.Resampling.BICUBIC))
    found = enlarge(torch.from_numpy(values)[None, None], scale)[0, 0]
    torch.testing.assert_close(found, torch.from_numpy(wanted.copy()), atol=1e-5, rtol=0)


def test_it_starts_as_the_interpolation() -> None:
    low = BATCH["low"]
    for scale in (2, 4):
        found = game(scale=scale).upscale(low)
        assert found.shape == (4, 3, 16 * scale, 16 * scale)
        assert torch.equal(found, enlarge(low, scale).clamp(-1, 1))


def test_pixels_first_then_details() -> None:
    made = at(game(), 0.2)
    assert [turn.trains for turn in made.turns()] == ["P"]
    assert set(made.turns()[0].loss(BATCH, Step())) == {"L1"}
    assert [turn.trains for turn in at(made, 0.6).turns()] == ["D", "G"]
    step = Step()
    assert set(made.turns()[0].loss(BATCH, step)) == {"D", "R1"}
    assert set(made.turns()[1].loss(BATCH, step)) == {"G", "L1", "perceptual"}
    assert [turn.trains for turn in at(game(pixel_share=1.0), 0.99).turns()] == ["P"]
    assert [turn.trains for turn in at(game(pixel_share=0.0), 0.0).turns()] == ["D", "G"]


def test_the_strength_is_between_the_weights() -> None:
    made = game()
    randomize(made.P, 0.3)
    for weight in made.delta.parameters():
        torch.nn.init.normal_(weight, 0, 0.1)
    low = BATCH["low"]
    pixels, half = (made.upscale(low, strength) for strength in (0.0, 0.5))
    torch.testing.assert_close(pixels, made.P(low).clamp(-1, 1))
    with torch.no_grad():
        for weight, change in zip(made.P.parameters(), made.delta.parameters(), strict=True):
            weight += 0.5 * change
    torch.testing.assert_close(half, made.P(low).clamp(-1, 1))
    assert not torch.allclose(pixels, half)


def test_only_the_change_learns_against_the_discriminator() -> None:
    made = at(game(), 1.0)
    randomize(made.P)
    sum(made.turns()[1].loss(BATCH, Step()).values()).backward()  # type: ignore[union-attr]
    assert all(weight.grad is not None and bool(weight.grad.any()) for weight in made.delta.parameters())
    assert all(weight.grad is None for weight in made.P.parameters())


def test_a_run_has_both_parts() -> None:
    """A quarter of the run learns pixels; then the network for pixels stays as it is."""
    made = game(pixel_share=0.25)
    train = dataclasses.replace(TRAIN, images=8 * 40)
    state, terms = play(made, DATA, 40, train)
    assert [set(each) >= {"D", "G"} for each in terms] == [False] * 10 + [True] * 30
    assert state.dropped == 0
    assert all(bool(weight.any()) for weight in made.delta.parameters())


def test_the_reach_is_what_it_says() -> None:
    made = game(blocks=3)
    randomize(made.P)
    assert made.reach - 2 <= measure_reach(made.P, 48, scale=2) <= made.reach


def test_the_scale_has_to_be_that_of_the_data() -> None:
    assert TINY.adapt(DATA.facts).resolution == 32
    with pytest.raises(UsageError, match=r"config\.scale: expected 2, as in the data, got 4; .*data\.pair=bicubic-4"):
        dataclasses.replace(TINY, scale=4).adapt(DATA.facts)


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_recipes_survive_their_json(recipe: Recipe) -> None:
    assert from_dict(Recipe, to_dict(recipe), config=Config) == recipe
    assert recipe.data.pair == f"bicubic-{recipe.config.scale}"


def test_a_run_of_before_the_discriminator_saw_slopes_goes_on() -> None:
    """Its recipe.json has no such setting, and its checkpoints hold the smaller discriminator."""
    for name in ("sr-photos", "motion-emoji"):
        kept = to_dict(resolve_recipe(name, {}))
        assert kept["config"].pop("slopes")
        assert not parse_recipe(kept).config.slopes
