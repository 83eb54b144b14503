"""FastGAN: excitation, patches, classes, the lazy reconstruction, pictures drawn again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from ganvas.core.game import Step
from ganvas.errors import UsageError
from ganvas.games.fastgan import (
    ANEW,
    BEGINNING,
    FILE,
    SHA256,
    ConditionalConfig,
    ConditionalFastGAN,
    Config,
    FastGAN,
    shrink,
)
from ganvas.utils.shipped_weights import read_shipped_weights

TINY = Config(resolution=32, redraw=0, width=4, max_width=8, latent_dim=6, head=8)
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
    made = ConditionalFastGAN(ConditionalConfig(resolution=32, redraw=0, width=4, max_width=8, latent_dim=6, head=8, classes=3))
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


@pytest.mark.parametrize(
    ("resolution", "redraw", "side"),
    [(64, 1, 32), (64, 0, 64), (64, 9, 32), (128, 1, 64), (128, 2, 32), (32, 1, 32), (28, 1, 28), (56, 1, 56), (96, 1, 48)],
)
def test_pictures_are_drawn_again_as_often_as_their_side_allows(resolution: int, redraw: int, side: int) -> None:
    """G has at least 32 pixels, and a side that is a multiple of four."""
    config = replace(TINY, resolution=resolution, redraw=redraw)
    assert config.side == side
    torch.manual_seed(0)
    made = FastGAN(config)
    batch = {"real": torch.rand(4, 3, resolution, resolution) * 2 - 1}
    step = Step(index=4)
    assert made.make_fakes(batch, step).shape == made.read_real(batch, step).shape == (4, 3, side, side)
    assert made.sample(torch.randn(2, 6)).shape == (2, 3, resolution, resolution)
    assert made.judge(batch["real"]).shape == (4,)
    assert all(term.isfinite() for turn in made.turns() for term in turn.loss(batch, step).values())


def test_the_network_that_draws_again_does_not_learn_and_is_in_the_bundle() -> None:
    made = game(resolution=64, redraw=1)
    learned = {id(weight) for player in made.players for weight in made.player_parameters(player)}
    assert not any(weight.requires_grad or id(weight) in learned for weight in made.redraw.parameters())
    assert any(name.startswith("redraw.") for name in made.state_dict())
    assert not any(name.startswith("redraw.") for name in game(redraw=0).state_dict())
    assert "redraw" not in made.kept_apart


def test_the_discriminator_sees_the_picture_before_it_is_drawn_again() -> None:
    made, large = game(resolution=64, redraw=1).eval(), torch.rand(2, 3, 64, 64) * 2 - 1
    assert torch.equal(made.judge(large), made.judge(shrink(large, 32)))


def test_a_run_begins_with_the_weights_that_come_with_ganvas() -> None:
    shipped = read_shipped_weights(FILE, SHA256)
    made, new = build_default(FastGAN, Config()), build_default(FastGAN, Config(pretrained=False))
    for name, weight in made.state_dict().items():
        if not name.startswith("redraw."):
            assert torch.equal(weight, shipped[name].to(weight.dtype)), name
    assert not torch.equal(made.G.end.weight, new.G.end.weight)
    assert made.beginning == BEGINNING
    assert not new.beginning
    z, real = torch.randn(4, 64), torch.rand(4, 3, 64, 64) * 2 - 1
    assert made.eval().sample(z).shape == (4, 3, 64, 64)
    assert made.judge(real).isfinite().all()


def test_with_classes_it_begins_alike_for_each_class() -> None:
    shipped = read_shipped_weights(FILE, SHA256)
    made = build_default(ConditionalFastGAN, ConditionalConfig(classes=3)).eval()
    assert torch.equal(made.G.first.weight[:, :64], shipped["G.first.weight"])
    scales = [made.judge_scales(torch.full((1, 3, 32, 32), 0.5), torch.tensor([k])) for k in range(3)]
    assert all(torch.allclose(each[i], scales[0][i]) for each in scales for i in (0, 1))


@pytest.mark.parametrize(
    "other", [{"channels": 1}, {"width": 32}, {"resolution": 128, "redraw": 1}, {"redraw": 0}, {"patches": False}]
)
def test_other_networks_begin_with_new_weights(other: dict[str, Any]) -> None:
    made, new = (build_default(FastGAN, Config(pretrained=pretrained, **other)) for pretrained in (True, False))
    assert all(torch.equal(a, b) for a, b in zip(made.state_dict().values(), new.state_dict().values(), strict=True))
    assert made.beginning == ANEW


def test_the_weights_are_not_read_where_a_bundle_brings_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganvas.games.fastgan.read_shipped_weights", lambda *_: pytest.fail("read"))
    with torch.device("meta"):
        FastGAN(Config())


def build_default(game: type[FastGAN], config: Config) -> Any:
    torch.manual_seed(0)
    return game(config)


def test_wrong_settings_are_refused() -> None:
    with pytest.raises(UsageError, match=r"config\.reconstruct_every"):
        replace(TINY, reconstruct_every=0)
    with pytest.raises(UsageError, match=r"config\.reconstruct"):
        replace(TINY, reconstruct=-1.0)
    with pytest.raises(UsageError, match=r"config\.redraw"):
        replace(TINY, redraw=-1)
