"""The self-conditioned GAN: groups instead of classes; and that a run finds them before its first step."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from ganvas import resume, train
from ganvas.core.game import Step
from ganvas.games.cgan import SelfConditionedConfig, SelfConditionedGAN
from ganvas.inference.model import load
from ganvas.layers.groups import Groups
from ganvas.training.branch import branch

TINY = SelfConditionedConfig(groups=4, latent_dim=6, width=4, critic_width=4, head=8)


def test_the_first_number_of_z_decides_the_group_and_nothing_else() -> None:
    torch.manual_seed(0)
    game = SelfConditionedGAN(TINY).eval()
    game.groups.shares.copy_(torch.tensor([0.25, 0.25, 0.25, 0.25]))
    z = torch.randn(1, 6).repeat(3, 1)
    z[:, 0] = torch.tensor([-2.0, -1.0, 2.0])  # the first group, the first group, the last group
    a, b, c = game.sample(z)
    assert torch.allclose(a, b, atol=1e-5)  # two rows of a batch: their last bits differ on some machines
    assert not torch.allclose(a, c, atol=1e-3)
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


SMALL = {"config.groups": 3, "config.width": 4, "config.critic_width": 4, "config.head": 8, "train.snapshots": 1}
SMALL |= {"config.max_width": 4, "config.resolution": 8, "config.latent_dim": 3, "train.batch": 8, "data.held_out": 0}


def kinds(folder: Path, *counts: int) -> str:
    """Pictures of as many kinds as there are counts, a bright bar in another place each."""
    pictures = np.random.default_rng(0).integers(0, 9, (sum(counts), 8, 8), dtype=np.uint8)
    for kind, rows in enumerate(np.split(pictures, np.cumsum(counts)[:-1])):
        rows[:, 2 * kind : 2 * kind + 2] += 240
    folder.mkdir(exist_ok=True)
    np.save(folder / f"{'-'.join(map(str, counts))}.npy", pictures)
    return str(folder / f"{'-'.join(map(str, counts))}.npy")


def found(folder: Path) -> Groups:
    game = load(folder, "cpu").game
    assert isinstance(game, SelfConditionedGAN)
    return game.groups


def test_a_run_finds_the_groups_of_its_data_first(tmp_path: Path) -> None:
    data = kinds(tmp_path / "data", 30, 20, 10)
    game = train("cgan-mnist-groups", data=data, out=tmp_path / "run", images=16, ranks=1, precision="float32", **SMALL).game
    assert isinstance(game, SelfConditionedGAN)
    assert game.groups.centers.std() > 0
    assert sorted(game.groups.shares.tolist()) == pytest.approx([1 / 6, 2 / 6, 3 / 6])


@pytest.mark.parametrize("way", ["--from", "branch"])
def test_other_data_has_other_shares_and_the_groups_keep_their_place(way: str, tmp_path: Path) -> None:
    """A group has its weights in G and D. So it stays what it is, and occurs as often as in the new data."""
    first, other = kinds(tmp_path / "data", 20, 20, 20), kinds(tmp_path / "data", 10, 20, 50)
    train("cgan-mnist-groups", data=first, out=tmp_path / "model", ranks=1, images=16, precision="float32", **SMALL)
    if way == "--from":
        train(from_model=tmp_path / "model", data=other, out=tmp_path / "next", ranks=1, images=16)
    else:
        branch(tmp_path / "model", tmp_path / "next", {"train.images": "24"}, source=other)
        resume(tmp_path / "next")
    before, after = found(tmp_path / "model"), found(tmp_path / "next")
    assert torch.allclose(before.centers, after.centers, atol=0.1)
    assert sorted(before.shares.tolist()) == pytest.approx([1 / 3] * 3)
    assert sorted(after.shares.tolist()) == pytest.approx([1 / 8, 2 / 8, 5 / 8])
