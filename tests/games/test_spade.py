"""SPADE: a map and noise become a picture; the map counts at each place, and the noise counts too."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from translation_tables import pairs, play, smooth_images

from ganvas.config import Recipe
from ganvas.core.game import Step
from ganvas.errors import UsageError
from ganvas.games.spade import MOST_VARIED, RECIPES, SPADE, Config
from ganvas.utils.settings import from_dict, to_dict

TINY = Config(
    resolution=32, classes=3, noise_dim=4, widths=(8, 8, 4), map_width=4, critic_widths=(4, 4, 8), variety_every=1, variety=1.0
)
MAPS = torch.randint(0, 3, (24, 4, 4), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
MAPS = MAPS.repeat_interleave(8, 1).repeat_interleave(8, 2)
DATA = pairs(real=smooth_images(side=32), map=MAPS)
BATCH = DATA.samples(torch.arange(6))


def game(**changes: object) -> SPADE:
    torch.manual_seed(0)
    return SPADE(dataclasses.replace(TINY, **changes))  # type: ignore[arg-type]


def draw(made: SPADE, seen: torch.Tensor, z: torch.Tensor | None = None) -> torch.Tensor:
    return made.translate({"map": seen}, "map>real", z).detach()


@pytest.mark.parametrize("modulation", ["spade", "concat"])
def test_the_map_and_the_noise_both_count(modulation: str) -> None:
    made, seen = game(modulation=modulation), BATCH["map"][:2]
    z = torch.randn(2, 4, generator=torch.Generator().manual_seed(3))
    picture = draw(made, seen, z)
    assert picture.shape == (2, 3, 32, 32)
    assert float(picture.abs().max()) <= 1
    assert not torch.allclose(picture, draw(made, (seen + 1) % 3, z))
    assert not torch.allclose(picture, draw(made, seen, -z))
    assert torch.equal(draw(made, seen), draw(made, seen, torch.zeros(2, 4)))


def test_a_single_pixel_of_the_map_is_not_lost() -> None:
    made, seen = game(), BATCH["map"][:1].clone()
    before = draw(made, seen)
    seen[0, 13, 18] = (seen[0, 13, 18] + 1) % 3
    assert not torch.equal(draw(made, seen), before)


def test_maps_of_another_size_and_with_unknown_places() -> None:
    made = game()
    assert draw(made, torch.full((1, 16, 48), 255)).shape == (1, 3, 16, 48)
    assert (made.multiple, made.reach, made.noise_dim) == (8, None, 4)


def test_the_terms_of_each_turn() -> None:
    made, step = game(), Step()
    assert set(made.turns()[0].loss(BATCH, step)) == {"D", "R1"}
    terms = made.turns()[1].loss(BATCH, step)
    assert set(terms) == {"G", "features", "mode_seeking"}
    assert -MOST_VARIED <= float(terms["mode_seeking"].detach()) < 0
    assert set(game(matching=0.0, variety=0.0).turns()[1].loss(BATCH, Step())) == {"G"}


def test_the_variety_is_lazy() -> None:
    made, step = game(variety_every=4), Step(index=4)
    every = float(game().vary(BATCH, Step(index=4))["mode_seeking"].detach())
    torch.manual_seed(0)
    found = made.vary(BATCH, step)
    assert step.lazy == {"mode_seeking": 4}
    assert float(found["mode_seeking"].detach()) < 2 * every
    assert not made.vary(BATCH, Step(index=5))


def test_the_discriminator_sees_the_map_at_two_scales() -> None:
    made = game()
    scales = made.duel().judge_scales(made.join(BATCH, BATCH["real"]), None)
    assert [tuple(logits.shape) for logits in scales] == [(6, 1, 4, 4), (6, 1, 2, 2)]
    other = made.duel().judge_scales(made.join({**BATCH, "map": (BATCH["map"] + 1) % 3}, BATCH["real"]), None)
    assert not torch.allclose(scales[0], other[0])


@pytest.mark.parametrize("modulation", ["spade", "concat"])
def test_all_weights_of_the_generator_learn(modulation: str) -> None:
    made = game(modulation=modulation)
    before = {name: weight.detach().clone() for name, weight in made.G.named_parameters()}
    state, _ = play(made, DATA, 5)
    assert not [name for name, weight in made.G.named_parameters() if torch.equal(weight, before[name])]
    assert state.dropped == 0


def test_the_data_decides_the_classes() -> None:
    facts = dataclasses.replace(DATA.facts, classes=5)
    assert facts.fill(TINY).classes == 5


def test_wrong_settings() -> None:
    for changes in ({"resolution": 36}, {"resolution": 24}, {"classes": 0}, {"variety": -1.0}, {"variety_every": 0}):
        with pytest.raises(UsageError, match=rf"config\.{next(iter(changes))}"):
            game(**changes)


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_recipes_survive_their_json(recipe: Recipe) -> None:
    assert from_dict(Recipe, to_dict(recipe), config=Config) == recipe
