"""Spatially-adaptive modulation: the map decides, at each place; what is not known decides nothing."""

from __future__ import annotations

import torch

from ganvas.layers.normalization import pixel_norm
from ganvas.layers.spatially_adaptive import ModulatedBlock, Modulation, encode_map


def test_classes_as_channels() -> None:
    seen = encode_map(torch.tensor([[[0, 2], [255, 1]]]), 3)
    assert seen.tolist() == [[[[1, 0], [0, 0]], [[0, 0], [0, 1]], [[0, 1], [0, 0]]]]


def test_a_scale_and_a_shift_for_each_place() -> None:
    torch.manual_seed(0)
    layer, x, features = Modulation(4, 3), torch.randn(2, 4, 5, 6), torch.randn(2, 3, 5, 6)
    assert layer.both is not None
    scale, shift = layer.both(features).chunk(2, 1)
    torch.testing.assert_close(layer(x, features), pixel_norm(x) * (1 + scale) + shift)
    assert torch.equal(Modulation(4, 0)(x, features), pixel_norm(x))


def test_a_place_does_not_depend_on_what_is_far_away() -> None:
    torch.manual_seed(0)
    block, x, features = ModulatedBlock(4, 6, 3), torch.randn(1, 4, 8, 16), torch.randn(1, 3, 8, 16)
    before = block(x, features)
    assert before.shape == (1, 6, 8, 16)
    changed = features.clone()
    changed[..., 12:] += 3
    after = block(x, changed)
    assert torch.equal(after[..., :10], before[..., :10])
    assert not torch.allclose(after[..., 12:], before[..., 12:])
