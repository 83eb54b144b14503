"""Own data for games with inputs: each layout gives the fields that the game needs, and nothing leaks or shifts."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ganvas.config import DataConfig
from ganvas.core.fields import check
from ganvas.data import open_fields as open_fields_module
from ganvas.data import pair_table
from ganvas.data.computed_pairs import SIDE_BY_SIDE
from ganvas.data.open import hear_doubts
from ganvas.data.open_fields import open_fields
from ganvas.data.paired import PairedDataset
from ganvas.data.source_names import absolute_source, is_here, shorten_path, split_two
from ganvas.data.unpaired import UnpairedDataset
from ganvas.errors import DataError, UsageError

PAIR, DOMAINS, MAPS = ("source", "real"), ("a", "b"), ("map", "real")
SIDE = 16


def draw(i: int) -> np.ndarray:
    """Picture i: its number in red, rows and columns in green and blue."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    return np.stack([np.full((SIDE, SIDE), 10 * i), 15 * rows, 15 * columns], 2).astype(np.uint8)


def save(path: Path, pixels: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def write_pairs(root: Path, count: int = 6, sides: tuple[str, str] = ("A/", "B/")) -> Path:
    """The second side is the negative of the first."""
    for i in range(count):
        save(root / f"{sides[0]}{i}.png", draw(i))
        save(root / f"{sides[1]}{i}.png", 255 - draw(i))
    return root


def pairs(source: object, resolution: int | None = SIDE, **settings: object) -> PairedDataset:
    data = open_fields(DataConfig(source=str(source), **settings), PAIR, resolution=resolution)  # type: ignore[arg-type]
    assert isinstance(data, PairedDataset)
    return data


def test_pairs_of_two_folders_fit_in_every_row(tmp_path: Path) -> None:
    data = pairs(write_pairs(tmp_path / "p"))
    assert list(data.modalities) == ["real", "source"]
    assert len(data) == 6
    assert torch.equal(data.fields["real"], 255 - data.fields["source"])
    assert torch.equal(data.fields["source"][3], torch.from_numpy(draw(3).transpose(2, 0, 1)))
    assert data.facts.names == {"source": "A", "real": "B"}
    check(data.samples(torch.arange(4)), PAIR)
    flipped = pairs(tmp_path / "p", 8, flip=True, tile=SIDE, crop=8)
    batch = flipped.batch(0, 0, 40)
    assert batch["real"].shape == (40, 3, 8, 8)
    assert torch.equal(batch["real"], 255 - batch["source"])
    assert flipped.facts.shapes == {"real": (3, 8, 8), "source": (3, 8, 8)}
    assert flipped.fields["real"].shape[-1] == SIDE
    assert flipped.rows(torch.arange(2))["real"].shape[-1] == 8


def test_the_second_opening_decodes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = pairs(write_pairs(tmp_path / "p"))
    monkeypatch.delattr(pair_table, "picture_side")
    again = pairs(tmp_path / "p")
    assert torch.equal(first.fields["source"], again.fields["source"])
    assert first.fingerprint == again.fingerprint
    with pytest.raises(NameError):
        pairs(tmp_path / "p", swap=True)


def test_a_zip_and_two_paths_and_halves_are_the_same_pairs(tmp_path: Path) -> None:
    root = write_pairs(tmp_path / "p")
    for i in range(6):
        save(tmp_path / "wide" / f"{i}.png", np.concatenate([draw(i), 255 - draw(i)], 1))
    with zipfile.ZipFile(tmp_path / "p.zip", "w") as archive:
        for path in sorted(root.rglob("*.png")):
            archive.write(path, path.relative_to(tmp_path))
    expected = pairs(root).fields
    halves = pairs(tmp_path / "wide", pair=SIDE_BY_SIDE)
    for data in (pairs(tmp_path / "p.zip"), pairs(f"{root / 'A'}::{root / 'B'}"), halves):
        assert all(torch.equal(data.fields[name], expected[name]) for name in PAIR)
    swapped = pairs(root, swap=True)
    assert torch.equal(swapped.fields["source"], expected["real"])
    assert swapped.facts.names == {"source": "B", "real": "A"}
    with pytest.raises(DataError, match=r"if each is two side by side, say --set data\.pair=side-by-side"):
        pairs(tmp_path / "wide")


def test_splits_are_kept_apart(tmp_path: Path) -> None:
    write_pairs(tmp_path / "p" / "train", 6)
    write_pairs(tmp_path / "p" / "test", 3)
    assert pairs(tmp_path / "p").splits == ("train", "test")
    assert (len(pairs(tmp_path / "p")), len(pairs(tmp_path / "p", split="test"))) == (6, 3)
    with pytest.raises(DataError, match="no test split"):
        pairs(write_pairs(tmp_path / "q"), split="test")
    write_pairs(tmp_path / "r" / "A" / "train", 4, ("", "../../B/train/"))
    write_pairs(tmp_path / "r" / "A" / "test", 2, ("", "../../B/test/"))
    assert len(pairs(f"{tmp_path / 'r' / 'A'}::{tmp_path / 'r' / 'B'}", split="test")) == 2


def test_a_bad_file_takes_its_partner_along(tmp_path: Path) -> None:
    root = write_pairs(tmp_path / "p")
    (root / "A" / "1.png").write_bytes(b"no picture")
    save(root / "B" / "2.png", np.zeros((8, 24, 3), np.uint8))
    save(root / "A" / "only.png", draw(1))
    data = pairs(root)
    assert len(data) == 4
    assert data.fields["source"][:, 0, 0, 0].tolist() == [0, 30, 40, 50]
    reasons = {entry.name: entry.reason for entry in data.skipped}
    assert reasons["A/1.png"].endswith("its partner is left out too")
    assert reasons["B/2.png"] == "its shape is not that of A/2.png: 16 x 16 and 24 x 8 pixels; crop both alike"
    assert reasons["A/only.png"] == "no picture of this name in B"


def test_both_of_a_pair_are_cropped_alike_at_any_size(tmp_path: Path) -> None:
    ramp = np.tile(np.arange(96, dtype=np.uint8)[None] * 2, (48, 1))
    for i in range(3):
        save(tmp_path / "p" / "A" / f"{i}.png", ramp)
        save(tmp_path / "p" / "B" / f"{i}.png", ramp[::2, ::2])
    data = pairs(tmp_path / "p", 24)
    assert (data.fields["source"].short() - data.fields["real"].short()).abs().max() <= 2
    assert data.fields["source"].shape == (3, 1, 24, 24)


def test_domains_are_opened_from_every_layout(tmp_path: Path) -> None:
    for split, count in (("train", 5), ("test", 3)):
        write_pairs(tmp_path / "h2z", count, (f"{split}A/", f"{split}B/"))
    write_pairs(tmp_path / "two", 4, ("horse/", "zebra/1"))
    for source, names, count in (
        (tmp_path / "h2z", {"a": "A", "b": "B"}, 5),
        (tmp_path / "two", {"a": "horse", "b": "zebra"}, 4),
        (f"{tmp_path / 'two/zebra'}::{tmp_path / 'two/horse'}", {"a": "zebra", "b": "horse"}, 4),
    ):
        data = open_fields(DataConfig(source=str(source)), DOMAINS, resolution=SIDE)
        assert isinstance(data, UnpairedDataset)
        assert data.facts.names == names
        assert (len(data.a), len(data.b)) == (count, count)
        check(data.samples(torch.arange(2)), DOMAINS)
    assert len(open_fields(DataConfig(source=str(tmp_path / "h2z"), split="test"), DOMAINS)) == 3
    with pytest.raises(DataError, match=r"0 pairs: .* use a game without pairs: cyclegan-images"):
        pairs(tmp_path / "two")
    with pytest.raises(UsageError, match=r"^data.crop: crops are for pairs"):
        open_fields(DataConfig(source=str(tmp_path / "two"), crop=8), DOMAINS)


def test_a_grey_and_a_color_domain_have_one_number_of_channels(tmp_path: Path) -> None:
    for i in range(3):
        save(tmp_path / "p" / "sketch" / f"{i}a.png", draw(i)[..., 1])
        save(tmp_path / "p" / "photo" / f"{i}b.png", draw(i))
    data = open_fields(DataConfig(source=str(tmp_path / "p")), DOMAINS)
    assert isinstance(data, UnpairedDataset)
    assert data.a.shape == data.b.shape == (3, SIDE, SIDE)
    save(tmp_path / "p" / "photo" / "0a.png", draw(0))
    save(tmp_path / "p" / "photo" / "1a.png", draw(1))
    assert {name: shape[0] for name, shape in pairs(tmp_path / "p").facts.shapes.items()} == {"real": 3, "source": 1}


def test_paired_data_for_a_game_without_pairs_is_told(tmp_path: Path) -> None:
    heard: list[str] = []
    with hear_doubts(heard.extend):
        data = open_fields(DataConfig(source=str(write_pairs(tmp_path / "p"))), DOMAINS)
    assert any("pix2pix-images learns more from them" in text for text in heard)
    assert any("pix2pix-images" in text for text in data.warnings)
    write_pairs(tmp_path / "q", 5, ("trainA/", "trainB/"))
    (told,) = open_fields(DataConfig(source=str(tmp_path / "q")), DOMAINS).warnings
    assert told.startswith("the pictures of A and B have the same names; if they are pairs, pix2pix-images")
    save(tmp_path / "q" / "trainB" / "5.png", draw(5))  # two numbered domains of different sizes
    assert not open_fields(DataConfig(source=str(tmp_path / "q")), DOMAINS).warnings


def test_halves_of_one_collection_are_domains(tmp_path: Path, write_picture: Callable[..., Path]) -> None:
    for i in range(9):
        write_picture(tmp_path / "p" / f"{i}.png", i)
    data = open_fields(DataConfig(source=f"negatives:{tmp_path / 'p'}"), DOMAINS, resolution=SIDE)
    assert isinstance(data, UnpairedDataset)
    assert (len(data.a), len(data.b)) == (5, 4)
    assert data.facts.names == {"a": "plain", "b": "negatives"}
    seen = {x.numpy().tobytes() for x in data.a.rows(torch.arange(5))["real"]}
    assert not seen & {(255 - x).numpy().tobytes() for x in data.b.rows(torch.arange(4))["real"]}


def test_label_maps_have_the_classes_of_the_training_split(tmp_path: Path) -> None:
    ids = np.zeros((SIDE, SIDE), np.uint8)
    ids[:, 8:] = 2
    ids[0, 0] = 255
    for i in range(4):
        save(tmp_path / "p" / "train" / "photos" / f"{i}.png", draw(i))
        save(tmp_path / "p" / "train" / "masks" / f"{i}.png", ids)
        save(tmp_path / "p" / "test" / "photos" / f"{i}.jpg", draw(i))
        save(tmp_path / "p" / "test" / "masks" / f"{i}.png", np.minimum(ids, 1))
    save(tmp_path / "p" / "test" / "masks" / "3.png", ids + 3)
    (tmp_path / "p" / "legend.csv").write_text("0,#0000ff,sea\n1,#ffffff,ice\n2,#00ff00,land\n")
    for split, classes in (("train", {0, 2, 255}), ("test", {0, 1})):
        data = open_fields(DataConfig(source=str(tmp_path / "p"), split=split), MAPS, resolution=8)  # type: ignore[arg-type]
        assert isinstance(data, PairedDataset)
        assert list(data.modalities) == ["real", "map"]
        assert set(data.fields["map"].unique().tolist()) <= classes
        assert data.facts.legend == ("sea", "ice", "land")
        assert data.facts.colors[2] == (0, 255, 0)
        assert data.facts.names == {"map": "masks", "real": "photos"}
        check(data.samples(torch.arange(2)), MAPS)
    assert len(data) == 3
    assert "class 3 in" in next(entry.reason for entry in data.skipped if entry.name.endswith("3.png"))
    again = open_fields(DataConfig(source=str(tmp_path / "p")), MAPS, resolution=8)
    assert again.facts.legend == ("sea", "ice", "land")  # from the cache


def test_pictures_as_label_maps_are_told(tmp_path: Path) -> None:
    picture = (np.arange(64).reshape(8, 8, 1) // np.array([16, 4, 1]) % 4 * 60).astype(np.uint8)  # 64 plain colors
    for i in range(2):
        save(tmp_path / "p" / "A" / f"{i}.png", picture)
        save(tmp_path / "p" / "B" / f"{i}.png", picture)
    for _ in range(2):  # read, and from the cache
        heard: list[str] = []
        with hear_doubts(heard.extend):
            open_fields(DataConfig(source=str(tmp_path / "p")), MAPS, resolution=8)
        assert sum("pix2pix-images takes pairs of ordinary pictures" in text for text in heard) == 1
    assert not any("label maps" in text for text in pairs(tmp_path / "p", 8).warnings)


def test_own_pairs_win_over_computed_ones_if_they_are_surely_pairs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_fields_module, "open_photos", lambda *_, **__: pairs(tmp_path / "p"))
    data = pairs(write_pairs(tmp_path / "p"), pair="sketch")
    assert "data.pair=sketch is not used: the pairs of A and B are" in data.warnings
    albums = pairs(write_pairs(tmp_path / "q", 6, ("home/", "trip/")), pair="sketch")
    assert albums.name.endswith("/p")  # two albums with equal numbers: the teacher makes the pairs
    assert pairs(tmp_path / "q").name.endswith("/q")


def test_what_a_source_lacks_is_told(tmp_path: Path, write_picture: Callable[..., Path]) -> None:
    with pytest.raises(DataError, match=r"^mnist: expected pairs of pictures; this source has none"):
        pairs("mnist")
    for i in range(5):
        write_picture(tmp_path / "p" / f"{i}.png", i)
    with pytest.raises(DataError, match=r"two folders in it, or two paths as A::B, .*found 5 pictures on one side"):
        pairs(tmp_path / "p")
    with pytest.raises(DataError, match="no such file"):
        pairs(tmp_path / "gone")
    with pytest.raises(DataError, match="no such file"):
        pairs(f"{tmp_path / 'p'}::{tmp_path / 'gone'}")


def test_two_paths_are_one_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_pairs(tmp_path, 2)
    monkeypatch.chdir(tmp_path)
    assert split_two("A::B") == ("A", "B")
    assert absolute_source("A::B") == f"{tmp_path}/A::{tmp_path}/B"
    assert shorten_path(f"{tmp_path}/A::{tmp_path}/B") == "A::B"
    assert is_here("A::B")
    assert not is_here("A::gone")
    (tmp_path / "x::y").mkdir()
    assert split_two("x::y") is None
    assert is_here("x::y")


@pytest.mark.parametrize(
    ("source", "needs", "names"),
    [
        ("emoji-shading", PAIR, {"source": "flat", "real": "shaded"}),
        ("emoji-shading", DOMAINS, {"a": "flat", "b": "shaded"}),
        ("emoji-styles", DOMAINS, {"a": "fluent", "b": "noto"}),
        ("earth", PAIR, {"source": "relief", "real": "satellite"}),
        ("earth", DOMAINS, {"a": "day", "b": "night"}),
        ("earth", MAPS, {"map": "map", "real": "satellite"}),
    ],
)
def test_built_in_sets_have_the_fields_that_the_game_needs(source: str, needs: tuple[str, ...], names: dict[str, str]) -> None:
    data = open_fields(DataConfig(source=source, split="test"), needs, resolution=64)
    check(data.samples(torch.arange(3)), needs)
    assert dict(data.facts.names) == names
    assert data.splits == ("train", "test")
    assert not set(needs) - set(data.modalities)


def test_filters_and_photographs_are_opened_as_the_game_needs(tmp_path: Path) -> None:
    for i in range(3):
        save(tmp_path / "p" / f"{i}.png", np.random.default_rng(i).integers(0, 256, (64, 96, 3), np.uint8))
    sketch = pairs(tmp_path / "p", 32, pair="sketch")
    named = pairs(f"filter:sketch:{tmp_path / 'p'}", 32)
    assert torch.equal(sketch.fields["real"], named.fields["real"])
    low = open_fields(DataConfig(source=str(tmp_path / "p"), pair="bicubic-2"), ("low", "real"), resolution=32)
    assert low.facts.shapes == {"real": (3, 32, 32), "low": (3, 16, 16)}
    with pytest.raises(UsageError, match="sketsh"):
        pairs(tmp_path / "p", pair="sketsh")


def test_the_side_without_pictures_is_named(tmp_path: Path) -> None:
    whole = write_pairs(tmp_path / "whole")
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(DataError, match=r"empty: no pictures: expected PNG") as error:
        open_fields(DataConfig(source=f"{whole / 'A'}::{empty}"), ("real", "source"))
    assert str(error.value).count("empty") == 1
    half = write_pairs(tmp_path / "half")
    for file in (half / "B").iterdir():
        file.unlink()
    with pytest.raises(DataError, match=r"half: expected pairs .*; no pictures in its folder B; found 6 pictures"):
        open_fields(DataConfig(source=str(half)), ("real", "source"))
