"""Toy distributions of points in one and two dimensions: mixtures of Gaussians, a line, moons, a spiral."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from ganvas.data.table import TableDataset, fingerprint
from ganvas.utils.seeds import mix

COUNTS = {"train": 50_000, "test": 10_000}


@dataclass(frozen=True, eq=False)
class Mixture:
    """A mixture of isotropic Gaussians of equal weight: centres [K, D], one standard deviation."""

    centres: Tensor
    sd: float

    def sample(self, n: int, generator: Generator) -> Tensor:
        """n points float32 [n, D]."""
        which = torch.randint(len(self.centres), (n,), generator=generator)
        return self.centres[which] + self.sd * torch.randn(n, self.centres.shape[1], generator=generator)


def _ring(k: int) -> Tensor:
    # 2*pi*i/k: a linspace with both ends would give k-1 modes, one of them doubled.
    angle = torch.arange(k) * (2 * math.pi / k)
    return torch.stack((angle.cos(), angle.sin()), 1)


def _grid(side: int, spacing: float) -> Tensor:
    ticks = (torch.arange(side) - (side - 1) / 2) * spacing
    return torch.cartesian_prod(ticks, ticks)


# The ring and the grid are those of arXiv:1712.04086 sec. 4.1 (PacGAN), so published mode counts compare.
MODES: Mapping[str, Mixture] = {
    "normal1d": Mixture(torch.tensor([[1.0]]), 0.5),
    "mixture1d": Mixture(torch.tensor([[-1.0], [1.0]]), 0.2),
    "gaussians": Mixture(torch.tensor([[-1.0, 0.0], [1.0, 0.0]]), 0.2),
    "ring": Mixture(_ring(8), 0.01),
    "grid": Mixture(_grid(5, 2.0), 0.05),
}


def sample_line(n: int, generator: Generator) -> Tensor:
    """Points [n, 2] on the segment from (-1, -1) to (1, 1), with noise of sd 0.02."""
    t = 2 * torch.rand(n, 1, generator=generator) - 1
    return t.expand(n, 2) + 0.02 * torch.randn(n, 2, generator=generator)


def sample_moons(n: int, generator: Generator) -> Tensor:
    """Points [n, 2] on two interleaved half circles of radius 1 around (-0.5, -0.25) and (0.5, 0.25), noise of sd 0.05."""
    angle = math.pi * torch.rand(n, generator=generator)
    sign = 2.0 * torch.randint(2, (n,), generator=generator) - 1
    arc = torch.stack((sign * (angle.cos() - 0.5), sign * (angle.sin() - 0.25)), 1)
    return arc + 0.05 * torch.randn(n, 2, generator=generator)


def sample_spiral(n: int, generator: Generator) -> Tensor:
    """Points [n, 2] on a spiral with two turns up to radius 1, uniform along its length, with noise of sd 0.02."""
    radius = torch.rand(n, generator=generator).sqrt()  # arc length grows with the square of the radius
    angle = 4 * math.pi * radius
    arc = torch.stack((radius * angle.cos(), radius * angle.sin()), 1)
    return arc + 0.02 * torch.randn(n, 2, generator=generator)


POINTS: Mapping[str, Callable[[int, Generator], Tensor]] = {
    "line": sample_line,
    "gaussians": MODES["gaussians"].sample,
    "ring": MODES["ring"].sample,
    "grid": MODES["grid"].sample,
    "moons": sample_moons,
    "spiral": sample_spiral,
    "normal1d": MODES["normal1d"].sample,
    "mixture1d": MODES["mixture1d"].sample,
}


def point_source(name: str, split: str) -> TableDataset:
    """The built-in point source `name`: always the same points, different ones for each split."""
    fields = {"real": POINTS[name](COUNTS[split], torch.Generator().manual_seed(mix("points", name, split)))}
    return TableDataset(name, fields, fingerprint=fingerprint(fields), splits=tuple(COUNTS))
