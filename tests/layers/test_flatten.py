"""Flatten: the bits of nn.Flatten, and gradients in the memory format of the features."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ganvas.layers.flatten import Flatten

LAYOUTS = {4: torch.channels_last, 5: torch.channels_last_3d}


def run(flatten: nn.Module, dims: int, layout: torch.memory_format) -> dict[str, Tensor]:
    """What a small discriminator with that layer computes: logits, gradients, and those of a slope penalty."""
    torch.manual_seed(0)
    conv: Any = (nn.Conv2d, nn.Conv3d)[dims - 4](3, 8, 3, padding=1)
    net = nn.Sequential(conv, nn.LeakyReLU(0.2), flatten, nn.Linear(8 * 4 ** (dims - 2), 5), nn.Tanh(), nn.Linear(5, 1))
    net.to(memory_format=layout)  # type: ignore[call-overload]
    x = torch.randn(6, 3, *[4] * (dims - 2)).to(memory_format=layout).requires_grad_()
    logits = net(x)
    (slope,) = torch.autograd.grad(logits.sum(), x, create_graph=True)
    (logits.square().sum() + slope.square().sum()).backward()
    grads = {name: weight.grad for name, weight in net.named_parameters()}
    return {"logits": logits, "slope": slope, "x": x.grad, **{name: grad for name, grad in grads.items() if grad is not None}}


@pytest.mark.parametrize("dims", [4, 5])
@pytest.mark.parametrize("last", [True, False])
def test_the_bits_are_those_of_torch(dims: int, last: bool) -> None:
    layout = LAYOUTS[dims] if last else torch.contiguous_format
    ours, theirs = run(Flatten(), dims, layout), run(nn.Flatten(), dims, layout)
    assert ours.keys() == theirs.keys()
    assert len(ours) == 9
    assert not [name for name in ours if not torch.equal(ours[name], theirs[name])]


@pytest.mark.parametrize("shape", [(4, 3, 5, 5), (4, 3, 2, 5, 5)])
def test_gradients_keep_the_memory_format(shape: tuple[int, ...]) -> None:
    layout = LAYOUTS[len(shape)]
    x = torch.randn(shape).to(memory_format=layout).requires_grad_()
    (grad,) = torch.autograd.grad(Flatten()(x).pow(3).sum(), x, create_graph=True)
    (again,) = torch.autograd.grad(grad.square().sum(), x)
    assert grad.is_contiguous(memory_format=layout)
    assert again.is_contiguous(memory_format=layout)
    assert not torch.autograd.grad(nn.Flatten()(x).sum(), x)[0].is_contiguous(memory_format=layout)


def test_gradients_are_right() -> None:
    x = torch.randn(2, 3, 2, 2, dtype=torch.double).to(memory_format=torch.channels_last).requires_grad_()
    weight = torch.randn(12, 4, dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x, w: (Flatten()(x) @ w).tanh(), (x, weight))
    assert torch.autograd.gradgradcheck(lambda x, w: (Flatten()(x) @ w).tanh(), (x, weight))


@pytest.mark.parametrize("shape", [(4, 6), (4, 3, 5, 5), (4, 1, 5, 5), (0, 3, 5, 5), (4, 3, 1, 1), (4, 3, 7)])
def test_any_features_can_be_flattened(shape: tuple[int, ...]) -> None:
    x = torch.randn(shape)
    x = x.to(memory_format=torch.channels_last) if x.ndim == 4 else x
    assert torch.equal(Flatten()(x), x.flatten(1))
    with torch.device("meta"):
        assert Flatten()(torch.empty(shape)).shape == x.flatten(1).shape
