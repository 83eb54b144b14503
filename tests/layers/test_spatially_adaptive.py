"""Spatially-adaptive modulation: the map decides, at each place; what is not known decides nothing."""

from __future__ import annotations

import math

import pytest
import torch

from ganvas.layers.normalization import pixel_norm
from ganvas.layers.spatially_adaptive import LONGEST, ModulatedBlock, Modulation, Waves, encode_map


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


def test_waves_are_the_same_in_a_larger_picture_and_another_with_other_noise() -> None:
    torch.manual_seed(0)
    waves, z = Waves(4, 6, 2), torch.randn(2, 4)
    small, large = waves(z, (8, 12)), waves(z, (40, 30))
    assert small.shape == (2, 6, 8, 12)
    torch.testing.assert_close(large[:, :, :8, :12], small)
    assert not torch.allclose(small[0], small[1])
    assert not torch.allclose(waves(-z, (8, 12)), small)
    # No place is like another one: the waves of a larger picture are not those of the small one again.
    for down, right in ((8, 0), (0, 8), (16, 16), (32, 18)):
        window = large[:, :, down : down + 8, right : right + 12]
        assert float((window - small).abs().mean().detach()) > 0.01


def test_finer_waves_have_the_unit_of_the_picture() -> None:
    """A wavelength is as many pixels of the picture at each stride."""
    for stride in (2, 4, 8):
        lengths = 2 * math.pi / Waves(1, 1, stride).angles.norm(dim=0)
        assert float(lengths.min()) == pytest.approx(4 * stride, rel=1e-4)
        assert float(lengths.max()) == pytest.approx(LONGEST, rel=1e-4)
