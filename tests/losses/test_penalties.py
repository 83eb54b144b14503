"""Penalties on the critic's slope: values and second derivatives in closed form."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from support import miniature
from torch import Tensor

from ganvas.core.game import Step
from ganvas.games import RECIPES
from ganvas.games.registry import build
from ganvas.losses.adversarial import wasserstein_d
from ganvas.losses.penalties import gradient_norm, gradient_penalty, interpolate, path_lengths, zero_centered_penalty
from ganvas.utils.settings import assign

Penalty = Callable[[Tensor, Tensor, float], Tensor]


def sample(*shape: int) -> Tensor:
    """A fixed draw that asks for gradients, float64."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64).requires_grad_()


def test_slopes_of_a_line_and_a_quadratic() -> None:
    """D(x) = w.x has slope w; D(x) = x^T A x has slope (A + A^T) x."""
    x, w, a = sample(5, 3), sample(3).detach(), sample(3, 3).detach()
    torch.testing.assert_close(gradient_norm(x @ w, x), w.expand(5, 3))
    torch.testing.assert_close(gradient_norm(torch.einsum("ni,ij,nj->n", x, a, x), x), x @ (a + a.T))


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=5), st.floats(0, 100))
def test_zero_centred_penalty_of_a_linear_critic(w: list[float], gamma: float) -> None:
    """gamma / 2 |w|^2, wherever the samples are."""
    x = sample(4, len(w))
    penalty = zero_centered_penalty(x @ torch.tensor(w, dtype=torch.float64), x, gamma)
    assert penalty.item() == pytest.approx(gamma / 2 * sum(each * each for each in w), abs=1e-9)


def test_gradient_penalty_golden_value() -> None:
    """D(x) = 2x summed over 4 dimensions has slope 4, so (4 - 1)^2 = 9. Source: losses_impl_test.py of TF-GAN."""
    for x in (sample(3, 4), sample(3, 1, 2, 2)):
        assert gradient_penalty(2 * x.flatten(1).sum(1), x, 1.0).item() == pytest.approx(9)
        assert gradient_penalty(2 * x.flatten(1).sum(1), x, 10.0).item() == pytest.approx(90)


def test_gradient_penalty_of_a_flat_critic_has_a_gradient() -> None:
    """|slope| has a corner at 0: its gradient is taken to be 0 there, not NaN."""
    x, w = sample(4, 3), torch.zeros(3, dtype=torch.float64, requires_grad=True)
    penalty = gradient_penalty(x @ w, x, 1.0)
    (gradient,) = torch.autograd.grad(penalty, w)
    assert penalty.item() == 1
    assert gradient.tolist() == [0, 0, 0]


@pytest.mark.parametrize("penalty", [zero_centered_penalty, gradient_penalty])
def test_second_derivatives_match_finite_differences(penalty: Penalty) -> None:
    """The weights of a small network are moved by the penalty's gradient: it must be the true one."""
    x = sample(4, 3)

    def of_weights(first: Tensor, last: Tensor) -> Tensor:
        return penalty(torch.tanh(x @ first) @ last, x, 3.0)

    assert torch.autograd.gradcheck(of_weights, (sample(3, 5), sample(5)))


@pytest.mark.parametrize(("theta", "strength"), [(0.5, 10.0), (2.0, 1.0), (1.0, 0.3)])
def test_penalised_optimum_of_the_dirac_critic(theta: float, strength: float) -> None:
    """D(x) = psi x, real at 0, fake at theta > 0, Wasserstein loss: the known bias of each penalty.

    Gradient penalty: |psi| = 1 + theta / (2 lambda), loss -theta - theta^2 / (4 lambda). R1, R2: |psi| = theta / gamma,
    loss -theta^2 / (2 gamma). By hand: the minimum over psi of a parabola.
    """
    one_centred = (gradient_penalty, 1 + theta / (2 * strength), theta + theta**2 / (4 * strength))
    zero_centred = (zero_centered_penalty, theta / strength, theta**2 / (2 * strength))
    for penalty, steepness, value in (one_centred, zero_centred):
        psi = torch.tensor(-steepness, dtype=torch.float64, requires_grad=True)
        real, fake = torch.zeros(1, dtype=torch.float64), torch.full((1,), theta, dtype=torch.float64)
        for place in (real, fake, interpolate(real, fake, torch.tensor([0.3]))):
            x = place.detach().requires_grad_()
            loss = wasserstein_d(psi * real, psi * fake) + penalty(psi * x, x, strength)
            (gradient,) = torch.autograd.grad(loss, psi)
            assert gradient.item() == pytest.approx(0, abs=1e-12)
            assert loss.item() == pytest.approx(-value)


@given(st.floats(0, 1))
def test_between_is_on_the_line(share: float) -> None:
    real, fake = torch.ones(2, 3, 4, 4), torch.zeros(2, 3, 4, 4)
    points = interpolate(real, fake, torch.tensor([share, 1 - share]))
    assert torch.equal(points[0], torch.full((3, 4, 4), share))
    torch.testing.assert_close(points[1], torch.full((3, 4, 4), 1 - share))


def test_between_ends_at_the_real_and_the_fake() -> None:
    real, fake = sample(3, 2), sample(3, 2) * math.pi
    assert torch.equal(interpolate(real, fake, torch.ones(3)), real)
    assert torch.equal(interpolate(real, fake, torch.zeros(3)), fake)
    assert interpolate(real[:, 0], fake[:, 0], torch.ones(3)).shape == (3,)


@pytest.mark.parametrize("name", [name for name, recipe in RECIPES.items() if recipe.game.startswith("vae")])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_kl_term_reaches_every_weight_of_the_encoder(name: str, precision: str) -> None:
    """As the engine computes it; and `beta` times as strongly."""
    recipe, data = miniature(name)
    slopes = []
    for beta in (1.0, 3.0):
        torch.manual_seed(0)
        game = build(replace(recipe, config=replace(recipe.config, beta=beta)))
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
            terms = game.turns()[0].loss(data.samples(torch.arange(8)), Step())
        slopes.append(torch.autograd.grad(terms["KL"], list(game.encoder.parameters())))  # type: ignore[attr-defined]
    for once, thrice in zip(*slopes, strict=True):
        assert once.abs().sum() > 0
        assert (3 * once - thrice).norm() < (0.05 if precision == "bfloat16" else 1e-4) * thrice.norm()


def test_path_length_of_a_linear_artist() -> None:
    """image = A w for each layer alike: |A^T y| / sqrt(HW)."""
    a, w, y = sample(4, 3).detach(), sample(5, 1, 3), sample(5, 1, 2, 2).detach()
    lengths = path_lengths((w[:, 0] @ a.T).view(5, 1, 2, 2), w, y)
    torch.testing.assert_close(lengths, (y.flatten(1) @ a).norm(dim=1) / 2)
    over_layers = w.expand(-1, 4, -1)
    image = (over_layers.sum(1) @ a.T).view(5, 1, 2, 2)
    torch.testing.assert_close(path_lengths(image, over_layers, y), lengths)


PENALTIES = [
    ("progan-mnist", "D", "GP"),
    ("progan-mnist", "D", "drift"),
    ("stylegan-fashion", "D", "R1"),
    ("stylegan2-fashion", "D", "R1"),
    ("stylegan2-fashion", "G", "path"),
    ("stylegan2-fashion-conditional", "D", "R1"),
    ("stylegan2-fashion-conditional", "G", "path"),
    ("cogan-edges", "D", "R1"),
    ("voxel-shapes", "D", "R1"),
    ("voxel-shapes", "D", "R2"),
    ("textgan-names", "D", "R1"),
    ("textgan-names", "D", "R2"),
    ("dcgan-mnist-paired", "D", "R2"),
    ("cgan-mnist", "D", "R1"),
]


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize(("name", "player", "term"), PENALTIES)
def test_penalty_moves_its_player(name: str, player: str, term: str, precision: str) -> None:
    """The first convolution feels the penalty, in mixed precision too, and as much as in float32."""
    recipe, data = miniature(name)
    if name.startswith("progan"):
        recipe = assign(recipe, "config.grown_by", "0.0")
    torch.manual_seed(0)
    game, batch, found = build(recipe), data.samples(torch.arange(12)), {}  # of every class
    (turn,) = (turn for turn in game.turns() if turn.trains == player)
    step = Step(total_items=100)
    game.advance(step)
    if term == "path":
        game.path_mean.fill_(0.5)  # type: ignore[union-attr, operator]
    with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
        found = turn.loss(batch, step)
    assert found[term].dtype == torch.float32
    assert float(found[term].detach()) > 0
    weights = {key: weight for key, weight in getattr(game, player).named_parameters() if weight.ndim > 2 and key != "bias"}
    slopes = torch.autograd.grad(found[term], list(weights.values()), allow_unused=True)
    felt = [key for key, slope_ in zip(weights, slopes, strict=True) if slope_ is not None and bool(slope_.abs().sum() > 0)]
    unfelt = set(weights) - set(felt)
    assert not {key for key in unfelt if not (name.startswith("progan") and key.startswith("heads"))}, unfelt
