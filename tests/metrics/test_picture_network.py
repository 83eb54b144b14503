"""The network for color pictures: its file is small and checked, and its features see what a person sees."""

from __future__ import annotations

import hashlib

import torch
import torch.nn.functional as F

from ganvas.metrics.picture_network import FILE, SHA256, WIDTHS, load_picture_network


def test_the_file_is_small_and_has_its_hash() -> None:
    assert FILE.stat().st_size < 2_000_000
    assert hashlib.sha256(FILE.read_bytes()).hexdigest() == SHA256
    assert f"`{SHA256}`" in FILE.with_name("README.md").read_text()


def test_its_maps_have_four_resolutions() -> None:
    network = load_picture_network()
    images = torch.rand(2, 3, 64, 64) * 2 - 1
    maps = network.maps(images)
    assert [tuple(x.shape) for x in maps] == [(2, width, 64 >> level, 64 >> level) for level, width in enumerate(WIDTHS, 1)]
    assert torch.equal(network(images), maps[-1].mean((2, 3)))
    assert not any(weight.requires_grad for weight in network.parameters())


def test_a_moved_drawing_is_nearer_than_another_one() -> None:
    """Colored discs and squares: the same drawing two pixels beside is nearer than any other, in every case."""
    network = load_picture_network()
    place = torch.linspace(-1, 1, 64)
    x, y = place[None, :], place[:, None]
    disc, square = (x.square() + y.square() < 0.4).float(), (torch.maximum(x.abs(), y.abs()) < 0.55).float()
    colors = torch.tensor([[1.0, -0.8, -0.8], [-0.8, -0.2, 1.0], [0.9, 0.8, -0.9]])
    drawings = torch.stack([1 + shape * (color[:, None, None] - 1) for shape in (disc, square) for color in colors])
    codes, moved = (
        F.normalize(network(each) - network(drawings).mean(0)) for each in (drawings, drawings.roll((2, 2), (2, 3)))
    )
    assert torch.equal((moved @ codes.T).argmax(1), torch.arange(6))
