"""FastGAN: excitation, patches, classes, the lazy reconstruction, full resolution."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from ganvas.core.game import Step
from ganvas.errors import UsageError
from ganvas.games.fastgan import ConditionalConfig, ConditionalFastGAN, Config, FastGAN, shrink

TINY = Config(resolution=32, width=4, max_width=8, latent_dim=6, head=8)
BATCH = {"real": torch.rand(4, 3, 32, 32) * 2 - 1}


def game(**changes: Any) -> FastGAN:
    torch.manual_seed(0)
    return FastGAN(replace(TINY, **changes))


def test_the_reconstruction_is_lazy_and_teaches_the_discriminator_and_the_decoder() -> None:
    made = game(reconstruct_every=4)
    terms = made.turns()[0].loss(BATCH, Step(index=4))
    assert "reconstruction" not in made.turns()[0].loss(BATCH, Step(index=3))
    terms["reconstruction"].backward()  # type: ignore[no-untyped-call]
    for network in (made.D.trunk, made.D.deep, made.decoder):
        assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in network.parameters())
    assert all(weight.grad is None for weight in made.G.parameters())
    once = float(game(reconstruct_every=1).turns()[0].loss(BATCH, Step(index=4))["reconstruction"].detach())
    assert float(terms["reconstruction"].detach()) == pytest.approx(4 * once, rel=1e-5)
    assert "reconstruction" not in game(reconstruct=0.0).turns()[0].loss(BATCH, Step(index=0))


def test_the_discriminator_judges_the_whole_and_patches() -> None:
    whole, patches = game().judge_scales(BATCH["real"])
    assert whole.shape == (4,)
    assert patches.shape == (4, 36)
    assert torch.equal(game().judge(BATCH["real"]), whole)
    assert [scale.shape for scale in game(patches=False).judge_scales(BATCH["real"])] == [(4,)]
    notes = Step(index=1)
    game().turns()[0].loss(BATCH, notes)
    assert 0 <= float(notes.notes["verdict_real"]) <= 1


def test_coarse_features_excite_fine_channels() -> None:
    made = game()
    assert len(made.G.excitations) == 2  # from 4 to 16 pixels, from 8 to 32
    coarse, fine = torch.randn(2, 8, 4, 4), torch.randn(2, 4, 16, 16)
    factor = made.G.excitations[0](coarse, fine) / fine
    assert torch.allclose(factor, factor[:, :, :1, :1].expand_as(factor), atol=1e-4)
    assert factor.min() > 0
    assert factor.max() < 1
    assert len(game(excite=False).G.excitations) == 0


def test_the_generator_ends_at_full_resolution_with_few_channels() -> None:
    """Sub-pixel convolutions print their grid of 2x2 pixels on every sample."""
    made = game(finest=2)
    assert not any(isinstance(module, torch.nn.PixelShuffle) for module in made.G.modules())
    assert made.G.end.in_channels == 2
    assert made.sample(torch.randn(3, 6)).shape == (3, 3, 32, 32)


def test_a_class_chooses_its_logits_of_the_whole_and_of_patches() -> None:
    torch.manual_seed(0)
    made = ConditionalFastGAN(ConditionalConfig(resolution=32, width=4, max_width=8, latent_dim=6, head=8, classes=3))
    x, c = BATCH["real"], torch.tensor([0, 1, 2, 0])
    each = [made.judge_scales(x, torch.full((4,), k)) for k in range(3)]
    for scale, chosen in enumerate(made.judge_scales(x, c)):
        assert torch.equal(chosen, torch.stack([each[k][scale][row] for row, k in enumerate(c.tolist())]))
    pairs = torch.stack([c, (c + 1) % 3], 1)
    for scale, several in enumerate(made.judge_scales(x, pairs)):
        assert torch.equal(several[:, 0], made.judge_scales(x, c)[scale])
        assert torch.equal(several[:, 1], made.judge_scales(x, pairs[:, 1])[scale])
    z = torch.randn(4, 6)
    assert not torch.equal(made.sample(z, c), made.sample(z, pairs[:, 1]))
    assert made.projection().shape[1] == 6


GROWING = replace(TINY, resolution=64, start=16, grow_from=0.5)


@pytest.mark.parametrize(("items", "sides"), [(0, 1), (49, 1), (50, 2), (74, 2), (75, 3), (100, 3)])
def test_the_resolution_is_doubled_at_equal_distances(items: int, sides: int) -> None:
    torch.manual_seed(0)
    made = FastGAN(GROWING)
    made.advance(Step(index=0, items_seen=items, total_items=100))
    assert made.resolutions == (16, 32, 64)[:sides]
    batch = {"real": torch.rand(4, 3, 64, 64) * 2 - 1}
    side = made.resolutions[-1]
    step = Step(index=0, items_seen=items, total_items=100)
    assert made.make_fakes(batch, step).shape == made.read_real(batch, step).shape == (4, 3, side, side)
    assert made.sample(torch.randn(2, 6)).shape == (2, 3, 64, 64)
    assert all(term.isfinite() for turn in made.turns() for term in turn.loss(batch, step).values())


def test_growing_changes_no_sample_at_first() -> None:
    torch.manual_seed(0)
    made, z = FastGAN(GROWING).eval(), torch.randn(3, 6)
    with torch.no_grad():
        small = made.G(z, level=0)
        grown = made.G(z, level=2)
    assert torch.allclose(shrink(grown, 16), small, atol=0.1)
    assert torch.equal(made.sample_at(z, 16), made.sample(z))
    with pytest.raises(UsageError, match="resolution"):
        made.sample_at(z, 32)


def test_the_discriminator_looks_at_pictures_as_far_as_it_has_grown() -> None:
    torch.manual_seed(0)
    made, x = FastGAN(GROWING).eval(), torch.rand(2, 3, 64, 64) * 2 - 1
    at_start = made.judge(x)
    assert torch.equal(at_start, made.judge(shrink(x, 16)))
    made.advance(Step(index=0, items_seen=100, total_items=100))
    for look in made.D.looks:
        torch.nn.init.ones_(look.gain)
    assert not torch.equal(at_start, made.judge(x))
    assert not torch.equal(made.judge(x), made.judge(F.interpolate(shrink(x, 32), scale_factor=2)))  # it sees the finest pixels


@pytest.mark.parametrize(("side", "sides"), [(64, [32, 64]), (128, [32, 64, 128]), (32, [32]), (28, [28]), (96, [24, 48, 96])])
def test_the_first_resolution_is_at_most_the_one_asked_for(side: int, sides: list[int]) -> None:
    assert Config(resolution=side, start=32).sides == sides
    assert Config(resolution=side).sides == [side]


def test_wrong_settings_are_refused() -> None:
    with pytest.raises(UsageError, match=r"config\.reconstruct_every"):
        replace(TINY, reconstruct_every=0)
    with pytest.raises(UsageError, match=r"config\.reconstruct"):
        replace(TINY, reconstruct=-1.0)
