"""The self-conditioned GAN: groups instead of classes; and that a run finds them before its first step."""

from __future__ import annotations

from pathlib import Path

import torch

from ganvas import train
from ganvas.core.game import Step
from ganvas.games.cgan import SelfConditionedConfig, SelfConditionedGAN

TINY = SelfConditionedConfig(groups=4, latent_dim=6, width=4, critic_width=4, head=8)


def test_the_first_number_of_z_decides_the_group_and_nothing_else() -> None:
    torch.manual_seed(0)
    game = SelfConditionedGAN(TINY).eval()
    game.groups.shares.copy_(torch.tensor([0.25, 0.25, 0.25, 0.25]))
    z = torch.randn(1, 6).repeat(3, 1)
    z[:, 0] = torch.tensor([-2.0, -1.0, 2.0])  # the first group, the first group, the last group
    a, b, c = game.sample(z)
    assert torch.equal(a, b)
    assert not torch.equal(a, c)
    assert torch.allclose(c, game.G(z[2:, 1:], torch.tensor([3]))[0], atol=1e-5)
    assert game.projection().shape == (game.G.first.out_features, 6)
    assert not game.projection()[:, 0].any()


def test_fakes_have_the_groups_of_the_reals_beside_them() -> None:
    torch.manual_seed(0)
    game = SelfConditionedGAN(TINY)
    data = torch.rand(40, 1, 28, 28) * 2 - 1
    game.prepare(data)
    batch, step = {"real": data[:8]}, Step(index=0)
    assert torch.equal(game.condition(batch, step), game.groups(data[:8]))
    assert torch.equal(game.judge(data[:8]), game.D(data[:8], game.groups(data[:8])))
    assert game.make_fakes(batch, step).shape == (8, 1, 28, 28)


def test_a_run_finds_the_groups_of_its_data_first(tmp_path: Path) -> None:
    settings = {"config.groups": 5, "config.width": 4, "config.critic_width": 4, "config.head": 8}
    game = train("cgan-mnist-groups", out=tmp_path / "run", images=128, ranks=1, **settings).game
    assert isinstance(game, SelfConditionedGAN)
    assert game.groups.centers.std() > 0
    assert abs(float(game.groups.shares.sum()) - 1) < 1e-6
    assert len(game.groups.shares.unique()) > 1
