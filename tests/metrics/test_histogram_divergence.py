"""Divergences on cells against closed forms."""

from __future__ import annotations

import math

import pytest
import torch

from ganvas.data.builtin.point_sets import MODES
from ganvas.errors import UsageError
from ganvas.metrics.histogram_divergence import Cells, divergences

BOX = Cells(-2.0, 2.0, 40, 2)


def test_every_sample_is_counted_once() -> None:
    points = torch.tensor([[-2.0, -2.0], [1.999, 1.999], [2.0, 0.0], [0.0, -2.1], [1e6, 0.0]])
    counts = BOX.counts(points)
    assert (len(counts), counts.sum(), counts[-1]) == (1601, 5, 3)
    assert (counts[0], counts[-2]) == (1, 1)


def test_exact_masses_are_what_a_large_sample_shows() -> None:
    for name, cells in (("ring", BOX), ("mixture1d", Cells(-2.5, 2.5, 60, 1))):
        mixture = MODES[name]
        masses = cells.masses(mixture.centres, mixture.sd)
        assert masses.sum().item() == pytest.approx(1)
        sample = mixture.sample(200_000, torch.Generator().manual_seed(0))
        shares = cells.counts(sample) / 200_000
        assert (shares - masses).abs().max() < 5 * math.sqrt(masses.max() / 200_000)


def test_equal_is_zero_and_disjoint_is_ln_2() -> None:
    data = torch.tensor([0.25, 0.75, 0.0, 0.0], dtype=torch.float64)
    same = divergences(data, data * 1e9)
    assert (same.kl, same.js, same.covered) == (pytest.approx(0, abs=1e-6), pytest.approx(0, abs=1e-6), 1)
    other = divergences(data, torch.tensor([0.0, 0.0, 5e8, 5e8], dtype=torch.float64))
    assert other.js == pytest.approx(math.log(2), abs=1e-6)
    assert other.covered == 0
    assert other.kl < math.log(1e9 + 1) + math.log(4)


def test_kl_of_two_gaussians_is_the_closed_form() -> None:
    cells = Cells(-8.0, 8.0, 800, 1)
    data = cells.masses(torch.tensor([[0.0]]), 1.0)
    counts = cells.masses(torch.tensor([[0.5]]), 1.5) * 1e12
    closed = math.log(1.5) + (1 + 0.25) / (2 * 1.5**2) - 0.5
    assert divergences(data, counts).kl == pytest.approx(closed, abs=1e-3)


def test_points_of_other_dimensions_are_refused() -> None:
    with pytest.raises(UsageError, match="expected 2 numbers"):
        BOX.counts(torch.zeros(3, 1))
