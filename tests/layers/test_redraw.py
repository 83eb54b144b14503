"""The network that draws pictures again: its file is small and checked; it keeps clean pictures and takes faults away."""

from __future__ import annotations

import hashlib

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from ganvas.layers.redraw import CODES, FILE, SHA256, load_redraw


def drawings() -> Tensor:
    """Colored discs and squares [6, 3, 64, 64] on white, with soft edges."""
    line = torch.linspace(-1, 1, 64)
    x, y = line[None, :], line[:, None]
    disc, square = 0.65 - (x.square() + y.square()).sqrt(), 0.55 - torch.maximum(x.abs(), y.abs())
    colors = torch.tensor([[1.0, 0.2, -0.8], [-0.8, -0.2, 1.0], [0.9, 0.8, -0.9]])
    shapes = [(edge * 40).sigmoid() for edge in (disc, square)]
    return torch.stack([1 + shape * (color[:, None, None] - 1) for shape in shapes for color in colors])


def double(image: Tensor) -> Tensor:
    """Without a network."""
    return F.interpolate(image, scale_factor=2, mode="bicubic").clamp(-1, 1)


def error(drawn: Tensor, wanted: Tensor) -> float:
    return float((drawn - wanted).abs().mean())


def test_the_file_is_small_and_has_its_hash() -> None:
    assert FILE.stat().st_size < 2_000_000
    assert hashlib.sha256(FILE.read_bytes()).hexdigest() == SHA256
    assert f"`{SHA256}`" in FILE.with_name("README.md").read_text()


@pytest.mark.parametrize("channels", [1, 3])
def test_a_picture_gets_twice_the_side(channels: int) -> None:
    network = load_redraw()
    image = torch.rand(2, channels, 16, 24) * 2 - 1
    drawn = network(image)
    assert drawn.shape == (2, channels, 32, 48)
    assert drawn.abs().max() <= 1
    assert network.encode(image.expand(-1, 3, -1, -1)).shape == (2, CODES, 4, 6)
    assert not any(weight.requires_grad for weight in network.parameters())


def test_clean_drawings_stay_and_specks_go() -> None:
    network, wanted = load_redraw(), drawings()
    small = F.avg_pool2d(wanted, 2)
    specks = 0.15 * torch.randn(small.shape, generator=torch.Generator().manual_seed(0))
    assert error(network(small), wanted) < 0.05
    assert error(network(small + specks), wanted) < 0.6 * error(double(small + specks), wanted)
