"""Batches from a table: ranges, layout, mirroring, fingerprints."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from ganvas.core.fields import check
from ganvas.core.modality import IMAGES, POINTS
from ganvas.data.order import flips, rows
from ganvas.data.table import TableDataset, fingerprint
from ganvas.errors import DataError


def table(channels: int = 3) -> TableDataset:
    pixels = torch.arange(4 * channels * 25, dtype=torch.int64).remainder(256).to(torch.uint8).reshape(4, channels, 5, 5)
    return TableDataset("table", {"real": pixels, "label": torch.tensor([0, 1, 0, 1])}, classes=("a", "b"))


@pytest.mark.parametrize("channels", [1, 3])
def test_batch_has_the_fields_of_the_vocabulary(channels: int) -> None:
    batch = table(channels).samples(torch.tensor([2, 0]))
    check(batch, ("real", "label"))
    expected = table(channels).fields["real"][[2, 0]].float() / 127.5 - 1
    assert torch.equal(batch["real"], expected)
    assert batch["label"].tolist() == [0, 0]


def test_ends_of_the_range_are_exact() -> None:
    source = TableDataset("ends", {"real": torch.tensor([0, 255], dtype=torch.uint8).reshape(2, 1, 1, 1)})
    assert source.samples(torch.arange(2))["real"].flatten().tolist() == [-1.0, 1.0]


def test_colour_is_channels_last_and_grey_contiguous() -> None:
    assert table(3).samples(torch.arange(4))["real"].is_contiguous(memory_format=torch.channels_last)
    assert table(1).samples(torch.arange(4))["real"].is_contiguous()


def test_flips_mirror_the_chosen_images_only() -> None:
    plain = table().rows(rows(5, 3, 40, 4))["real"]
    mirrored = replace(table(), flip=True).batch(5, 3, 40)["real"]
    chosen = flips(5, 3, 40)
    assert 0 < int(chosen.sum()) < 40
    assert torch.equal(mirrored[~chosen], plain[~chosen])
    assert torch.equal(mirrored[chosen], plain[chosen].flip(-1))


def test_shape_helpers() -> None:
    points = TableDataset("p", {"real": torch.zeros(7, 2)})
    assert (len(table()), table().resolution, table().channels, table().modality) == (4, 5, 3, IMAGES)
    assert (len(points), points.dims, points.modality) == (7, 2, POINTS)
    assert torch.equal(points.samples(torch.tensor([1]))["real"], torch.zeros(1, 2))
    with pytest.raises(DataError, match="holds points, not images"):
        _ = points.resolution
    with pytest.raises(DataError, match="holds images"):
        _ = table().dims


def test_fingerprint_tells_contents_apart() -> None:
    fields = dict(table().fields)
    same = fingerprint(fields, ("a", "b"))
    assert same == fingerprint({name: tensor.clone() for name, tensor in fields.items()}, ("a", "b"))
    others = [
        fingerprint({"real": fields["real"]}, ("a", "b")),
        fingerprint(fields, ("a", "c")),
        fingerprint({**fields, "real": fields["real"].flip(0)}, ("a", "b")),
        fingerprint({**fields, "real": fields["real"].reshape(4, 3, 25, 1)}, ("a", "b")),
    ]
    assert len({same, *others}) == 5


def _grouped(groups: list[int], share: float) -> tuple[set[int], set[int]]:
    """The groups that stay and those that are held out."""
    fields = {"real": torch.zeros(len(groups), 1, 2, 2, dtype=torch.uint8)}
    data = TableDataset("squares", fields, groups=torch.tensor(groups))
    rest, held_out = data.hold_out(share)
    kept, out = ({*data.groups[part.index].tolist()} if part and part.index is not None else set() for part in (rest, held_out))
    return kept, out


@pytest.mark.parametrize("share", [0.01, 0.05, 0.2, 0.5])
def test_rows_of_one_group_are_held_out_together(share: float) -> None:
    groups = [group for group in range(12) for _ in range(20 + group)]
    kept, out = _grouped(groups, share)
    assert not kept & out
    assert kept | out == set(range(12))
    assert abs(sum(group in out for group in groups) - share * len(groups)) <= 31


def test_too_few_groups_are_not_held_out() -> None:
    assert _grouped([0, 1, 2, 3] * 100, 0.2) == (set(), set())
    assert _grouped([0, 1, 2, 3, 4] * 100, 0.0) == (set(), set())
    assert len(_grouped([0, 1, 2, 3, 4] * 100, 0.01)[1]) == 1
