"""What every data set keeps: positions resume exactly, epochs cover everything, the fields of a row stay together."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from ganvas.core.modality import CLIPS, IMAGES, LABEL_MAPS, LABELS, VOXELS
from ganvas.data.dataset import Dataset
from ganvas.data.paired import PairedDataset
from ganvas.data.table import TableDataset
from ganvas.data.unpaired import UnpairedDataset
from ganvas.errors import DataError, UsageError

seeds, lengths = st.integers(0, 2**40), st.integers(1, 30)
SIDE = 6


def numbered(n: int, channels: int = 3, scale: int = 1) -> Tensor:
    """Images uint8 [n, C, H, W] whose first channel tells the sample, and the others the row and the column of a pixel."""
    side = SIDE * scale
    ticks = torch.arange(side) // scale
    sample = torch.arange(n).view(-1, 1, 1, 1).expand(n, 1, side, side)
    places = torch.stack((ticks.view(-1, 1).expand(side, side), ticks.expand(side, side))).expand(n, 2, side, side)
    return torch.cat((sample, places), 1)[:, :channels].to(torch.uint8)


def pairs(n: int, *, flip: bool = True, crop: int = 0) -> PairedDataset:
    """An image, one of twice its size, a map of columns and a clip of two frames, with labels."""
    image = numbered(n)
    fields = {
        "low": image,
        "real": numbered(n, scale=2),
        "label": torch.arange(n),
    }
    return PairedDataset("pairs", fields, flip=flip, crop=crop)


def maps(n: int, *, flip: bool = True, crop: int = 0) -> PairedDataset:
    """An image with the map of its columns, and a clip of it."""
    image = numbered(n)
    fields = {"source": image, "map": image[:, 2], "clip": torch.stack((image, image), 1)}
    return PairedDataset("maps", fields, flip=flip, crop=crop, kinds={"clip": CLIPS})


def unpaired(n: int, m: int, *, flip: bool = True) -> UnpairedDataset:
    return UnpairedDataset(
        TableDataset("horses", {"real": numbered(n), "label": torch.zeros(n, dtype=torch.int64)}, ("horse",), flip=flip),
        TableDataset("zebras", {"real": numbered(m)}, flip=flip),
    )


def everyone(n: int) -> list[Dataset]:
    table = TableDataset("table", {"real": numbered(n), "label": torch.arange(n)}, tuple(map(str, range(n))), flip=True)
    return [table, pairs(n, crop=4), maps(n, crop=3), unpaired(n, n + 3)]


def test_each_is_a_data_set() -> None:
    for data in everyone(4):
        assert isinstance(data, Dataset)
        batch = data.batch(0, 0, 3)
        assert list(batch) == list(data.modalities)
        assert all(kind.matches(batch[name]) for name, kind in data.modalities.items())
        assert list(data.rows(torch.arange(2))) == list(batch)
    assert maps(2).modalities == {"source": IMAGES, "map": LABEL_MAPS, "clip": CLIPS}
    assert unpaired(2, 3).facts.shapes == {"a": (3, SIDE, SIDE), "b": (3, SIDE, SIDE)}
    assert pairs(2).facts.shapes == {"low": (3, SIDE, SIDE), "real": (3, 2 * SIDE, 2 * SIDE), "label": ()}
    assert pairs(2).modalities == {"low": IMAGES, "real": IMAGES, "label": LABELS}


def test_facts_of_cropped_pairs_are_those_of_a_crop() -> None:
    assert pairs(2, crop=4).facts.shapes == {"low": (3, 4, 4), "real": (3, 8, 8), "label": ()}
    assert pairs(2, crop=4).facts.shape == (3, 4, 4)
    assert maps(2, crop=3).facts.shapes["map"] == (3, 3)


def test_rows_of_cropped_pairs_are_their_centers() -> None:
    rows, whole = pairs(5, crop=4).rows(torch.tensor([3, 1])), pairs(5).rows(torch.tensor([3, 1]))
    assert torch.equal(rows["low"], whole["low"][..., 1:5, 1:5])
    assert torch.equal(rows["real"], whole["real"][..., 2:10, 2:10])
    assert rows["label"].tolist() == [3, 1]


def test_names_and_legends_are_facts() -> None:
    two = replace(unpaired(40, 50), names={"a": "day", "b": "night"})
    assert two.facts.names == two.hold_out(0.5)[0].facts.names == {"a": "day", "b": "night"}
    legend = replace(maps(2), legend=("sea", "land"), colors=((0, 0, 255), (0, 255, 0)))
    filled = legend.facts.fill(Settings())
    assert filled == Settings(classes=2, legend=("sea", "land"), colors=((0, 0, 255), (0, 255, 0)))
    assert two.facts.fill(Settings()).domains == ("day", "night")
    assert pairs(2).facts.fill(Settings()).domains == ("a", "b")


@dataclass(frozen=True)
class Settings:
    """The settings of a game that data with inputs decides."""

    classes: int = 0
    legend: tuple[str, ...] = ()
    colors: tuple[tuple[int, int, int], ...] = ()
    domains: tuple[str, ...] = ("a", "b")


@given(seed=seeds, n=lengths, start=st.integers(0, 100), cuts=st.lists(st.integers(1, 12), min_size=1, max_size=5))
@settings(max_examples=40, deadline=None)
def test_positions_resume_exactly(seed: int, n: int, start: int, cuts: list[int]) -> None:
    """However the positions are cut into batches, each shows the same fields: a resumed run, and the ranks' shares."""
    for data in everyone(n):
        whole = data.batch(seed, start, sum(cuts))
        parts = [data.batch(seed, start + sum(cuts[:i]), count) for i, count in enumerate(cuts)]
        for name in whole:
            assert torch.equal(whole[name], torch.cat([part[name] for part in parts]))


@given(seed=seeds, n=lengths, epoch=st.integers(0, 50))
@settings(max_examples=40, deadline=None)
def test_an_epoch_shows_every_row_once(seed: int, n: int, epoch: int) -> None:
    for data in everyone(n)[:3]:
        batch = data.batch(seed, epoch * len(data), len(data))
        shown = next(iter(batch.values()))[:, 0, 0, 0]
        assert sorted(shown.tolist()) == list(range(n))


@given(seed=seeds, n=lengths, m=lengths)
@settings(max_examples=40, deadline=None)
def test_an_epoch_without_pairs_covers_both_tables(seed: int, n: int, m: int) -> None:
    data = unpaired(n, m)
    assert len(data) == max(n, m)
    batch = data.batch(seed, 0, len(data))
    for name, count in (("a", n), ("b", m)):
        times = batch[name][:, 0, 0, 0].long().bincount(minlength=count)
        assert int(times.min()) >= 1
        assert int(times.max() - times.min()) <= 1


@given(seed=seeds)
@settings(max_examples=20, deadline=None)
def test_tables_without_pairs_have_an_order_and_flips_each(seed: int) -> None:
    batch = unpaired(50, 50).batch(seed, 0, 50)
    assert not torch.equal(batch["a"][:, 0, 0, 0], batch["b"][:, 0, 0, 0])
    first, second = (batch[name][:, 2, 0, 0] > batch[name][:, 2, 0, -1] for name in "ab")
    assert not torch.equal(first, second)
    other = unpaired(50, 50).batch(seed, 50, 50)
    together = dict(zip(batch["a"][:, 0, 0, 0].tolist(), batch["b"][:, 0, 0, 0].tolist(), strict=True))
    again = dict(zip(other["a"][:, 0, 0, 0].tolist(), other["b"][:, 0, 0, 0].tolist(), strict=True))
    assert sum(together[i] == again[i] for i in together) < 15  # the pairs are others in each epoch


@given(seed=seeds, n=lengths, crop=st.integers(0, SIDE), start=st.integers(0, 100))
@settings(max_examples=60, deadline=None)
def test_the_fields_of_a_row_are_mirrored_and_cropped_alike(seed: int, n: int, crop: int, start: int) -> None:
    side = crop or SIDE
    batch = pairs(n, crop=crop).batch(seed, start, 20)
    assert batch["low"].shape == (20, 3, side, side)
    assert torch.equal(batch["real"], batch["low"].repeat_interleave(2, -1).repeat_interleave(2, -2))
    assert torch.equal(batch["label"], batch["low"][:, 0, 0, 0].long())
    batch = maps(n, crop=crop).batch(seed, start, 20)
    assert torch.equal(batch["map"], batch["source"][:, 2])  # no class was mixed with another
    assert all(torch.equal(batch["clip"][:, frame], batch["source"]) for frame in (0, 1))


def test_mirroring_and_crops_happen() -> None:
    columns = pairs(5, crop=4).batch(0, 0, 200)["low"][:, 2]
    mirrored = columns[:, 0, 0] > columns[:, 0, -1]
    assert 60 < int(mirrored.sum()) < 140
    assert columns[:, 0].amin(1).unique().tolist() == [0, 1, 2]  # each place a crop can have
    rows = pairs(5, crop=4).batch(0, 0, 200)["low"][:, 1]
    assert rows[:, 0, 0].unique().tolist() == [0, 1, 2]
    still = pairs(5, flip=False).batch(0, 0, 200)["low"]
    assert torch.equal(still[:, 1:], numbered(1)[:, 1:].expand(200, 2, SIDE, SIDE))


def test_held_out_rows_are_in_one_part_only_and_stay_as_they_are() -> None:
    for data in (pairs(100, crop=3), unpaired(100, 200)):
        kept, held_out = data.hold_out(0.3)
        assert held_out is not None
        for name in ("low", "real") if isinstance(data, PairedDataset) else ("a", "b"):
            shown = [set(part.batch(1, 0, len(part))[name][:, 0, 0, 0].tolist()) for part in (kept, held_out)]
            assert not shown[0] & shown[1]
        assert type(kept) is type(data)
    held_out = TableDataset("table", {"real": numbered(100)}, flip=True).hold_out(0.3)[1]
    assert held_out is not None
    places = held_out.batch(0, 0, 30)["real"][:, 1:]
    assert torch.equal(places, numbered(1)[:, 1:].expand(30, 2, SIDE, SIDE))  # none is mirrored
    assert unpaired(100, 30).hold_out(0.3)[1] is None  # one table has too few


def test_clips_are_given_as_clips() -> None:
    clips = torch.zeros(3, 2, 3, 4, 4, dtype=torch.uint8)
    assert TableDataset("solids", {"real": clips}).modality is VOXELS
    assert TableDataset("clips", {"real": clips}, kinds={"real": CLIPS}).modality is CLIPS
    assert TableDataset("clips", {"clip": clips}).modality is CLIPS
    with pytest.raises(
        DataError, match=r"'wrong', field 'real': expected images \[N, C, H, W\]; found uint8 \[3, 2, 3, 4, 4\]"
    ):
        _ = TableDataset("wrong", {"real": clips}, kinds={"real": IMAGES}).modality


def test_what_is_no_pair_is_refused() -> None:
    image = numbered(3)
    with pytest.raises(DataError, match="expected two or more fields of samples"):
        PairedDataset("x", {"real": image, "label": torch.arange(3)})
    with pytest.raises(DataError, match="unknown batch field 'reel'"):
        PairedDataset("x", {"real": image, "reel": image})
    with pytest.raises(DataError, match="expected as many rows in each field"):
        PairedDataset("x", {"source": image, "target": image[:2]})
    with pytest.raises(DataError, match="expected one height and width"):
        PairedDataset("x", {"source": image, "target": image[..., :4]})
    with pytest.raises(DataError, match="divided by a whole number"):
        PairedDataset("x", {"low": image, "real": torch.zeros(3, 3, 8, 8, dtype=torch.uint8)})
    with pytest.raises(UsageError, match="crop 7: expected 1 to 6 pixels"):
        pairs(3, crop=7)
    with pytest.raises(DataError, match="expected samples of one kind, found images and points"):
        UnpairedDataset(TableDataset("a", {"real": image}), TableDataset("b", {"real": torch.zeros(3, 2)}))


def test_fingerprints_of_two_tables() -> None:
    data = unpaired(3, 4)
    one = UnpairedDataset(replace(data.a, fingerprint="1"), replace(data.b, fingerprint="2"))
    assert one.fingerprint != UnpairedDataset(one.b, one.a).fingerprint
    assert one.name == "horses and zebras"
    assert one.splits == ("train",)
    assert torch.equal(data.samples(torch.tensor([3]))["a"], data.samples(torch.tensor([0]))["a"])


def test_nothing_is_held_out_of_both_domains() -> None:
    """Else a measure of sets would compare the outputs with their own truths."""
    for groups in (None, torch.arange(200) // 20):
        tables = [TableDataset(name, {"real": numbered(200)}, groups=groups) for name in "ab"]
        rest, held_out = UnpairedDataset(*tables).hold_out(0.2)
        assert held_out is not None
        first, second = (set(table.index.tolist()) for table in (held_out.a, held_out.b) if table.index is not None)
        assert len(first) == len(second) == 40
        assert not first & second
        assert len(rest.a) == len(rest.b) == 160
