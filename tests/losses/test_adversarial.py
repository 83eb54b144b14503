"""The objectives against published numbers and closed forms."""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.autograd.functional import hessian

from ganvas.losses.adversarial import (
    OBJECTIVES,
    LogitsLoss,
    Objective,
    hinge_d,
    least_squares_d,
    log_d,
    smooth_least_squares_d,
    smooth_log_d,
    wasserstein_d,
)

# Source: github.com/tensorflow/gan, tensorflow_gan/python/losses/losses_impl_test.py.
REAL = torch.tensor([-5.0, 1.4, 12.5, 2.7], dtype=torch.float64)
FAKE = torch.tensor([10.0, 4.4, -5.5, 3.6], dtype=torch.float64)

objectives = pytest.mark.parametrize("objective", OBJECTIVES.values(), ids=OBJECTIVES.keys())
logits = st.lists(st.floats(-20, 20), min_size=2, max_size=6).map(lambda row: torch.tensor(row, dtype=torch.float64))


@pytest.mark.parametrize(
    ("name", "d", "g"),
    [
        ("minimax", 5.83387, -4.51082),  # TF-GAN prints G -4.82408: it adds D(ones)
        ("nonsaturating", 5.83387, 1.38582),
        ("leastsquares", 41.73375, 17.69625),
        ("wasserstein", 0.225, -3.125),
        ("hinge", 6.75, -3.125),
    ],
)
def test_golden_values(name: str, d: float, g: float) -> None:
    """Source: losses_impl_test.py of TF-GAN, `expected_d_loss` and `expected_g_loss`."""
    assert OBJECTIVES[name].d(REAL, FAKE).item() == pytest.approx(d, abs=1e-5)
    assert OBJECTIVES[name].g(REAL, FAKE).item() == pytest.approx(g, abs=1e-5)


def test_golden_value_of_label_smoothing() -> None:
    """TF-GAN's label_smoothing = 0.25 moves the real label from 1 to 0.875. Source: losses_impl_test.py."""
    assert smooth_log_d(REAL, FAKE, 0.875).item() == pytest.approx(6.19637, abs=1e-5)


def test_relativistic_values_by_hand() -> None:
    """The pairs' differences are 15, 3, -18 and 0.9: E log(1 + e^t) and E log(1 + e^-t)."""
    pairs = [15, 3, -18, 0.9]
    for loss, sign in ((OBJECTIVES["relativistic"].d, 1), (OBJECTIVES["relativistic"].g, -1)):
        expected = sum(math.log1p(math.exp(sign * t)) for t in pairs) / 4
        assert loss(REAL, FAKE).item() == pytest.approx(expected, abs=1e-12)


@given(logits)
def test_smoothing_with_label_one_changes_nothing(real: Tensor) -> None:
    for objective in OBJECTIVES.values():
        if objective.smooth_d is not None:
            assert objective.smooth_d(real, -real, 1.0).item() == pytest.approx(objective.d(real, -real).item(), abs=1e-9)


def test_the_best_logit_under_smoothing_is_the_label() -> None:
    """D = 0.9 where every sample is real: smoothing caps confidence. Source: arXiv:1606.03498 sec. 3.4."""
    for loss, best in ((smooth_log_d, math.log(9)), (smooth_least_squares_d, 0.9)):
        logit = torch.tensor([best], dtype=torch.float64, requires_grad=True)
        (gradient,) = torch.autograd.grad(loss(logit, torch.zeros(1), 0.9), logit)
        assert gradient.item() == pytest.approx(0, abs=1e-12)


# N(0, 1) against N(d, 1): the whole law by quadrature, no sampling.
CELL = 1e-3
GRID = torch.arange(-12 + CELL / 2, 12, CELL, dtype=torch.float64)  # midpoints, so that a jump lies between two of them
WEIGHTS = torch.exp(-0.5 * GRID.square()) * CELL / math.sqrt(2 * math.pi)
Critic = Callable[[Tensor], Tensor]


def population(loss: LogitsLoss, critic: Critic, d: float) -> Tensor:
    """The loss for reals N(0, 1) and fakes N(d, 1): a sum of a real and a fake part may share the nodes of one grid."""
    per_node: Tensor = torch.vmap(loss)(critic(GRID)[:, None], critic(GRID + d)[:, None])
    return WEIGHTS @ per_node


def log_ratio(d: float) -> Critic:
    """log p(x) / q(x) = d^2/2 - d x."""
    return lambda x: d * d / 2 - d * x


OPTIMA: dict[str, tuple[LogitsLoss, Callable[[float], Critic]]] = {
    "log_d": (log_d, log_ratio),
    "hinge": (hinge_d, lambda d: lambda x: torch.sign(log_ratio(d)(x))),
    "least squares": (least_squares_d, lambda d: lambda x: torch.sigmoid(log_ratio(d)(x))),
}


@pytest.mark.parametrize("d", [0.5, 1.0, 2.0])
def test_logistic_regression_recovers_the_log_ratio(d: float) -> None:
    """Source: arXiv:1406.2661 prop. 1: D* = p / (p + q), a line with slope -d and intercept d^2/2 in logits."""
    line = torch.zeros(2, dtype=torch.float64)

    def risk(line: Tensor) -> Tensor:
        return population(log_d, lambda x: line[0] * x + line[1], d)

    for _ in range(8):  # Newton
        moving = line.clone().requires_grad_()
        (uphill,) = torch.autograd.grad(risk(moving), moving)
        line = line - torch.linalg.solve(hessian(risk, line), uphill)  # type: ignore[no-untyped-call]
    assert line.tolist() == pytest.approx([-d, d * d / 2], abs=1e-9)


@pytest.mark.parametrize(
    ("name", "d", "value"),
    [
        # V(D*) = -log 4 + 2 JSD, arXiv:1406.2661 sec. 4.1; JSD = 0, 0.1114215, 0.3368308 by quadrature
        ("log_d", 0.0, 1.3862944),
        ("log_d", 1.0, 1.1634514),
        ("log_d", 2.0, 0.7126327),
        # 2 int min(p, q) = 4 Phi(-d/2) for D* = sign(p - q), arXiv:1705.02894
        ("hinge", 0.0, 2.0),
        ("hinge", 1.0, 1.2341502),
        ("hinge", 2.0, 0.6346210),
        # 1/2 int p q / (p + q) for D* = p / (p + q), arXiv:1611.04076 sec. 3
        ("least squares", 0.0, 0.25),
        ("least squares", 1.0, 0.1989864),
        ("least squares", 2.0, 0.1123999),
    ],
)
def test_value_of_the_optimal_critic(name: str, d: float, value: float) -> None:
    loss, best = OPTIMA[name]
    assert population(loss, best(d), d).item() == pytest.approx(value, abs=5e-7)
    if name == "hinge":
        assert value == pytest.approx(4 * NormalDist().cdf(-d / 2), abs=1e-7)


@pytest.mark.parametrize("name", OPTIMA)
@pytest.mark.parametrize("d", [0.0, 1.0, 2.0])
def test_no_other_critic_does_better(name: str, d: float) -> None:
    loss, best = OPTIMA[name]
    lowest = population(loss, best(d), d).item()
    for size in (-1, -0.01, 0.01, 1):
        for wave in (0.0, 0.7, 3.0):

            def other(x: Tensor, size: float = size, wave: float = wave) -> Tensor:
                return best(d)(x) + size * torch.cos(wave * x + size)

            assert population(loss, other, d).item() >= lowest - 1e-9


@pytest.mark.parametrize("d", [0.3, 1.0, 2.5])
def test_a_lipschitz_critic_measures_the_wasserstein_distance(d: float) -> None:
    """W1 of a law and its shift by d is d, reached with slope 1 downhill to the fakes. Source: arXiv:1701.07875 eq. 2."""
    assert population(wasserstein_d, lambda x: -x, d).item() == pytest.approx(-d, abs=1e-9)
    for critic in (torch.sin, torch.tanh, lambda x: x, lambda x: -x.abs()):
        assert population(wasserstein_d, critic, d).item() >= -d


@objectives
def test_equilibrium_is_the_critic_s_loss_at_the_boundary(objective: Objective) -> None:
    at_boundary = torch.full((3,), objective.boundary or 0.0, dtype=torch.float64)
    assert objective.d(at_boundary, at_boundary).item() == pytest.approx(objective.equilibrium, abs=1e-12)


@objectives
@given(data=st.data())
def test_no_critic_beats_the_equilibrium_when_the_laws_are_equal(objective: Objective, data: st.DataObject) -> None:
    real = data.draw(logits)
    fake = real[data.draw(st.permutations(range(len(real))))]
    assert objective.d(real, fake).item() >= objective.equilibrium - 1e-9


@objectives
def test_the_text_of_an_equilibrium_is_its_number(objective: Objective) -> None:
    names = {"2 ln 2": math.log(4), "ln 2": math.log(2), "1/4": 0.25, "0": 0.0, "2": 2.0}
    assert names[objective.equilibrium_text] == pytest.approx(objective.equilibrium, abs=1e-15)


def g_slope(name: str, real: Tensor, fake: Tensor) -> Tensor:
    """The gradient of the generator's loss with respect to the fakes' logits."""
    fake = fake.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(OBJECTIVES[name].g(real, fake), fake)
    return gradient


@given(logits)
def test_minimax_and_nonsaturating_pull_the_same_way(fake: Tensor) -> None:
    """Both raise D(G(z)) everywhere, with slopes in the ratio D : 1 - D: one fixed point. Source: arXiv:1406.2661 sec. 3."""
    minimax, nonsaturating = g_slope("minimax", fake, fake), g_slope("nonsaturating", fake, fake)
    assert (minimax < 0).all()
    assert (nonsaturating < 0).all()
    torch.testing.assert_close(minimax * torch.sigmoid(-fake), nonsaturating * torch.sigmoid(fake))


def test_a_sure_critic_silences_minimax_only() -> None:
    sure = torch.full((1,), -30.0)
    assert g_slope("minimax", -sure, sure).abs().item() < 1e-12
    for name in ("nonsaturating", "wasserstein", "hinge", "relativistic"):
        assert g_slope(name, -sure, sure).item() == pytest.approx(-1)


@objectives
@pytest.mark.parametrize("scale", [1e2, 1e4])
def test_extreme_logits_stay_finite(objective: Objective, scale: float) -> None:
    for real, fake in ((scale, -scale), (-scale, scale), (scale, scale), (-scale, -scale)):
        pair = (torch.tensor([real], requires_grad=True), torch.tensor([fake], requires_grad=True))
        losses = [objective.d(*pair), objective.g(*pair)]
        if objective.smooth_d is not None:
            losses.append(objective.smooth_d(*pair, 0.9))
        for loss in losses:
            slopes = torch.autograd.grad(loss, pair, allow_unused=True)
            assert math.isfinite(loss.item())
            assert all(math.isfinite(each.item()) for each in slopes if each is not None)


@objectives
@given(data=st.data(), shift=st.floats(-10, 10))
def test_only_what_has_no_boundary_ignores_a_common_shift(objective: Objective, data: st.DataObject, shift: float) -> None:
    real = data.draw(logits)
    fake = real.flip(0) / 2
    if objective.boundary is None:
        assert objective.d(real + shift, fake + shift).item() == pytest.approx(objective.d(real, fake).item(), abs=1e-9)
    if objective.g_sees_reals:
        assert objective.g(real + shift, fake + shift).item() == pytest.approx(objective.g(real, fake).item(), abs=1e-9)
    else:
        assert objective.g(real + shift, fake) == objective.g(real, fake)
