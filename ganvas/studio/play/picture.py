"""What is seen of a session: points, the critic's opinion everywhere, the artist's map, and where the fakes are pulled."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganvas.seeds import mix
from ganvas.studio.channel import Array
from ganvas.studio.play.stage import Stage

REALS, FAKES, ARROWS = 400, 300, 80
SURFACE = 44  # cells along an axis of the critic's opinion
GRID = 17  # lines of the noise's grid, each way
CURVE = 160  # places of a curve on a line
LINES = 41  # noise-to-data lines on a line
MANY = 6_000  # fakes whose density is drawn on a line


def fixed_noise(stage: Stage, count: int) -> Tensor:
    """The same noise [count, latent_dim] all through a session, so that points move and do not flicker."""
    generator = torch.Generator().manual_seed(mix(stage.setup.seed, "shown"))
    return torch.randn(count, stage.setup.latent_dim, generator=generator)


def reals(stage: Stage) -> Tensor:
    """The data points that are drawn [REALS, D]."""
    points = stage.material.points
    chosen = torch.randperm(len(points), generator=torch.Generator().manual_seed(mix("reals")))[:REALS]
    return points[chosen]


def belief(stage: Stage, logits: Tensor, cut: float, scale: float) -> Tensor:
    """Logits as how real the critic finds a place, from 0 to 1.

    Where the loss fixes a boundary: the probability, or the score itself for least squares. Elsewhere (Wasserstein,
    relativistic) only differences mean something: 1/2 lies midway between the mean scores of reals and fakes.
    """
    boundary = stage.setup.rules().scoring.boundary
    if boundary == 0.5:
        return logits.clamp(0, 1)
    return torch.sigmoid(logits) if boundary == 0 else torch.sigmoid((logits - cut) / scale)


def seen(stage: Stage) -> dict[str, Array]:
    """All arrays of the present picture."""
    game, setup, stuff = stage.game, stage.setup, stage.material
    z = fixed_noise(stage, FAKES)
    with torch.no_grad():
        fake, real = game.sample(z), reals(stage)
        on_fake, on_real = game.judge(fake), game.judge(real)
        cut = float(on_fake.mean() + on_real.mean()) / 2
        scale = float(torch.cat([on_fake, on_real]).std()) + 1e-6
        found: dict[str, Tensor] = {"real": real, "fake": fake}
        found["believed"] = belief(stage, on_fake, cut, scale)
        if setup.dims == 2:
            ticks = (torch.arange(SURFACE) + 0.5) / SURFACE * 2 * stuff.reach - stuff.reach
            places = torch.cartesian_prod(ticks, ticks).flip(1)  # rows are y, so that the picture's rows are
            found["surface"] = belief(stage, game.judge(places), cut, scale).view(SURFACE, SURFACE)
            found["grid"] = warped(stage)
            found["noise"], found["ground"] = laid_out(stage, z), laid_out(stage, even(stage)).view_as(found["grid"])
        else:
            found |= line(stage, cut, scale)
    found |= pulled(stage, fake[:ARROWS])
    return {name: np.ascontiguousarray(tensor.detach().float().numpy()) for name, tensor in found.items()}


def quantiles(count: int) -> Tensor:
    """`count` places of a normal coordinate that part it into equal shares [count]."""
    ticks: Tensor = torch.special.ndtri((torch.arange(count, dtype=torch.float64) + 0.5) / count)
    return ticks.float()


def warped(stage: Stage) -> Tensor:
    """Where the artist puts an even grid of noise [rows, columns, 2]; noise beyond two dimensions is zero there.

    Noise of one dimension is a single line [1, columns, 2].
    """
    rows = GRID if stage.setup.latent_dim > 1 else 1
    return stage.game.sample(even(stage)).view(rows, -1, 2)


def even(stage: Stage) -> Tensor:
    """An even grid of noise [rows * columns, latent_dim], or a single line of it."""
    ticks = quantiles(GRID if stage.setup.latent_dim > 1 else 6 * GRID)
    if stage.setup.latent_dim == 1:
        return ticks[:, None]
    plane = torch.cartesian_prod(ticks, ticks)
    return torch.cat([plane, torch.zeros(len(plane), stage.setup.latent_dim - 2)], 1)


def laid_out(stage: Stage, z: Tensor) -> Tensor:
    """The first two numbers of noise [N, latent_dim] as places in the picture [N, 2]; uniform noise fills a square."""
    plane = torch.cat([z, torch.zeros_like(z)], 1)[:, :2] if z.shape[1] == 1 else z[:, :2]
    if stage.setup.noise == "uniform":
        share: Tensor = torch.special.ndtr(plane)
        return (2 * share - 1) * 0.9 * stage.material.reach
    return plane * 0.4 * stage.material.reach


def line(stage: Stage, cut: float, scale: float) -> dict[str, Tensor]:
    """The lectures' picture on a line: both densities, the critic's curve and the best one, and where noise goes."""
    game, stuff, setup = stage.game, stage.material, stage.setup
    edges = torch.linspace(-stuff.reach, stuff.reach, CURVE + 1)
    x = (edges[1:] + edges[:-1]) / 2
    width = 2 * stuff.reach / CURVE
    if stuff.mixture:
        normal = torch.distributions.Normal(stuff.mixture.centres.squeeze(1), stuff.mixture.sd)
        density = normal.log_prob(x[:, None]).exp().mean(1)
    else:
        density = torch.histc(stuff.points, CURVE, -stuff.reach, stuff.reach) / len(stuff.points) / width
    drawn = torch.histc(game.sample(fixed_noise(stage, MANY)), CURVE, -stuff.reach, stuff.reach) / MANY / width
    kernel = torch.tensor([1.0, 2.0, 3.0, 2.0, 1.0]) / 9
    drawn = torch.nn.functional.conv1d(drawn[None, None], kernel[None, None], padding=2)[0, 0]
    ticks = quantiles(LINES)
    z = torch.cat([ticks[:, None], torch.zeros(LINES, setup.latent_dim - 1)], 1)
    return {
        "x": x,
        "density": density,
        "drawn": drawn,
        "curve": belief(stage, game.judge(x[:, None]), cut, scale),
        "best": density / (density + drawn + 1e-9),
        "noise": ticks,
        "landing": game.sample(z).squeeze(1),
    }


def pulled(stage: Stage, fake: Tensor) -> dict[str, Tensor]:
    """The fakes [N, D] that carry arrows, and how the artist's loss would have each of them move [N, D].

    This is minus the slope of a fake's own loss, in its true length: an arrow that cannot be seen teaches nothing.
    """
    x = fake.detach().requires_grad_()
    with torch.enable_grad():
        logits = stage.game.judge(x)
        loss = stage.setup.rules().scoring.g(stage.game.judge(reals(stage)[: len(x)]).detach(), logits) * len(x)
        (slope,) = torch.autograd.grad(loss, x)
    return {"tail": fake, "pull": -slope}


def summary(stage: Stage, facts: dict[str, Any]) -> str:
    """The picture in words, for who cannot see it."""
    notes = stage.notes
    parts = [f"Step {stage.step:,}."]
    if "verdict_real" in notes:
        parts.append(f"The critic calls {notes['verdict_real']:.0%} of reals and {notes['verdict_fake']:.0%} of fakes real.")
    if facts.get("modes", 1) > 1:
        parts.append(f"The fakes reach {facts['captured']} of {facts['modes']} modes.")
    elif "covered" in facts:
        parts.append(f"The fakes cover {facts['covered']:.0%} of the data.")
    if "kl" in facts:
        parts.append(f"KL {facts['kl']:.2f}, JS {facts['js']:.3f} nats.")
    return " ".join(parts)


def finite(values: dict[str, float]) -> dict[str, float | None]:
    """Numbers as JSON can spell them."""
    return {name: value if math.isfinite(value) else None for name, value in values.items()}
