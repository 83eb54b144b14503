"""Perceptual path length: exact for linear generators, with the published start, step and trimming."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from ganvas.metrics.perceptual_path_length import perceptual_path_length


def normal(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


A = normal(0, 12, 5)
Z0, Z1 = normal(1, 20_000, 5), normal(2, 20_000, 5)


def linear(z: Tensor) -> Tensor:
    return (z @ A.T).view(-1, 3, 2, 2)


def test_a_linear_generator_has_twice_its_squared_norm() -> None:
    """E |A (z1 - z0)|^2 = 2 |A|_F^2 between standard normals in a straight line; no trimming."""
    length = perceptual_path_length(linear, None, Z0, Z1, space="w", trim=0)
    assert length == pytest.approx(2 * A.square().sum().item(), rel=0.02)
    assert length == pytest.approx(((Z1 - Z0) @ A.T).square().sum(1).mean().item(), rel=1e-6)


@pytest.mark.parametrize("eps", [1e-6, 1e-4, 1e-2, 1.0])
def test_a_straight_path_through_a_linear_generator_knows_no_step(eps: float) -> None:
    expected = ((Z1 - Z0) @ A.T).square().sum(1).mean().item()
    assert perceptual_path_length(linear, None, Z0, Z1, space="w", trim=0, eps=eps) == pytest.approx(expected, rel=1e-6)


def test_the_path_of_latents_follows_the_sphere() -> None:
    """The speed at the start of slerp is w / sin w (z1 - z0 cos w), w the angle between them."""
    cosine = (Z0 * Z1).sum(1, keepdim=True) / (Z0.norm(dim=1, keepdim=True) * Z1.norm(dim=1, keepdim=True))
    speed = cosine.acos() / (1 - cosine**2).sqrt() * (Z1 - cosine * Z0)
    expected = (speed @ A.T).square().sum(1).mean().item()
    assert perceptual_path_length(linear, None, Z0, Z1, trim=0, eps=1e-5) == pytest.approx(expected, rel=1e-3)


def test_in_many_dimensions_the_sphere_is_longer_than_the_chord() -> None:
    """Directions are then at right angles: (pi / 2)^2 |A|_F^2 instead of 2 |A|_F^2."""
    wide, z0, z1 = normal(3, 4, 2000), normal(4, 2000, 2000), normal(5, 2000, 2000)
    length = perceptual_path_length(lambda z: z @ wide.T, None, z0, z1, trim=0)
    assert length == pytest.approx((math.pi / 2) ** 2 * wide.square().sum().item(), rel=0.05)


def test_float32_is_precise_enough_for_the_published_step() -> None:
    narrow = A.float()
    length = perceptual_path_length(lambda z: z @ narrow.T, None, Z0.float(), Z1.float())
    assert length == pytest.approx(perceptual_path_length(linear, None, Z0, Z1), rel=1e-3)


def test_the_tails_are_cut_as_published() -> None:
    """Percentiles 1 "lower" and 99 "higher", both included. Source: NVlabs/stylegan3 metrics/perceptual_path_length.py."""
    lengths = ((Z1[:777] - Z0[:777]) @ A.T).square().sum(1).numpy()
    low, high = np.percentile(lengths, 1, method="lower"), np.percentile(lengths, 99, method="higher")
    expected = lengths[(lengths >= low) & (lengths <= high)].mean()
    found = perceptual_path_length(linear, None, Z0[:777], Z1[:777], space="w")
    assert found == pytest.approx(expected, rel=1e-6)
    assert found < perceptual_path_length(linear, None, Z0[:777], Z1[:777], space="w", trim=0)


def test_features_are_what_is_measured() -> None:
    doubled = perceptual_path_length(linear, lambda x: 2 * x.flatten(1), Z0[:100], Z1[:100])
    assert doubled == pytest.approx(4 * perceptual_path_length(linear, None, Z0[:100], Z1[:100]))
    assert perceptual_path_length(linear, lambda x: x.mean((1, 2, 3))[:, None] * 0, Z0[:100], Z1[:100]) == 0


def test_style_codes_of_any_shape() -> None:
    """w [N, layers, d], as StyleGAN's."""
    w0, w1 = normal(1, 300, 4, 5), normal(2, 300, 4, 5)
    found = perceptual_path_length(lambda w: w.flatten(1), None, w0, w1, space="w", trim=0)
    assert found == pytest.approx((w1 - w0).square().sum((1, 2)).mean().item(), rel=1e-6)


@pytest.mark.parametrize("chunk", [1, 33, 1000])
def test_chunks_change_nothing(chunk: int) -> None:
    whole = perceptual_path_length(linear, None, Z0[:200], Z1[:200])
    assert perceptual_path_length(linear, None, Z0[:200], Z1[:200], chunk=chunk) == pytest.approx(whole, rel=1e-9)


def test_rounding_to_bytes_ruins_it() -> None:
    """torch-fidelity measured 1146.89 with bytes and 31.04 without, at eps = 1e-4. Source: its docs, precision.md."""

    def rounded(z: Tensor) -> Tensor:
        return ((torch.tanh(linear(z)) + 1) * 127.5).round() / 127.5 - 1

    def smooth(z: Tensor) -> Tensor:
        return torch.tanh(linear(z))

    clean, coarse = (perceptual_path_length(each, None, Z0, Z1, trim=0) for each in (smooth, rounded))
    assert coarse > 10 * clean
