"""Minibatch standard deviation: the formula, its groups, and what it tells of a collapsed batch."""

from __future__ import annotations

import pytest
import torch

from ganvas.layers.minibatch_std import minibatch_std


def test_equals_the_formula_in_groups_of_neighbours() -> None:
    x = torch.randn(8, 3, 4, 4, dtype=torch.float64).float()
    y = minibatch_std(x)
    assert torch.equal(y[:, :3], x)
    for group in (slice(0, 4), slice(4, 8)):
        expected = x[group].var(0, correction=0).sqrt().mean()
        torch.testing.assert_close(y[group, 3], expected.expand(4, 4, 4), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(("n", "size"), [(6, 3), (7, 1), (2, 2), (1, 1), (12, 4)])
def test_any_number_of_samples_has_groups(n: int, size: int) -> None:
    x = torch.randn(n, 2, 2, 2)
    extra = minibatch_std(x)[:, 2, 0, 0]
    assert torch.equal(extra, extra[::size].repeat_interleave(size))
    torch.testing.assert_close(extra[0], x[:size].var(0, correction=0).add(1e-8).sqrt().mean())


def test_twins_are_seen_and_it_is_twice_differentiable() -> None:
    twins = torch.randn(1, 2, 3, 3).expand(4, -1, -1, -1)
    assert float(minibatch_std(twins)[:, 2].max()) < 1e-3
    x = torch.randn(4, 2, 3, 3, requires_grad=True)
    (slope,) = torch.autograd.grad(minibatch_std(x)[:, 2].sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(slope.square().sum(), x)
    assert float(second.abs().sum()) > 0
