"""The picture of a session as arrays: points, what D says everywhere, where G sends the noise, and the arrows on the fakes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganvas.studio.play.simulation import Simulation
from ganvas.studio.socket import Array
from ganvas.utils.seeds import mix

REALS, FAKES, ARROWS = 400, 300, 80
SURFACE = 44  # cells along an axis, at which D is asked
GRID = 17  # lines of the noise grid, each way
CURVE = 160  # places of a curve, for data on a line
NOISE_LINES = 41  # from noise to data, for data on a line
DENSITY_FAKES = 6_000  # for the density of the fakes on a line


def draw_fixed_noise(simulation: Simulation, count: int) -> Tensor:
    """The same noise [count, latent_dim] in every picture of a session, so that points move and do not flicker."""
    generator = torch.Generator().manual_seed(mix(simulation.setup.seed, "shown"))
    return torch.randn(count, simulation.setup.latent_dim, generator=generator)


def choose_reals(simulation: Simulation) -> Tensor:
    """The data points in the picture [REALS, D]."""
    points = simulation.data.points
    chosen = torch.randperm(len(points), generator=torch.Generator().manual_seed(mix("reals")))[:REALS]
    return points[chosen]


def compute_realness(simulation: Simulation, logits: Tensor, cut: float, scale: float) -> Tensor:
    """Logits of D as how real it takes a place to be, from 0 to 1.

    If the loss fixes a boundary, this is the probability, or the score itself for least squares. Otherwise (Wasserstein,
    relativistic) only differences have a meaning: 1/2 lies midway between the mean scores of reals and fakes.
    """
    boundary = simulation.setup.make_rules().scoring.boundary
    if boundary == 0.5:
        return logits.clamp(0, 1)
    return torch.sigmoid(logits) if boundary == 0 else torch.sigmoid((logits - cut) / scale)


def measure_realness(simulation: Simulation) -> dict[str, float]:
    """How real D takes reals and fakes to be on average, from 0 to 1: `mean_real`, `mean_fake`.

    The share of points above 1/2 jumps between 0 and 1 where D is nearly flat at 1/2. The mean does not.
    """
    with torch.no_grad():
        on_real = simulation.game.judge(simulation.data.points[:REALS])
        on_fake = simulation.game.judge(simulation.game.sample(draw_fixed_noise(simulation, FAKES)))
    cut, scale = find_scale(on_real, on_fake)
    means = (compute_realness(simulation, logits, cut, scale).mean() for logits in (on_real, on_fake))
    return dict(zip(("mean_real", "mean_fake"), map(float, means), strict=True))


def find_scale(on_real: Tensor, on_fake: Tensor) -> tuple[float, float]:
    """The middle between the mean logits of reals and fakes, and the spread of all of them."""
    return float(on_fake.mean() + on_real.mean()) / 2, float(torch.cat([on_fake, on_real]).std()) + 1e-6


def collect_arrays(simulation: Simulation) -> dict[str, Array]:
    """All arrays of the present picture."""
    game, setup, reach = simulation.game, simulation.setup, simulation.data.reach
    z = draw_fixed_noise(simulation, FAKES)
    with torch.no_grad():
        fake, real = game.sample(z), choose_reals(simulation)
        on_fake, on_real = game.judge(fake), game.judge(real)
        cut, scale = find_scale(on_real, on_fake)
        arrays: dict[str, Tensor] = {"real": real, "fake": fake}
        arrays["fake_realness"] = compute_realness(simulation, on_fake, cut, scale)
        if setup.dims == 2:
            ticks = (torch.arange(SURFACE) + 0.5) / SURFACE * 2 * reach - reach
            places = torch.cartesian_prod(ticks, ticks).flip(1)  # rows are y, as the rows of the picture are
            arrays["surface"] = compute_realness(simulation, game.judge(places), cut, scale).view(SURFACE, SURFACE)
            arrays["grid"] = map_noise_grid(simulation)
            arrays["noise"] = place_noise(simulation, z)
            arrays["noise_grid"] = place_noise(simulation, make_noise_grid(simulation)).view_as(arrays["grid"])
        else:
            arrays |= collect_line_arrays(simulation, cut, scale)
    arrays |= compute_arrows(simulation, fake[:ARROWS])
    return {name: np.ascontiguousarray(tensor.detach().float().numpy()) for name, tensor in arrays.items()}


def make_quantiles(count: int) -> Tensor:
    """`count` places of a normal coordinate that divide it into equal shares [count]."""
    ticks: Tensor = torch.special.ndtri((torch.arange(count, dtype=torch.float64) + 0.5) / count)
    return ticks.float()


def map_noise_grid(simulation: Simulation) -> Tensor:
    """Where G sends an even grid of noise [rows, columns, 2]; noise beyond two dimensions is zero there.

    Noise of one dimension is a single line [1, columns, 2].
    """
    rows = GRID if simulation.setup.latent_dim > 1 else 1
    return simulation.game.sample(make_noise_grid(simulation)).view(rows, -1, 2)


def make_noise_grid(simulation: Simulation) -> Tensor:
    """An even grid of noise [rows * columns, latent_dim], or a single line of it."""
    ticks = make_quantiles(GRID if simulation.setup.latent_dim > 1 else 6 * GRID)
    if simulation.setup.latent_dim == 1:
        return ticks[:, None]
    plane = torch.cartesian_prod(ticks, ticks)
    return torch.cat([plane, torch.zeros(len(plane), simulation.setup.latent_dim - 2)], 1)


def place_noise(simulation: Simulation, z: Tensor) -> Tensor:
    """The first two numbers of noise [N, latent_dim] as places in the picture [N, 2]; uniform noise fills a square."""
    plane = torch.cat([z, torch.zeros_like(z)], 1)[:, :2] if z.shape[1] == 1 else z[:, :2]
    if simulation.setup.noise == "uniform":
        share: Tensor = torch.special.ndtr(plane)
        return (2 * share - 1) * 0.9 * simulation.data.reach
    return plane * 0.4 * simulation.data.reach


def collect_line_arrays(simulation: Simulation, cut: float, scale: float) -> dict[str, Tensor]:
    """The picture for data on a line: both densities, the curve of D and the best one, and where noise goes."""
    game, data, setup = simulation.game, simulation.data, simulation.setup
    edges = torch.linspace(-data.reach, data.reach, CURVE + 1)
    x = (edges[1:] + edges[:-1]) / 2
    width = 2 * data.reach / CURVE
    if data.mixture:
        normal = torch.distributions.Normal(data.mixture.centres.squeeze(1), data.mixture.sd)
        density = normal.log_prob(x[:, None]).exp().mean(1)
    else:
        density = torch.histc(data.points, CURVE, -data.reach, data.reach) / len(data.points) / width
    fakes = game.sample(draw_fixed_noise(simulation, DENSITY_FAKES))
    fake_density = torch.histc(fakes, CURVE, -data.reach, data.reach) / DENSITY_FAKES / width
    kernel = torch.tensor([1.0, 2.0, 3.0, 2.0, 1.0]) / 9  # a histogram of samples is rough
    fake_density = torch.nn.functional.conv1d(fake_density[None, None], kernel[None, None], padding=2)[0, 0]
    ticks = make_quantiles(NOISE_LINES)
    z = torch.cat([ticks[:, None], torch.zeros(NOISE_LINES, setup.latent_dim - 1)], 1)
    return {
        "x": x,
        "density": density,
        "fake_density": fake_density,
        "curve": compute_realness(simulation, game.judge(x[:, None]), cut, scale),
        "best": density / (density + fake_density + 1e-9),
        "noise": ticks,
        "landing": game.sample(z).squeeze(1),
    }


def compute_arrows(simulation: Simulation, fake: Tensor) -> dict[str, Tensor]:
    """The fakes [N, D] that carry arrows, and how the loss of G would have each of them move [N, D].

    That is minus the gradient of a fake's own loss, in its true length, so that a gradient that vanishes can be seen to.
    """
    x = fake.detach().requires_grad_()
    with torch.enable_grad():
        logits = simulation.game.judge(x)
        real_logits = simulation.game.judge(choose_reals(simulation)[: len(x)]).detach()
        loss = simulation.setup.make_rules().scoring.g(real_logits, logits) * len(x)
        (gradient,) = torch.autograd.grad(loss, x)
    return {"tail": fake, "pull": -gradient}


def summarize(simulation: Simulation, measures: dict[str, Any], realness: dict[str, float]) -> str:
    """The picture in words, for a person who cannot see it."""
    parts = [f"Step {simulation.step:,}."]
    if simulation.step:
        parts.append(f"The critic gives reals {realness['mean_real']:.2f} and fakes {realness['mean_fake']:.2f} on average.")
    if measures.get("modes", 1) > 1:
        parts.append(f"The fakes reach {measures['captured']} of {measures['modes']} modes.")
    elif "covered" in measures:
        parts.append(f"The fakes cover {measures['covered']:.0%} of the data.")
    if "kl" in measures:
        parts.append(f"KL {measures['kl']:.2f}, JS {measures['js']:.3f} nats.")
    return " ".join(parts)


def replace_infinite(values: dict[str, float]) -> dict[str, float | None]:
    """Numbers as JSON can hold them: None for what is not finite."""
    return {name: value if math.isfinite(value) else None for name, value in values.items()}
