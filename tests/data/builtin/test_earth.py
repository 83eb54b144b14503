"""The embedded earth: aligned layers, splits that share no place, a map that shows what the satellite picture shows."""

from __future__ import annotations

import hashlib
import itertools

import pytest
import torch

from ganvas.config import DataConfig
from ganvas.data.builtin import earth
from ganvas.data.builtin.earth import FOLDER_NAME, cut, find, list_columns, list_squares, open_earth, read_layer, read_legend
from ganvas.data.builtin.embedded_files import FOLDER
from ganvas.data.collection import ImageCollection
from ganvas.data.paired import PairedDataset
from ganvas.data.unpaired import UnpairedDataset
from ganvas.errors import DataError, UsageError
from ganvas.metrics.color_segmenter import ColorSegmenter
from ganvas.metrics.resize import shrink

PAIR = ("source", "real")


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Squares at four times the distance: fewer."""
    monkeypatch.setattr(earth, "STRIDE", 128)


def opened(needs: tuple[str, ...] = PAIR, **settings: object) -> PairedDataset:
    data = open_earth(DataConfig(source="earth", **settings), needs)  # type: ignore[arg-type]
    assert isinstance(data, PairedDataset)
    return data


def test_the_files_are_the_documented_ones() -> None:
    readme = (FOLDER / "README.md").read_text()
    assert {path.name for path in (FOLDER / FOLDER_NAME).iterdir()} == set(earth.SHA256)
    for name, digest in earth.SHA256.items():
        assert hashlib.sha256((FOLDER / FOLDER_NAME / name).read_bytes()).hexdigest() == digest
        assert digest in readme


def test_the_layers_are_aligned() -> None:
    """Sea is blue in the satellite picture, and deep blue in the relief; the lights at night are on land."""
    names, colors = read_legend()
    assert len(names) == len(set(colors)) == 10
    drawn = read_layer("map")
    assert drawn.shape == (2048, 4096)
    assert drawn.unique().tolist() == list(range(10))
    sea = drawn == names.index("deep sea")
    for name in ("satellite", "relief"):
        red, _, blue = read_layer(name).int()
        assert ((blue > red)[sea]).double().mean() > 0.97
        assert ((blue > red)[~sea & (drawn > 1)]).double().mean() < 0.35
    brightest = read_layer("night").int().sum(0).flatten().topk(5_000).indices
    assert (drawn.flatten()[brightest] > 1).double().mean() > 0.8  # cities at the sea; a third of all is land


@pytest.mark.parametrize("side", [32, 64, 96, 128])
def test_no_place_is_in_two_splits_or_in_two_strips(side: int) -> None:
    found = {split: list_columns(split, side) for split in ("train", "test")}
    places = {
        (split, strip): {x for left, at in columns if at == strip for x in range(left, left + side)}
        for split, columns in found.items()
        for strip in {at for _, at in columns}
    }
    for one, other in itertools.combinations(places.values(), 2):
        assert not one & other
    assert len({strip for _, strip in found["train"]}) == 16
    assert len({strip for _, strip in found["test"]}) >= 3
    assert all(left % 4 == 0 and left + side <= 4096 for columns in found.values() for left, _ in columns)


def test_wide_squares_are_refused() -> None:
    with pytest.raises(UsageError, match="squares of 256 pixels are wider than a strip"):
        open_earth(DataConfig(source="earth"), PAIR, 256)


def test_squares_have_land_and_are_not_at_the_poles() -> None:
    sea = read_layer("map") <= 1
    places, strips = list_squares("train", 64, sea)
    assert len(places) == len(strips)
    share = cut(sea, places, 64).double().mean((1, 2))
    assert 0.5 < share.max() <= 0.85
    assert places[:, 0].min() >= 192
    assert places[:, 0].max() + 64 <= 2048 - 192


@pytest.mark.parametrize("split", ["train", "test"])
def test_needs_decide_the_fields(split: str) -> None:
    pair, drawn, low = (opened(needs, split=split, pair="bicubic-2") for needs in (PAIR, ("map", "real"), ("low", "real")))
    assert pair.facts.names == {"source": "relief", "real": "satellite"}
    assert torch.equal(pair.fields["real"], drawn.fields["real"])
    assert drawn.main == "real"
    assert drawn.facts.shapes == {"real": (3, 64, 64), "map": (64, 64)}
    assert (drawn.facts.legend, drawn.facts.colors) == read_legend()
    assert low.facts.shapes == {"real": (3, 64, 64), "low": (3, 32, 32)}
    inside = slice(4, -4)  # at the edges the whole picture goes on
    ours = shrink(low.fields["real"], 2)[..., inside, inside].int()
    assert (ours - low.fields["low"][..., inside, inside].int()).abs().max() <= 1
    days = open_earth(DataConfig(source="earth", split=split), ("a", "b"))  # type: ignore[arg-type]
    assert isinstance(days, UnpairedDataset if split == "train" else PairedDataset)
    assert days.facts.names == {"a": "day", "b": "night"}
    nights = open_earth(DataConfig(source="earth", split=split, swap=True), ("a", "b"))  # type: ignore[arg-type]
    assert nights.facts.names == {"a": "night", "b": "day"}
    first = days.a.fields["real"] if isinstance(days, UnpairedDataset) else days.fields["a"]
    assert torch.equal(first, pair.fields["real"])
    with pytest.raises(DataError, match="earth has no field driving and source"):
        open_earth(DataConfig(source="earth"), ("source", "driving"))


def test_crops_are_for_pairs() -> None:
    data = opened(("map", "real"), tile=96, crop=64, flip=True)
    batch = data.batch(0, 0, 3)
    assert batch["map"].shape == (3, 64, 64)
    assert batch["real"].shape == (3, 3, 64, 64)
    assert opened(split="test", tile=96, crop=64).facts.shape == (3, 64, 64)
    assert opened(("low", "real"), tile=96, crop=64, pair="bicubic-4").batch(0, 0, 1)["low"].shape == (1, 3, 16, 16)
    with pytest.raises(UsageError, match="crops are for pairs"):
        open_earth(DataConfig(source="earth", tile=96, crop=64), ("a", "b"))


def test_whole_strips_are_held_out() -> None:
    rest, held_out = opened().hold_out(0.2)
    assert held_out is not None
    assert rest.groups is not None
    assert rest.index is not None
    assert held_out.index is not None
    assert not {*rest.groups[rest.index].tolist()} & {*rest.groups[held_out.index].tolist()}


def test_the_colors_of_the_classes_tell_them_apart() -> None:
    """The segmenter of `evaluation/map_measures.py` finds four of five pixels of real pictures again, and all classes occur."""
    train, test = opened(("map", "real")), opened(("map", "real"), split="test")
    shares = train.fields["map"].flatten().bincount(minlength=10) / train.fields["map"].numel()
    assert shares.min() > 0.02
    segmenter = ColorSegmenter.fit(train.fields["real"], train.fields["map"])
    found = segmenter.segment(test.fields["real"]) == test.fields["map"]
    assert found.double().mean() > 0.75


def test_alone_it_is_pictures() -> None:
    found = find("test").load()
    assert isinstance(found, ImageCollection)
    assert found.labels is None
    assert found.splits == ("train", "test")
    assert found.read(0, 0).shape == (64, 64, 3)
