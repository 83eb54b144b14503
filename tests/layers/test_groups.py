"""Groups: k-means finds what lies together, and groups are chosen as often as they occur."""

from __future__ import annotations

import pytest
import torch

from ganvas.layers.groups import Groups


def test_separate_clouds_are_told_apart() -> None:
    generator = torch.Generator().manual_seed(1)
    centers = torch.tensor([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])
    truth = torch.randint(3, (600,), generator=generator)
    data = centers[truth] + torch.randn(600, 2, generator=generator)
    groups = Groups(8, 2)
    groups.fit(data)
    found = groups(data)
    for group in found.unique():
        assert len(truth[found == group].unique()) == 1
    assert torch.allclose(groups.shares, found.bincount(minlength=8) / 600)


def test_a_sample_belongs_to_the_nearest_center() -> None:
    generator = torch.Generator().manual_seed(2)
    data = torch.randn(200, 3, 4, 4, generator=generator)
    groups = Groups(5, 48)
    groups.fit(data)
    assert torch.equal(groups(data), torch.cdist(data.flatten(1), groups.centers).argmin(1))


def test_groups_are_chosen_by_their_share() -> None:
    groups = Groups(3, 1)
    groups.shares.copy_(torch.tensor([0.5, 0.2, 0.3]))
    z = torch.special.ndtri((torch.arange(1000) + 0.5) / 1000)
    assert groups.choose(z).bincount(minlength=3).tolist() == [500, 200, 300]
    assert groups.choose(torch.tensor([-40.0, 40.0])).tolist() == [0, 2]


def test_fewer_samples_than_groups() -> None:
    groups = Groups(10, 2)
    groups.fit(torch.tensor([[0.0, 0.0], [1.0, 1.0]]))
    assert groups.centers.isfinite().all()
    assert groups.shares.sum() == 1


def test_groups_that_were_found_move_to_other_data_and_keep_their_meaning() -> None:
    generator = torch.Generator().manual_seed(3)
    first = torch.cat([torch.randn(50, 2, generator=generator), torch.randn(50, 2, generator=generator) + 20])
    groups = Groups(2, 2)
    groups.fit(first)
    low = int(groups(torch.zeros(1, 2)))
    other = torch.cat([first[:20] + 3, first[50:] + 3, first[50:] + 3])
    groups.fit(other)
    assert int(groups(torch.full((1, 2), 3.0))) == low
    assert torch.allclose(groups.centers[low], other[:20].mean(0), atol=1e-4)
    assert float(groups.shares[low]) == pytest.approx(20 / 120)
