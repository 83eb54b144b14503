"""Features of an image do not depend on the images beside it."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from ganvas.metrics.features import extract_features
from ganvas.metrics.resize import resize


def bytes_of(seed: int, *shape: int) -> Tensor:
    return torch.randint(0, 256, shape, generator=torch.Generator().manual_seed(seed), dtype=torch.uint8)


@pytest.fixture(scope="module")
def net() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 100, 33)).eval()


@pytest.mark.parametrize("n", [1, 2, 49, 50, 51, 120, 199])
def test_features_do_not_depend_on_how_many_are_asked_for(net: nn.Module, n: int) -> None:
    """Bit for bit; a network fed the last, smaller batch as it is differs in the last digits."""
    images = bytes_of(0, 200, 1, 12, 12)
    everything = extract_features(net, images, chunk=50)
    assert everything.shape == (200, 33)
    assert everything.dtype == torch.float64
    assert torch.equal(extract_features(net, images[:n], chunk=50), everything[:n])


def test_the_network_sees_floats_from_minus_one_to_one_in_full_chunks() -> None:
    seen: list[Tensor] = []

    def net(x: Tensor) -> Tensor:
        seen.append(x)
        return x.flatten(1)

    images = torch.tensor([0, 255, 51], dtype=torch.uint8).view(3, 1, 1, 1)
    assert extract_features(net, images, chunk=2).flatten().tolist() == pytest.approx([-1, 1, -0.6])
    assert [(len(x), x.dtype) for x in seen] == [(2, torch.float32)] * 2
    assert not any(x.requires_grad for x in seen)


def test_features_carry_no_graph(net: nn.Module) -> None:
    assert not extract_features(net, bytes_of(0, 3, 1, 12, 12)).requires_grad


def test_images_are_brought_to_size_one_chunk_at_a_time() -> None:
    """A whole set at the size of the network would need gigabytes."""
    sizes: list[int] = []

    def fit(images: Tensor) -> Tensor:
        sizes.append(len(images))
        return resize(images, 24)

    images = bytes_of(1, 23, 1, 12, 12)
    found = extract_features(lambda x: x.flatten(1), images, chunk=5, fit=fit)
    assert sizes == [5, 5, 5, 5, 3]
    torch.testing.assert_close(found, extract_features(lambda x: x.flatten(1), resize(images, 24), chunk=5), rtol=0, atol=0)
