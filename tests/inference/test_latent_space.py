"""The spaces one moves in: codes, pictures, and walks that neither flicker nor jump."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageSequence
from support import miniature_model as model

from ganvas.errors import UsageError
from ganvas.inference.latent_space import noise, space
from ganvas.latents.seed_latents import latents, truncated_latents


@pytest.mark.parametrize(("name", "where"), [("stylegan2-fashion", "w"), ("stylegan-fashion", "z"), ("cgan-mnist", "z")])
def test_a_walk_that_stands_still_does_not_flicker(name: str, where: str) -> None:
    """Forty frames are more than one chunk, and the layers' noise is the same in each of them."""
    one = model(name)
    pictures = space(one.drawer, where).walk([3, 3], [2] if one.classes else [], len(one.classes), 40, where == "w")
    assert torch.equal(pictures, pictures[:1].expand_as(pictures))


def test_a_walk_through_w_goes_straight_from_seed_to_seed_and_class_to_class() -> None:
    one = model("stylegan2-fashion-conditional")
    through = space(one.drawer)
    assert (through.name, space(one.drawer, "z").name) == ("w", "z")
    film = through.walk([1, 2], [4, 7], 10, 4, straight=True)
    ends = [through.of_seeds([seed], torch.tensor([c])) for seed, c in ((1, 4), (2, 4), (1, 7), (2, 7))]
    torch.testing.assert_close(film[0], through.pictures(ends[0], None)[0])
    torch.testing.assert_close(film[2], through.pictures(ends[3], None)[0])
    torch.testing.assert_close(film[1], through.pictures(torch.stack(ends).mean(0), None)[0])
    torch.testing.assert_close(film[1], film[3])


def test_codes_of_z_draw_what_their_seeds_do() -> None:
    one, c = model("cgan-mnist"), torch.tensor([3, 4, 5])
    for name in ("z", None):
        through = space(one.drawer, name)
        pictures = through.pictures(through.of_seeds([7, 8, 9], c), c)
        assert torch.equal(pictures, torch.cat([part for part, _ in one.stream(3, 7, [3, 4, 5])]))


def test_couples_walk_side_by_side() -> None:
    """Both domains of the same noise in each frame; one of them where a class is chosen."""
    one = model("cogan-edges")
    through, alone = one.space("z"), one.space("z", "1")
    walk = through.walk([1, 2], [0, 1], 10, 4, straight=False)
    assert walk.shape[2:] == (32, 32 * len(through.together))
    second = alone.walk([1, 2], [1], 10, 4, straight=False)
    assert torch.equal(walk[..., 32:64], second)


def test_straight_and_round_walks_differ_between_their_keys_only() -> None:
    through = space(model("dcgan-mnist").drawer)
    straight, arc = (through.walk([1, 2], [], 0, 4, way) for way in (True, False))
    assert torch.equal(straight[::2], arc[::2])
    assert not torch.equal(straight[1], arc[1])


def test_truncation_is_for_noise_that_has_a_size() -> None:
    plain, styled = model("dcgan-mnist"), model("stylegan-fashion")
    assert torch.equal(noise(plain.drawer, [1, 2], 0.5), truncated_latents([1, 2], plain.drawer.latent_dim, 0.5))
    assert torch.equal(noise(styled.drawer, [1, 2]), latents([1, 2], styled.drawer.latent_dim))
    drawn = [torch.cat([part for part, _ in plain.stream(2, truncate=limit)]) for limit in (0.1, 9.0, None)]
    assert torch.equal(drawn[1], drawn[2])
    assert not torch.equal(drawn[0], drawn[1])
    with pytest.raises(UsageError, match="--psi, not --truncate"):
        styled.sample(2, truncate=0.5)


def test_truncation_takes_no_group_away() -> None:
    """The first number of z chooses the group. Within +-0.5 it would choose only groups in the middle."""
    one = model("cgan-mnist-groups")
    truncated, plain = (noise(one.drawer, range(200), limit) for limit in (0.5, None))
    assert torch.equal(truncated[:, 0], plain[:, 0])
    assert truncated[:, 1:].abs().max() <= 0.5
    groups = one.game.groups
    assert torch.equal(groups.choose(truncated[:, 0]), groups.choose(plain[:, 0]))
    assert torch.equal(truncated[:, 1:], truncated_latents(range(200), one.drawer.latent_dim, 0.5)[:, 1:])


def test_wrong_spaces(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no styles w; .*, or stay in z"):
        model("dcgan-mnist").interpolate(tmp_path / "walk.gif", [1, 2], where="w")
    with pytest.raises(UsageError, match="unknown space 'v'"):
        space(model("dcgan-mnist").drawer, "v")
    with pytest.raises(UsageError, match="generates points"):
        model("gan-ring").interpolate(tmp_path / "walk.gif", [1, 2])
    with pytest.raises(UsageError, match=r"expected a name ending in .gif, .png, .apng or .mp4"):
        model("dcgan-mnist").interpolate(tmp_path / "walk.avi", [1, 2])


def test_one_seed_goes_from_class_to_class(tmp_path: Path) -> None:
    walk = model("cgan-mnist").interpolate(tmp_path / "classes.gif", [5], 4, label=[3, 8])
    with Image.open(walk) as film:
        frames = [np.asarray(frame.convert("L")) for frame in ImageSequence.Iterator(film)]
    assert (frames[1] == frames[3]).all()
    assert (frames[0] != frames[2]).any()
    for name in ("cogan-edges", "dcgan-mnist"):  # whose domains are no classes to go through, or that has none
        with pytest.raises(UsageError, match="at least two seeds"):
            model(name).interpolate(tmp_path / "walk.gif", [5])
