"""From z to w, two styles in one image, and noise that starts silent."""

from __future__ import annotations

import torch

from ganvas.layers.mapping import DECAY, Mapping, mix_styles_randomly, repeat_per_layer
from ganvas.layers.noise_input import NoiseInput
from ganvas.layers.normalization import pixel_norm


def test_without_layers_w_is_z_on_its_sphere() -> None:
    z = torch.randn(5, 8)
    assert torch.equal(Mapping(8, 0)(z), pixel_norm(z))
    mapping = Mapping(8, 3)
    torch.testing.assert_close(mapping(z), mapping(7 * z))  # only the direction of z counts


def test_a_class_changes_w_and_shares_of_classes_lie_between() -> None:
    torch.manual_seed(0)
    mapping, z = Mapping(8, 2, classes=3), torch.randn(1, 8).expand(3, -1)
    w = mapping(z, torch.arange(3))
    assert not torch.allclose(w[0], w[1])
    torch.testing.assert_close(w, mapping(z, torch.eye(3)))


def test_running_mean_follows() -> None:
    mapping, w = Mapping(4, 1), torch.randn(6, 4)
    mapping.update_mean(w)
    torch.testing.assert_close(mapping.mean, (1 - DECAY) * w.mean(0))
    for _ in range(2000):
        mapping.update_mean(w)
    torch.testing.assert_close(mapping.mean, w.mean(0), atol=1e-3, rtol=1e-3)


def test_crossed_cuts_where_it_is_told() -> None:
    first, second = torch.zeros(4, 2), torch.ones(4, 2)
    chance, place = torch.tensor([0.95, 0.1, 0.1, 0.1]), torch.tensor([0.5, 0.0, 0.5, 0.999])
    w = mix_styles_randomly(first, second, 5, 0.9, chance, place)
    assert [row.int().tolist() for row in w[:, :, 0]] == [[0] * 5, [0, 1, 1, 1, 1], [0, 0, 0, 1, 1], [0, 0, 0, 0, 1]]
    assert torch.equal(repeat_per_layer(w, 5), w)
    assert torch.equal(repeat_per_layer(second, 5), torch.ones(4, 5, 2))


def test_noise_starts_silent_and_is_fixed_where_none_is_given() -> None:
    layer, x = NoiseInput(3, 4), torch.randn(2, 3, 4, 4)
    assert torch.equal(layer(x), x)
    torch.nn.init.constant_(layer.strength, 2.0)
    assert torch.equal(layer(x), layer(x))
    fresh = torch.randn(2, 1, 4, 4)
    torch.testing.assert_close(layer(x, fresh), x + 2 * fresh)
