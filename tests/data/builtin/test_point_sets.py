"""Built-in point distributions: reproducible, and of the shape they claim."""

from __future__ import annotations

import math

import pytest
import torch

from ganvas.config import DataConfig
from ganvas.data.builtin.point_sets import MODES, POINTS
from ganvas.data.open import open_source
from ganvas.errors import DataError, UsageError

DIMS = {"normal1d": 1, "mixture1d": 1}


@pytest.mark.parametrize("name", POINTS)
def test_points_are_the_same_every_time_and_differ_by_split(name: str) -> None:
    train = open_source(DataConfig(source=name))
    assert train.fields["real"].shape == (50_000, DIMS.get(name, 2))
    assert train.fields["real"].dtype == torch.float32
    assert torch.equal(train.fields["real"], open_source(DataConfig(source=name)).fields["real"])
    test = open_source(DataConfig(source=name, split="test"))
    assert len(test) == 10_000
    assert not torch.equal(test.fields["real"], train.fields["real"][:10_000])
    assert len({train.fingerprint, test.fingerprint, ""}) == 3


@pytest.mark.parametrize("name", MODES)
def test_mixtures_have_their_modes(name: str) -> None:
    modes, points = MODES[name], POINTS[name](20_000, torch.Generator().manual_seed(1))
    dims = modes.centres.shape[1]
    distance, nearest = torch.cdist(points, modes.centres).min(1)
    share = nearest.bincount(minlength=len(modes.centres)) / len(points)
    assert (share - 1 / len(modes.centres)).abs().max() < 0.02
    within = 1 - math.exp(-4.5) if dims == 2 else math.erf(3 / math.sqrt(2))  # of a Gaussian, within 3 sd
    assert abs(float((distance < 3 * modes.sd).float().mean()) - within) < 0.004


def test_ring_and_grid_follow_the_published_protocol() -> None:
    ring, grid = MODES["ring"], MODES["grid"]
    assert ring.centres.shape == (8, 2)
    assert len({(round(x, 4), round(y, 4)) for x, y in ring.centres.tolist()}) == 8
    assert torch.allclose(ring.centres.norm(dim=1), torch.ones(8))
    assert sorted(set(grid.centres.flatten().tolist())) == [-4, -2, 0, 2, 4]
    assert (len(grid.centres), grid.sd, ring.sd) == (25, 0.05, 0.01)


def test_points_do_not_pose_as_pictures() -> None:
    with pytest.raises(DataError, match="points of 2 numbers"):
        open_source(DataConfig(source="ring"), resolution=32)
    with pytest.raises(UsageError, match="mirror"):
        open_source(DataConfig(source="ring", flip=True))
