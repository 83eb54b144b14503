"""StyleGAN2: path lengths, the sum of pictures, classes, augmentation that reaches both players."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from ganvas.core.capabilities import Conditional, Grows, Styled
from ganvas.core.game import Step
from ganvas.errors import UsageError
from ganvas.games.stylegan2 import PATH_DECAY, ConditionalConfig, ConditionalStyleGAN2, Config, StyleGAN2
from ganvas.layers.adaptive_augment import adaptive_augment

TINY = Config(resolution=16, width=4, max_width=8, latent_dim=6)
CLASSES = ConditionalConfig(resolution=16, width=4, max_width=8, latent_dim=6, classes=3)
BATCH = {"real": torch.rand(4, 1, 16, 16) * 2 - 1, "label": torch.tensor([0, 1, 2, 0])}


def game(**changes: Any) -> StyleGAN2:
    torch.manual_seed(0)
    return StyleGAN2(replace(TINY, **changes))


def test_path_penalty_is_lazy_and_its_mean_starts_at_the_first_measurement() -> None:
    made = game()
    artist = made.turns()[1]
    assert "path" not in artist.loss(BATCH, Step(index=1))
    assert float(artist.loss(BATCH, Step(index=0))["path"].detach()) == 0
    first = made.path_mean.clone()
    assert first > 0
    term = artist.loss(BATCH, Step(index=16))["path"]
    assert float(term.detach()) > 0
    assert made.path_mean != first
    assert abs(made.path_mean - first) <= PATH_DECAY * 10 * first
    assert "path" not in game(path_length=0.0).turns()[1].loss(BATCH, Step(index=0))


def test_the_mean_of_path_lengths_settles() -> None:
    made = game()
    for index in range(0, 800, 16):
        torch.manual_seed(3)
        made.regularize_paths(BATCH, Step(index=index))
    torch.manual_seed(3)
    lengths_term = made.regularize_paths(BATCH, Step(index=0))["path"]
    before = made.path_mean.clone()
    torch.manual_seed(3)
    made.regularize_paths(BATCH, Step(index=0))
    torch.testing.assert_close(made.path_mean, before, rtol=1e-3, atol=0)
    assert torch.isfinite(lengths_term)


def test_the_picture_is_the_sum_of_all_resolutions() -> None:
    made, z = game(), torch.randn(3, 6)
    assert isinstance(made, Grows)
    assert isinstance(made, Styled)
    assert made.resolutions == (4, 8, 16)
    assert torch.equal(made.sample_at(z, 16), made.sample(z))
    coarse = made.sample_at(z, 4)
    torch.testing.assert_close(coarse[:, :, ::4, ::4], coarse[:, :, 3::4, 3::4])
    with pytest.raises(UsageError, match="expected one of 4, 8, 16, got 32"):
        made.sample_at(z, 32)
    assert len(made.style_weights()) == made.styles == 6


def test_few_channels_at_full_resolution() -> None:
    """`finest` channels there in G; D takes 2x2 pixels as one, so it has one stage less."""
    assert replace(TINY, finest=2).widths == [2, 4, 8]
    made = game(finest=2)
    assert made.G.layers[-2].conv.weight.shape == (2, 4, 3, 3)
    assert made.resolutions == (4, 8, 16)
    assert len(made.D.stages) == len(game().D.stages) - 1
    assert made.judge(made.sample(torch.randn(3, 6))).shape == (3,)
    with pytest.raises(UsageError, match=r"config\.finest: expected .*0"):
        replace(TINY, finest=-1)


def test_a_class_changes_the_picture_and_the_verdict() -> None:
    torch.manual_seed(0)
    made = ConditionalStyleGAN2(CLASSES)
    assert isinstance(made, Conditional)
    assert not isinstance(game(), Conditional)
    z = torch.randn(1, 6).expand(3, -1)
    pictures = made.sample(z, torch.arange(3))
    assert not torch.allclose(pictures[0], pictures[1], atol=1e-3)
    torch.testing.assert_close(made.sample(z, torch.eye(3)), pictures)
    assert len(set(made.judge(BATCH["real"][:1].expand(3, -1, -1, -1), torch.arange(3)).tolist())) == 3
    with pytest.raises(UsageError, match="it needs a class"):
        made.sample(z)


def test_the_unconditional_game_does_not_look_at_labels() -> None:
    made = game().requires_grad_(False)
    assert torch.equal(made.judge(BATCH["real"], BATCH["label"]), made.judge(BATCH["real"]))


def test_augmentation_reaches_both_players_and_the_penalty() -> None:
    """What the balance does to pictures it does to reals and fakes alike, in the critic's turn, its R1 and the artist's."""
    made, seen = game(), []

    def view(x: torch.Tensor, step: Step, name: str) -> torch.Tensor:
        seen.append(tuple(x.shape))
        return adaptive_augment(x, 0.5, step.uniform)

    for turn in made.turns():
        terms = turn.loss(BATCH, Step(view=view))
        sum(terms.values()).backward(inputs=made.player_parameters(turn.trains))  # type: ignore[union-attr]
        assert all(
            bool(torch.isfinite(weight.grad).all()) for weight in made.player_parameters(turn.trains) if weight.grad is not None
        )
    assert len(seen) == 4  # reals, fakes, the reals of R1, the fakes of the artist
