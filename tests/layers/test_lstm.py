"""The LSTM that writes: its law sums to one, what it draws follows the law, and the slope goes through what it draws."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor

from ganvas.layers.lstm import LSTMGenerator


def built(ends: bool, vocabulary: int = 4) -> LSTMGenerator:
    torch.manual_seed(0)
    writer = LSTMGenerator(vocabulary, 3, 5, ends).eval()
    with torch.no_grad():
        for weight in writer.parameters():
            weight.mul_(3.0)  # far from even chances
    return writer


def gumbel(*shape: int) -> Tensor:
    return -torch.log(-torch.log(torch.rand(*shape, generator=torch.Generator().manual_seed(1)).clamp(1e-6, 1 - 1e-6)))


@pytest.mark.parametrize("ends", [True, False])
@torch.no_grad()
def test_the_chances_of_all_lines_sum_to_one(ends: bool) -> None:
    every = torch.tensor(list(itertools.product(range(4), repeat=3)))
    if ends:  # after the end there is nothing but ends
        every = every[[not any(a == 0 and b for a, b in itertools.pairwise(line)) for line in every.tolist()]]
    nats = built(ends).nll(every)
    assert float((-nats.sum(1)).exp().sum()) == pytest.approx(1, abs=1e-5)


@torch.no_grad()
def test_after_the_end_nothing_surprises() -> None:
    nats = built(True).nll(torch.tensor([[2, 0, 0, 0]]))
    assert (nats[0, :2] > 0).all()
    assert nats[0, 2:].tolist() == [0, 0]


@pytest.mark.parametrize("how", ["write", "rehearse"])
@torch.no_grad()
def test_what_is_drawn_follows_the_law(how: str) -> None:
    writer, n = built(True, 3), 20_000
    if how == "write":
        text = writer.write(torch.randn(n, 2, generator=torch.Generator().manual_seed(0)))
    else:
        text = writer.sample_gumbel(gumbel(n, 2, 3), 0.5).argmax(2)
    every = torch.tensor([[0, 0], *itertools.product((1, 2), (0, 1, 2))])
    law = (-writer.nll(every).sum(1)).exp()
    found = torch.stack([(text == line).all(1).double().mean() for line in every])
    assert float(found.sum()) == 1
    torch.testing.assert_close(found.float(), law, atol=0.012, rtol=0)


@torch.no_grad()
def test_cold_is_the_likeliest_and_hot_is_even() -> None:
    writer, z = built(False), torch.randn(2_000, 1, generator=torch.Generator().manual_seed(0))
    law = (-writer.nll(torch.arange(4)[:, None])).exp().flatten()
    assert (writer.write(z, 0.01) == law.argmax()).all()
    hot = writer.write(z, 100.0).flatten().bincount(minlength=4) / 2_000
    assert (hot - 0.25).abs().max() < 0.05


@torch.no_grad()
def test_a_line_does_not_depend_on_the_others() -> None:
    writer, z = built(True), torch.randn(8, 5, generator=torch.Generator().manual_seed(2))
    assert torch.equal(writer.write(z)[3:4], writer.write(z[3:4]))


def test_one_hots_with_a_slope() -> None:
    writer = built(True)
    noise = gumbel(16, 6, 4)
    drawn = writer.sample_gumbel(noise, 1.0)
    values = drawn.detach().round()
    torch.testing.assert_close(drawn.detach(), values)
    assert (values.sum(2) == 1).all()
    text = values.argmax(2)
    for line in text.tolist():
        assert not any(a == 0 and b for a, b in itertools.pairwise(line))
    drawn[..., 1].sum().backward()
    assert writer.head.weight.grad is not None
    assert writer.head.weight.grad.abs().sum() > 0


def test_after_the_end_there_is_no_slope() -> None:
    writer = built(True)
    with torch.no_grad():
        writer.head.bias[0] = 50.0  # ends at once
    drawn = writer.sample_gumbel(gumbel(4, 3, 4), 1.0)
    (slope,) = torch.autograd.grad(drawn[:, 1:].sum(), writer.head.bias, allow_unused=True)
    assert slope is None or not slope.any()
