"""The Dirac-GAN: real data is the point 0, the generator is the point theta, the critic is D(x) = psi x.

Small enough to know everything about it, and every number here passes through the project's own losses and penalties.
Source: arXiv:1801.04406 (convergence of GAN training), arXiv:2501.05441 app. B; f'(0) = 1/2 for the logistic losses.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable, Iterable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.autograd.functional import jacobian

from ganvas.losses.adversarial import OBJECTIVES
from ganvas.losses.penalties import gradient_penalty, zero_centered_penalty

Field = Callable[[Tensor], Tensor]  # (theta, psi) [2] -> the step that each of the two takes [2]

LOGISTIC = ("minimax", "nonsaturating", "relativistic")
PLACE = st.tuples(st.floats(-3, 3), st.floats(-3, 3))


def field(name: str, r1: float = 0.0, r2: float = 0.0, gp: float = 0.0, noise: float = 0.0, consensus: float = 0.0) -> Field:
    """Both players' descent direction at once. `noise` is the sd of instance noise, `consensus` its regulariser's weight."""
    objective = OBJECTIVES[name]
    spread = noise * torch.tensor([-1.0, 1.0], dtype=torch.float64)  # two points with the variance of the noise

    def moves(place: Tensor) -> Tensor:
        place = place if place.requires_grad else place.clone().requires_grad_()
        theta, psi = place
        real, fake, middle = spread.clone().requires_grad_(), theta + spread, (0.5 * theta).expand(1)
        d = objective.d(psi * real, psi * fake)
        d = d + zero_centered_penalty(psi * real, real, r1) + zero_centered_penalty(psi * fake, fake, r2)
        if gp:  # |psi| has no second derivative at 0, where the others are linearised
            d = d + gradient_penalty(psi * middle, middle, gp)
        g = objective.g(psi * real, psi * fake)
        (to_theta,) = torch.autograd.grad(g, theta, create_graph=True)
        (to_psi,) = torch.autograd.grad(d, psi, create_graph=True)
        direction = -torch.stack([to_theta, to_psi])
        (pull,) = torch.autograd.grad(0.5 * direction.square().sum(), place, create_graph=True)
        return direction - consensus * pull

    return moves


def at(place: Iterable[float]) -> Tensor:
    return torch.tensor(list(place), dtype=torch.float64)


def eigenvalues(matrix: Tensor) -> list[complex]:
    """Of a 2 x 2 matrix, by falling imaginary, then real part."""
    values: list[complex] = torch.linalg.eigvals(matrix).tolist()
    return sorted(values, key=lambda value: (-round(value.imag, 9), -value.real))


def linearised(moves: Field) -> Tensor:
    """The Jacobian of the field at the equilibrium (0, 0)."""
    matrix: Tensor = jacobian(moves, at([0, 0]))  # type: ignore[no-untyped-call]
    return matrix


@pytest.mark.parametrize(("name", "speed"), [*((name, 0.5) for name in LOGISTIC), ("wasserstein", 1.0), ("hinge", 1.0)])
def test_unregularised_training_circles(name: str, speed: float) -> None:
    """Eigenvalues +-i f'(0): neither nearer nor away. Source: arXiv:1801.04406 sec. 2, arXiv:2501.05441 lemma B.2."""
    assert torch.equal(field(name)(at([0, 0])), at([0, 0]))
    assert eigenvalues(linearised(field(name))) == pytest.approx([1j * speed, -1j * speed], abs=1e-12)


@pytest.mark.parametrize("name", ["minimax", "wasserstein"])
@given(place=PLACE)
def test_the_zero_sum_flow_stays_on_its_circle(name: str, place: tuple[float, float]) -> None:
    """theta^2 + psi^2 is conserved: the field is at right angles to the position. Source: arXiv:1801.04406 sec. 2."""
    assert (at(place) @ field(name)(at(place))).item() == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("name", LOGISTIC)
@pytest.mark.parametrize("gamma", [0.1, 0.3, 1.0, 2.0])
@pytest.mark.parametrize("penalty", ["r1", "r2"])
def test_zero_centred_penalties_make_the_equilibrium_attract(name: str, gamma: float, penalty: str) -> None:
    """-gamma/2 +- sqrt(gamma^2/4 - f'(0)^2); critical damping at gamma = 1. Source: arXiv:1801.04406 sec. 3.

    arXiv:2501.05441 eq. 12 prints f'(0) without the square, a slip: its own Jacobian (15) gives the square.
    """
    root = cmath.sqrt(gamma**2 / 4 - 0.25)
    expected = [-gamma / 2 + root, -gamma / 2 - root]
    moves = field(name, r1=gamma) if penalty == "r1" else field(name, r2=gamma)
    assert eigenvalues(linearised(moves)) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("sd", [0.5, 1.0, 2.0])
def test_instance_noise_damps(sd: float) -> None:
    """-s^2/4 +- sqrt(s^4/16 - 1/4). Source: arXiv:1801.04406 sec. 3, with f''(0) = -1/4."""
    root = cmath.sqrt(sd**4 / 16 - 0.25)
    assert eigenvalues(linearised(field("minimax", noise=sd))) == pytest.approx(
        [-(sd**2) / 4 + root, -(sd**2) / 4 - root], abs=1e-6
    )


@pytest.mark.parametrize("weight", [0.5, 1.0])
def test_consensus_optimisation_damps(weight: float) -> None:
    """-weight/4 +- i/2. Source: arXiv:1705.10461 sec. 4."""
    assert eigenvalues(linearised(field("minimax", consensus=weight))) == pytest.approx(
        [-weight / 4 + 0.5j, -weight / 4 - 0.5j], abs=1e-12
    )


@given(PLACE, st.floats(0.01, 1))
def test_simultaneous_steps_on_wasserstein_spiral_out(place: tuple[float, float], h: float) -> None:
    """theta^2 + psi^2 grows by exactly 1 + h^2 a step. Source: arXiv:1801.04406 sec. 2."""
    start = at(place)
    end = start + h * field("wasserstein")(start)
    assert end.square().sum().item() == pytest.approx((1 + h * h) * start.square().sum().item(), rel=1e-9)


def alternating(moves: Field, place: Tensor, h: float) -> Tensor:
    """theta moves, then psi sees where it went."""
    place = place + h * moves(place) * at([1, 0])
    return place + h * moves(place) * at([0, 1])


@given(PLACE, st.floats(0.01, 1.9))
def test_alternating_steps_on_wasserstein_keep_an_ellipse(place: tuple[float, float], h: float) -> None:
    """theta^2 + psi^2 + h theta psi is invariant, so the run is bounded for h < 2. Source: arXiv:1801.04406 sec. 2.

    The sign of the mixed term is that of D(real) - D(fake) with the real at 0.
    """

    def energy(place: Tensor) -> float:
        return (place.square().sum() + h * place.prod()).item()

    start, moves = at(place), field("wasserstein")
    end = alternating(moves, alternating(moves, start, h), h)
    assert energy(end) == pytest.approx(energy(start), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("h", [0.1, 1.0, 1.9])
def test_alternating_steps_are_a_turn(h: float) -> None:
    """The matrix of one alternating step has determinant 1 and trace 2 - h^2."""
    columns = [alternating(field("wasserstein"), at(axis), h) for axis in ([1, 0], [0, 1])]
    matrix = torch.stack(columns, dim=1)
    assert torch.linalg.det(matrix).item() == pytest.approx(1)
    assert matrix.trace().item() == pytest.approx(2 - h * h)
    assert [abs(value) for value in eigenvalues(matrix)] == pytest.approx([1, 1])


@pytest.mark.parametrize(("gamma", "h", "radius"), [(0.3, 0.2, 0.9746794), (0.1, 0.5, 1.0062306), (0.4, 0.8, 0.9165151)])
def test_spectral_radius_of_simultaneous_steps_with_r1(gamma: float, h: float, radius: float) -> None:
    """sqrt(1 - h gamma + h^2 / 4): stable exactly while h < 4 gamma. |1 + h lambda| with the eigenvalues above."""
    step = torch.eye(2, dtype=torch.float64) + h * linearised(field("nonsaturating", r1=gamma))
    assert max(abs(value) for value in eigenvalues(step)) == pytest.approx(radius, abs=1e-6)
    assert radius == pytest.approx(math.sqrt(1 - h * gamma + h * h / 4), abs=1e-6)
    assert (radius < 1) == (h < 4 * gamma)


@pytest.mark.parametrize(
    ("moves", "low", "high"),
    [
        (field("nonsaturating", r1=1.0), 0.0, 1e-8),
        (field("relativistic", r1=0.5, r2=0.5), 0.0, 1e-8),
        (field("minimax"), math.sqrt(2), 100.0),
        (field("wasserstein", gp=1.0), 0.3, 10.0),
    ],
    ids=["r1 converges", "r1 and r2 converge", "none does not", "gradient penalty does not"],
)
def test_where_training_ends(moves: Field, low: float, high: float) -> None:
    """The distance from equilibrium after 400 steps from (1, 1). Source: arXiv:1801.04406 sec. 3."""
    place = at([1, 1])
    for _ in range(400):
        place = (place + 0.2 * moves(place)).detach()
    assert low <= place.norm().item() <= high
