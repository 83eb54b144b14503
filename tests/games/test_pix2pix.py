"""pix2pix: it starts as a copy, learns from pairs, and D sees the input."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from translation_tables import pairs, play, smooth_images

from ganvas.config import Recipe
from ganvas.core.game import Step
from ganvas.errors import UsageError
from ganvas.games.common.rules import with_objective
from ganvas.games.pix2pix import RECIPES, Config, Pix2Pix
from ganvas.utils.settings import from_dict, to_dict

TINY = Config(resolution=16, widths=(4, 4, 8), critic_widths=(4, 4, 8))
SOURCE = smooth_images()
DATA = pairs(real=255 - SOURCE, source=SOURCE)
BATCH = DATA.samples(torch.arange(8))


def game(**changes: object) -> Pix2Pix:
    torch.manual_seed(0)
    return Pix2Pix(dataclasses.replace(TINY, **changes))  # type: ignore[arg-type]


def test_it_starts_as_a_copy_and_learns_what_to_change() -> None:
    made = game()
    before = BATCH["source"]
    assert torch.equal(made.translate({"source": before}, "source>real"), before)
    state, terms = play(made, DATA, 80)
    assert terms[-1]["L1"] < 0.7 * terms[0]["L1"]
    assert state.dropped == 0
    after = made.translate({"source": before}, "source>real").detach()
    assert float(after.max()) <= 1
    assert float((after - BATCH["real"]).abs().mean()) < float((before - BATCH["real"]).abs().mean())


def test_the_terms_of_each_turn() -> None:
    made, step = game(), Step()
    discriminator, generator = made.turns()
    assert set(discriminator.loss(BATCH, step)) == {"D", "R1"}
    terms = generator.loss(BATCH, step)
    assert set(terms) == {"G", "L1"}
    assert float(terms["L1"].detach()) == pytest.approx(30 * float((BATCH["source"] - BATCH["real"]).abs().mean()), rel=1e-5)


@pytest.mark.parametrize(("changes", "names"), [({"adversarial": False}, {"L1"}), ({"l1": 0.0}, {"G"})])
def test_one_loss_alone(changes: dict[str, object], names: set[str]) -> None:
    made, step = game(**changes), Step()
    assert [turn.trains for turn in made.turns()] == ["D", "G"]
    assert set(made.turns()[1].loss(BATCH, step)) == names


def test_the_discriminator_judges_whether_the_image_fits_its_input() -> None:
    made, step = game(), Step()
    (logits,) = made.duel().judge_scales(made.join(BATCH, BATCH["real"]), None)
    other = {**BATCH, "source": BATCH["source"].flip(0)}
    (strange,) = made.duel().judge_scales(made.join(other, BATCH["real"]), None)
    assert logits.shape == (8, 1, 2, 2)
    assert not torch.allclose(logits, strange)
    assert torch.equal(made.held_out_logits(BATCH, step)[""], logits)


def test_reals_and_fakes_one_by_one_give_the_same_loss() -> None:
    made = game()
    together = made.turns()[0].loss(BATCH, Step())
    made.together = False
    torch.testing.assert_close(made.turns()[0].loss(BATCH, Step()), together)


def test_the_data_decides_the_channels() -> None:
    grey = pairs(real=smooth_images(), source=smooth_images(channels=1))
    config = TINY.adapt(grey.facts)
    assert (config.source_channels, config.channels, config.resolution) == (1, 3, 16)
    made = Pix2Pix(config)
    assert made.translate({"source": torch.zeros(2, 1, 24, 16)}, "source>real").shape == (2, 3, 24, 16)
    assert made.multiple == 8
    assert made.reach > 100


def test_wrong_settings() -> None:
    with pytest.raises(UsageError, match=r"config\.resolution: expected a multiple of 8, got 28"):
        game(resolution=28)
    with pytest.raises(UsageError, match=r"config\.l1: expected a number above 0"):
        game(l1=0.0, adversarial=False)


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_recipes_survive_their_json(recipe: Recipe) -> None:
    assert from_dict(Recipe, to_dict(recipe), config=Config) == recipe


@pytest.mark.parametrize("objective", ["minimax", "leastsquares", "wasserstein-gp", "hinge", "relativistic"])
def test_any_objective_plays(objective: str) -> None:
    made = game(rules=with_objective(TINY.rules, objective))
    state, terms = play(made, DATA, 3)
    assert state.dropped == 0
    assert {"D", "G", "L1"} <= set(terms[-1])
