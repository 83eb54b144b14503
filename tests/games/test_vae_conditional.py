"""The VAE that is told the class: its bound, Bayes' rule, and what its run reports."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from support import PLAN, miniature

from ganvas.core.capabilities import Bounds, Classifies, Conditional, Encodes
from ganvas.engine.autotune import initial_state
from ganvas.engine.loop import train
from ganvas.errors import UsageError
from ganvas.games.vae import ConditionalConfig, ConditionalVAE
from ganvas.inference.encoding import reconstruct
from ganvas.metrics.elbo import elbo_terms
from ganvas.training import test_split


def built(**config: object) -> ConditionalVAE:
    torch.manual_seed(0)
    small = {"width": 8, "latent_dim": 3, "max_width": 8, "classes": 4}
    return ConditionalVAE(ConditionalConfig(**{**small, **config})).eval()  # type: ignore[arg-type]


@pytest.mark.parametrize("convolutional", [False, True])
def test_the_class_changes_the_code_and_the_picture(convolutional: bool) -> None:
    game, x, z = built(convolutional=convolutional), torch.rand(2, 1, 28, 28), torch.randn(2, 3)
    one, other = torch.zeros(2, dtype=torch.int64), torch.ones(2, dtype=torch.int64)
    assert not torch.allclose(game.posterior(x, one)[0], game.posterior(x, other)[0])
    assert not torch.allclose(game.sample(z, one), game.sample(z, other))
    shares = torch.tensor([[1.0, 0, 0, 0], [0.5, 0.5, 0, 0]])
    torch.testing.assert_close(game.sample(z, shares)[0], game.sample(z, one)[0])
    assert all(isinstance(game, kind) for kind in (Bounds, Conditional, Classifies, Encodes))
    with pytest.raises(UsageError, match="needs a class"):
        game.sample(z)


def test_classes_are_named_by_bayes_rule() -> None:
    """The logit of a class is minus the nats that the picture costs as one of that class, with no noise in the code."""
    game, x = built(), torch.rand(5, 1, 28, 28)
    logits = game.classify(x)
    for c in range(4):
        parts = game.bound(x, torch.zeros(5, 3), torch.full((5,), c))
        torch.testing.assert_close(logits[:, c], -parts["reconstruction"] - parts["KL"])
    best = logits.argmax(1)
    torch.testing.assert_close(game.encode(x), game.posterior(x, best)[0])


def test_nats_are_those_of_the_given_class() -> None:
    game, x = built(), torch.rand(7, 1, 28, 28)
    a, b = (elbo_terms(game, x, torch.full((7,), c), chunk=3)["KL"] for c in (0, 1))
    assert not torch.equal(a, b)
    torch.testing.assert_close(a, elbo_terms(game, x, torch.zeros(7, dtype=torch.int64))["KL"], atol=1e-5, rtol=1e-5)


def test_a_run_reports_accuracy_and_bound() -> None:
    recipe, data = miniature("vae-mnist-conditional")
    state = initial_state(recipe, PLAN)
    for _ in train(state, data, replace(recipe.train, images=16)):
        pass
    told = test_split.measure_test_split(state.average, data)
    assert set(told) == {"test_accuracy", "test_loss", "test_reconstruction", "test_KL"}
    assert told["test_loss"] == pytest.approx(told["test_reconstruction"] + told["test_KL"])


def test_pictures_are_drawn_again_as_the_class_they_are_named() -> None:
    game, x = built(), torch.rand(5, 1, 28, 28)
    best = game.classify(x).argmax(1)
    torch.testing.assert_close(reconstruct(game, x), game.sample(game.encode(x), best))
