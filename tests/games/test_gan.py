"""The original game: noise in pieces for data in pieces, and waves that sharpen as the run goes on."""

from __future__ import annotations

import pytest
import torch

from ganvas.core.game import Step
from ganvas.games.gan import GAN, Config


@pytest.mark.parametrize(
    ("progress", "weights"),
    [(0.0, [1, 1, 0, 0, 0, 0]), (0.25, [1, 1, 1, 1, 0, 0]), (0.5, [1] * 6), (1.0, [1] * 6)],
)
def test_fine_waves_join_in_the_first_half(progress: float, weights: list[float]) -> None:
    game = GAN(Config(frequencies=6, sharpen=0.5))
    game.advance(Step(0, int(1000 * progress), 1000))
    torch.testing.assert_close(game.sharpness, torch.tensor(weights, dtype=torch.float32))


def test_without_sharpening_all_waves_are_there_at_once() -> None:
    game = GAN(Config(frequencies=4))
    game.advance(Step(0, 0, 1000))
    assert game.sharpness.tolist() == [1, 1, 1, 1]


def test_sharpness_never_jumps() -> None:
    game, found = GAN(Config(frequencies=6, sharpen=0.5)), []
    for items in range(1001):
        game.advance(Step(0, items, 1000))
        found.append(game.sharpness.clone())
    assert torch.stack(found).diff(dim=0).abs().max() < 0.02


def test_a_wave_that_has_not_joined_is_not_seen() -> None:
    """Two places half a period of the finest wave apart differ by that wave only if the others do not."""
    game = GAN(Config(frequencies=6, width=16, sharpen=0.5))
    game.advance(Step(0, 0, 1000))
    with torch.no_grad():
        x = torch.randn(8, 2)
        before = game.judge(x)
        game.D[0].weight[:, -1] += 10.0  # the weight of the finest cosine of the last coordinate
        assert torch.equal(game.judge(x), before)
        game.advance(Step(0, 1000, 1000))
        assert not torch.allclose(game.judge(x), before)


def test_coins_tell_the_sign_of_each_coordinate() -> None:
    game = GAN(Config(coins=True, latent_dim=3))
    z = torch.tensor([[1e-6, -1e-6, 2.0]])
    assert game.G[0].in_features == 6
    assert not torch.allclose(game.sample(z), game.sample(-z))
