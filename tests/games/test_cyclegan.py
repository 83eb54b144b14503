"""CycleGAN: two domains, the way back, what should stay as it is, older fakes."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch import nn
from translation_tables import domains, play, randomize, smooth_images

from ganvas.config import Recipe
from ganvas.core.game import Step
from ganvas.errors import UsageError
from ganvas.games.cyclegan import RECIPES, Config, CycleGAN
from ganvas.utils.settings import from_dict, to_dict

TINY = Config(resolution=16, widths=(4, 4, 8), critic_widths=(4, 4, 8), pool=12)
DATA = domains(smooth_images(), 255 - smooth_images(20, seed=2))
BATCH = DATA.samples(torch.arange(8))


def game(**changes: object) -> CycleGAN:
    torch.manual_seed(0)
    return CycleGAN(dataclasses.replace(TINY, **changes))  # type: ignore[arg-type]


def trained(**changes: object) -> CycleGAN:
    """One whose generators change their inputs."""
    made = game(**changes)
    randomize(made)
    return made


def generator_terms(made: CycleGAN, step: Step) -> dict[str, float]:
    return {name: float(term.detach()) for name, term in made.turns()[2].loss(BATCH, step).items()}


def test_there_and_back_costs_nothing_at_the_start() -> None:
    terms = generator_terms(game(), Step())
    assert set(terms) == {"G_a", "G_b", "cycle", "identity"}
    assert terms["cycle"] == terms["identity"] == 0


def test_the_cycle_and_the_identity_are_distances() -> None:
    made = trained(identity_every=1, cycle=1.5, identity=0.5)
    terms, a, b = generator_terms(made, Step()), BATCH["a"], BATCH["b"]

    def far(x: torch.Tensor, y: torch.Tensor) -> float:
        return float((x - y).abs().mean().detach())

    there_and_back = far(made.G_ba(made.G_ab(a)), a) + far(made.G_ab(made.G_ba(b)), b)
    assert terms["cycle"] == pytest.approx(made.config.cycle * there_and_back, rel=1e-4)
    assert terms["identity"] == pytest.approx(made.config.identity * (far(made.G_ba(a), a) + far(made.G_ab(b), b)), rel=1e-4)


def test_the_identity_is_lazy_and_shares_a_pass() -> None:
    made, passes = trained(identity_every=4), []
    for G in (made.G_ab, made.G_ba):
        G.register_forward_hook(lambda module, inputs, output: passes.append(len(output)))
    for index, sizes in ((4, [16, 16, 8, 8]), (5, [8, 8, 8, 8])):
        step = Step(index=index)
        passes.clear()
        for turn in made.turns():
            turn.loss(BATCH, step)
        assert sorted(passes, reverse=True) == sizes
        assert step.lazy.get("identity") == (4 if index == 4 else None)
    once = generator_terms(trained(identity_every=1), Step(index=4))
    assert generator_terms(made, Step(index=4))["identity"] == pytest.approx(4 * once["identity"], rel=1e-5)


def test_the_fakes_are_those_of_the_other_domain() -> None:
    made, step = trained(), Step(index=4)
    with torch.no_grad():
        torch.testing.assert_close(made.duel("a").make_fake(BATCH, step), made.G_ba(BATCH["b"]))
        torch.testing.assert_close(made.duel("b").make_fake(BATCH, Step(index=5)), made.G_ab(BATCH["a"]))
    assert not torch.equal(made.translate(BATCH, "a>b"), made.translate(BATCH, "b>a"))


@pytest.mark.parametrize(
    ("changes", "gone"), [({"cycle": 0.0}, "cycle"), ({"identity": 0.0}, "identity")], ids=["no cycle", "no identity"]
)
def test_terms_can_be_left_out(changes: dict[str, object], gone: str) -> None:
    terms = generator_terms(game(**changes), Step())
    assert gone not in terms
    assert len(terms) == 3


def test_older_fakes() -> None:
    assert set(game().memories()) == {"a", "b"}
    assert not game(pool=0).memories()
    state, _ = play(game(), DATA, 3)
    assert [pool.count for pool in state.game.memories().values()] == [12, 12]


def test_all_networks_learn() -> None:
    made = game()
    before = {name: weight.detach().clone() for name, weight in made.named_parameters()}
    state, terms = play(made, DATA, 12)
    assert not [name for name, weight in made.named_parameters() if torch.equal(weight, before[name])]
    assert state.dropped == 0
    assert {"D_a", "D_b", "R1_a", "R1_b"} <= set(terms[0])
    assert "identity" not in terms[1]
    assert isinstance(made.D_a, nn.Module)


def test_names_and_sizes() -> None:
    made = game(domains=("flat", "shaded"))
    assert made.translate({"a": torch.zeros(2, 3, 24, 8)}, "a>b").shape == (2, 3, 24, 8)
    assert (made.multiple, made.discriminators) == (8, ("a", "b"))
    assert tuple(made.held_out_logits(BATCH, Step())) == ("a", "b")


def test_wrong_settings() -> None:
    for changes in ({"resolution": 20}, {"cycle": -1.0}, {"identity_every": 0}, {"pool": -1}):
        with pytest.raises(UsageError, match=rf"config\.{next(iter(changes))}"):
            game(**changes)


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_recipes_survive_their_json(recipe: Recipe) -> None:
    assert from_dict(Recipe, to_dict(recipe), config=Config) == recipe
