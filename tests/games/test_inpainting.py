"""Inpainting: it starts as the smooth fill, keeps what is outside the hole, and first learns pixels alone."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from translation_tables import TRAIN, play, randomize, smooth_images

from ganvas.config import Recipe
from ganvas.core.game import Step
from ganvas.data.masks import masks_of_seeds
from ganvas.data.table import TableDataset
from ganvas.errors import UsageError
from ganvas.games.inpainting import RECIPES, SHARE, Config, Inpainting
from ganvas.layers.smooth_fill import fill_smoothly
from ganvas.utils.settings import from_dict, to_dict

TINY = Config(resolution=32, crop=0, width=8, dilations=(1, 2), critic_widths=(4, 4, 8), pixel_share=0.6)
REAL = smooth_images(side=32)
DATA = TableDataset("smooth", {"real": REAL})
BATCH = DATA.samples(torch.arange(4))
MASK = masks_of_seeds(range(4), 32, 32)


def game(**changes: object) -> Inpainting:
    torch.manual_seed(0)
    return Inpainting(dataclasses.replace(TINY, **changes))  # type: ignore[arg-type]


def at(made: Inpainting, progress: float) -> Inpainting:
    made.advance(Step(items_seen=round(100 * progress), total_items=100))
    return made


def test_it_starts_as_the_smooth_fill() -> None:
    image = BATCH["real"]
    assert torch.equal(game().inpaint(image, MASK), fill_smoothly(image, MASK).clamp(-1, 1).where(MASK > 0, image))


def test_only_the_hole_changes_and_only_what_is_outside_counts() -> None:
    made, image = game(), BATCH["real"]
    randomize(made.G, 0.3)
    filled = made.inpaint(image, MASK)
    assert torch.equal(filled.where(MASK == 0, 0), image.where(MASK == 0, 0))
    assert filled.abs().max() <= 1
    other = torch.where(MASK > 0, -image, image)
    assert torch.equal(made.inpaint(other, MASK).where(MASK > 0, 0), filled.where(MASK > 0, 0))
    # The network sees the mask, and not the smooth fill alone.
    smooth = fill_smoothly(image, MASK)
    assert not torch.allclose(made.G(smooth, MASK), made.G(smooth, torch.zeros_like(MASK)))


def test_pixels_first_then_the_discriminator() -> None:
    made = at(game(), 0.2)
    (turn,) = made.turns()
    assert turn.trains == "G"
    assert set(turn.loss(BATCH, Step())) == {"L1"}
    assert [turn.trains for turn in at(made, 0.7).turns()] == ["D", "G"]
    step = Step()
    assert set(made.turns()[0].loss(BATCH, step)) == {"D", "R1"}
    assert set(made.turns()[1].loss(BATCH, step)) == {"G", "L1", "perceptual"}
    assert set(at(game(l1=0.0, perceptual=0.0), 1.0).turns()[1].loss(BATCH, Step())) == {"G"}
    assert [turn.trains for turn in at(game(pixel_share=1.0), 0.99).turns()] == ["G"]
    assert [turn.trains for turn in at(game(pixel_share=0.0), 0.0).turns()] == ["D", "G"]


def test_the_distance_is_that_of_the_holes() -> None:
    made, step = game(), Step()
    found = made.pixels(BATCH, step)["L1"]
    hole = step.scratch["mask"].expand_as(BATCH["real"]) > 0
    filled = fill_smoothly(BATCH["real"], step.scratch["mask"])
    share = float(step.scratch["mask"].mean())
    torch.testing.assert_close(found, (filled - BATCH["real"]).abs()[hole].mean() * share / SHARE)


def test_the_discriminator_sees_reals_and_fakes_with_the_same_holes() -> None:
    made, step = at(game(), 1.0), Step()
    duel = made.duel()
    fake, real = duel.make_fake(BATCH, step), duel.real(BATCH, step)
    assert fake.shape == real.shape == (4, 4, 32, 32)
    assert torch.equal(fake[:, 3:], real[:, 3:])
    outside = real[:, 3:] == 0
    assert torch.equal(fake[:, :3].where(outside, 0), real[:, :3].where(outside, 0))
    assert not torch.equal(fake, real)


def test_a_step_trains_on_squares_of_the_pictures() -> None:
    made, step = game(crop=16), Step()
    squares = made.cut(BATCH, step)
    assert squares.shape == (4, 3, 16, 16)
    assert made.make_mask(BATCH, step).shape == (4, 1, 16, 16)
    assert made.make_filled(BATCH, step).shape == squares.shape
    assert made.cut(BATCH, step) is squares
    for square, real in zip(squares, BATCH["real"], strict=True):
        places = real.unfold(1, 16, 1).unfold(2, 16, 1).permute(1, 2, 0, 3, 4).flatten(0, 1)
        assert (places == square).flatten(1).all(1).any()
    assert not torch.equal(made.cut(BATCH, Step()), squares)


def test_training_gets_nearer_than_the_smooth_fill() -> None:
    """Stripes go on through the hole, which no smooth fill knows."""
    stripes = (torch.arange(32) // 4 % 2 * 255).to(torch.uint8).expand(32, 32)
    real = torch.stack([stripes if k % 2 else stripes.T for k in range(32)])[:, None].expand(-1, 3, -1, -1).contiguous()
    data, made = TableDataset("stripes", {"real": real}), game(pixel_share=1.0, width=16)
    play(made, data, 150, dataclasses.replace(TRAIN, images=8 * 150, batch=8))
    image = data.samples(torch.arange(4))["real"]
    hole = MASK.expand_as(image) > 0
    far, smooth = ((x - image).abs()[hole].mean() for x in (made.inpaint(image, MASK), fill_smoothly(image, MASK)))
    assert far < 0.6 * smooth


def test_settings_that_do_not_fit_are_named() -> None:
    with pytest.raises(UsageError, match=r"config\.resolution: expected a multiple of 8, got 36"):
        dataclasses.replace(TINY, resolution=36)
    with pytest.raises(UsageError, match=r"config\.pixel_share"):
        dataclasses.replace(TINY, pixel_share=1.5)
    for crop in (12, -8):
        with pytest.raises(UsageError, match=rf"config\.crop: expected a multiple of 8, got {crop}"):
            dataclasses.replace(TINY, crop=crop)


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_recipes_survive_their_json(recipe: Recipe) -> None:
    assert from_dict(Recipe, to_dict(recipe), config=Config) == recipe
