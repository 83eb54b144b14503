"""The translator: it starts as its input, takes any size, and a pixel depends only on the pixels within its reach."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from ganvas.layers.channels import convert_channels
from ganvas.layers.translator import MULTIPLE, Translator


def trained(residual: bool = True) -> Translator:
    """One with weights of which none is zero, of a few channels."""
    torch.manual_seed(0)
    network = Translator(3, 3, (4, 6, 8), residual=residual)
    for weight in network.parameters():
        nn.init.normal_(weight, 0, 0.08)
    return network


def measure_reach(network: nn.Module, side: int) -> int:
    """The distance from an output pixel to the farthest input pixel on which it depends, over all places of the grid."""
    farthest = 0
    for place in range(side // 2, side // 2 + MULTIPLE):
        image = torch.zeros(1, 3, side, side, requires_grad=True)
        (slope,) = torch.autograd.grad(network(image)[0, :, place, place].sum(), image)
        farthest = max(farthest, int((slope.abs().sum((0, 1)).nonzero() - place).abs().max()))
    return farthest


def test_it_starts_as_its_input() -> None:
    image = torch.rand(2, 3, 16, 24) * 2 - 1
    assert torch.equal(Translator(3, 3, (4, 4, 8))(image), image)
    other = Translator(3, 3, (4, 4, 8), residual=False)(image)
    assert other.shape == image.shape
    assert not torch.equal(other, image)
    assert float(other.detach().abs().max()) <= 1


@pytest.mark.parametrize(("inputs", "outputs"), [(1, 3), (3, 1), (1, 1)])
def test_grey_and_color(inputs: int, outputs: int) -> None:
    image = torch.rand(2, inputs, 8, 8)
    drawn = Translator(inputs, outputs, (4, 4, 8))(image)
    assert drawn.shape == (2, outputs, 8, 8)
    assert torch.equal(drawn, convert_channels(image, outputs))


@pytest.mark.parametrize("size", [(8, 8), (16, 40), (72, 24)])
def test_any_size_that_is_a_multiple(size: tuple[int, int]) -> None:
    assert Translator(3, 3, (4, 4, 8))(torch.zeros(1, 3, *size)).shape == (1, 3, *size)


def test_the_reach_is_what_it_says() -> None:
    network = trained()
    found = measure_reach(network, 256)
    assert network.reach - 8 <= found <= network.reach


def test_tiles_equal_the_whole() -> None:
    network = trained().eval()
    image = torch.rand(1, 3, 320, 64) * 2 - 1
    margin, core = -(-network.reach // MULTIPLE) * MULTIPLE, 64
    with torch.no_grad():
        whole = network(image)
        assert float((whole - image).abs().max()) > 0.01
        for top in range(0, 320, core):
            start, stop = max(0, top - margin), min(320, top + core + margin)
            tile = network(image[:, :, start:stop])[:, :, top - start : top - start + core]
            torch.testing.assert_close(tile, whole[:, :, top : top + core], atol=1e-5, rtol=0)


def test_every_weight_gets_a_gradient_once_it_has_moved() -> None:
    network = trained()
    image: Tensor = torch.rand(2, 3, 16, 16)
    network(image).square().mean().backward()
    assert all(weight.grad is not None and bool(weight.grad.any()) for weight in network.parameters())
