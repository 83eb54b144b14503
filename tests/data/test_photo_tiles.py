"""Photographs as squares: cut after the teacher, one group a photograph, cached, and refused in one line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ganvas.config import DataConfig
from ganvas.data.computed_pairs import find_teacher, shrink_picture
from ganvas.data.paired import PairedDataset
from ganvas.data.photo_tiles import Squares, name_pair, open_photos, open_squares
from ganvas.data.unpaired import UnpairedDataset
from ganvas.errors import DataError, UsageError
from ganvas.games import RECIPES
from ganvas.games.recipes import open_data

PAIR, LOW = ("source", "real"), ("low", "real")


def picture(seed: int, width: int, height: int) -> Image.Image:
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Six photographs of two sizes."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for k in range(6):
        picture(k, *((70, 40) if k % 2 else (33, 66))).save(folder / f"{k}.png")
    return folder


def opened(folder: Path, needs: tuple[str, ...] = PAIR, **settings: object) -> PairedDataset:
    config = DataConfig(source=str(folder), **{"pair": "sketch", **settings})  # type: ignore[arg-type]
    data = open_photos(config, needs, resolution=16)
    assert isinstance(data, PairedDataset)
    return data


def test_squares_are_cut_after_the_teacher_has_seen_the_whole(photos: Path) -> None:
    data = opened(photos)
    assert data.main == "real"
    assert data.facts.shapes == {"real": (3, 16, 16), "source": (3, 16, 16)}
    assert data.facts.names == {"source": "photo", "real": "sketch"}
    assert len(data) == 3 * (4 * 2) + 3 * (2 * 4) + 6 * 2  # two of each at half its size
    assert data.groups is not None
    assert data.groups.bincount().tolist() == [10] * 6
    whole = np.asarray(Image.open(photos / "1.png"))
    places = Squares("sketch", 16, 3, 1, 99).list_places(40, 70, 99).tolist()
    source, truth = find_teacher("sketch").make_pair(whole)
    rows = data.rows(torch.arange(10, 18))
    for k, (y, x) in enumerate(places):
        assert (rows["source"][k].permute(1, 2, 0).numpy() == source[y : y + 16, x : x + 16]).all()
        assert (rows["real"][k].permute(1, 2, 0).numpy() == truth[y : y + 16, x : x + 16]).all()


@pytest.mark.parametrize("scale", [2, 4])
def test_small_squares_are_those_of_the_shrunk_photograph(photos: Path, scale: int) -> None:
    data = opened(photos, LOW, pair=f"bicubic-{scale}")
    small = shrink_picture(np.asarray(Image.open(photos / "1.png"))[: 40 // scale * scale, : 70 // scale * scale], scale)
    places = Squares(f"bicubic-{scale}", 16, 3, scale, 99).list_places(40, 70 // scale * scale, 99).tolist()
    rows, side = data.rows(torch.arange(10, 18)), 16 // scale
    for k, (y, x) in enumerate(places):
        assert y % scale == x % scale == 0
        cut = small[y // scale : y // scale + side, x // scale : x // scale + side]
        assert (rows["low"][k].permute(1, 2, 0).numpy() == cut).all()


def test_the_squares_of_the_half_are_those_of_a_smaller_photograph(photos: Path) -> None:
    data = opened(photos)
    half = Image.open(photos / "1.png").resize((35, 20), Image.Resampling.LANCZOS)
    source, truth = find_teacher("sketch").make_pair(np.asarray(half))
    rows = data.rows(torch.arange(18, 20))
    for k, (y, x) in enumerate(Squares("sketch", 16, 3, 1, 99).list_places(20, 35, 99).tolist()):
        assert (rows["source"][k].permute(1, 2, 0).numpy() == source[y : y + 16, x : x + 16]).all()
        assert (rows["real"][k].permute(1, 2, 0).numpy() == truth[y : y + 16, x : x + 16]).all()


def test_a_crop_is_random_while_training_and_the_center_otherwise(photos: Path) -> None:
    data = opened(photos, LOW, pair="bicubic-2", tile=32, crop=16)
    batch = data.batch(0, 0, 4)
    assert batch["real"].shape == (4, 3, 16, 16)
    assert batch["low"].shape == (4, 3, 8, 8)
    assert data.rows(torch.arange(2))["real"].shape == (2, 3, 16, 16)


def test_photographs_are_held_out_whole(photos: Path) -> None:
    rest, held_out = opened(photos).hold_out(0.45)
    assert held_out is not None
    groups = [set(each.groups[each.index].tolist()) for each in (rest, held_out)]  # type: ignore[index]
    assert not groups[0] & groups[1]
    assert len(groups[0] | groups[1]) == 6


def test_the_cache_gives_the_same(photos: Path) -> None:
    first, again = opened(photos), opened(photos)
    assert first.fingerprint == again.fingerprint != opened(photos, pair="vintage").fingerprint
    assert torch.equal(first.fields["real"], again.fields["real"])
    assert torch.equal(first.groups, again.groups)  # type: ignore[arg-type]


def test_two_domains_share_no_photograph(photos: Path) -> None:
    data = open_photos(DataConfig(source=str(photos), pair="sketch"), ("a", "b"), resolution=16)
    assert isinstance(data, UnpairedDataset)
    sides = [{int(table.groups[i]) for i in table.index} for table in (data.a, data.b)]  # type: ignore[index, union-attr]
    assert not sides[0] & sides[1]
    assert len(sides[0]) == len(sides[1]) == 3
    assert data.names == {"a": "photo", "b": "sketch"}
    assert data.batch(0, 0, 2)["b"].shape == (2, 3, 16, 16)


def test_swapped_and_named_by_the_source(photos: Path) -> None:
    plain, swapped = opened(photos), opened(photos, swap=True)
    assert torch.equal(plain.fields["real"], swapped.fields["source"])
    assert swapped.facts.names == {"source": "sketch", "real": "photo"}
    edges = open_photos(DataConfig(source=f"edges:{photos}", pair="sketch"), PAIR, resolution=16)
    assert edges.facts.names == {"source": "edges", "real": "photo"}
    assert name_pair(DataConfig(source=f"filter:oil:{photos}")) == "oil"
    assert name_pair(DataConfig(source=str(photos), pair="vintage")) == "vintage"


def test_large_photographs_are_shrunk_and_give_a_bounded_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganvas.data.photo_tiles.LONGEST", 96)
    how = Squares("vintage", 16, 3, 1, 7)
    truth, source = how.make(np.asarray(picture(0, 400, 200)))
    assert truth.shape == source.shape == (7, 3, 16, 16)
    assert Squares("vintage", 16, 3, 1, 99).make(np.asarray(picture(0, 400, 200)))[0].shape == (6 * 3 + 3 * 1, 3, 16, 16)


def test_small_broken_and_missing_photographs(photos: Path, tmp_path: Path) -> None:
    picture(9, 12, 50).save(photos / "small.png")
    (photos / "broken.png").write_bytes(b"no picture")
    data = opened(photos)
    assert len(data) == 60
    assert {each.name.rpartition("/")[2] for each in data.skipped} == {"small.png", "broken.png"}
    assert any("12 x 50 pixels, smaller than a square of 16" in each.reason for each in data.skipped)
    with pytest.raises(DataError, match="smaller than a square of 128"):
        open_photos(DataConfig(source=str(photos), pair="sketch"), PAIR, resolution=128)
    with pytest.raises(UsageError, match="did you mean 'sketch'"):
        opened(photos, pair="sketsh")
    with pytest.raises(UsageError, match="expected bicubic-2 or bicubic-4"):
        opened(photos, LOW)
    with pytest.raises(DataError, match="a filter makes no map and real"):
        opened(photos, ("map", "real"))
    alone = tmp_path / "one"
    alone.mkdir()
    picture(0, 40, 40).save(alone / "0.png")
    with pytest.raises(DataError, match="two photographs or more"):
        open_photos(DataConfig(source=str(alone), pair="sketch"), ("a", "b"), resolution=16)


def test_grey_photographs_stay_grey(tmp_path: Path) -> None:
    for k in range(2):
        picture(k, 32, 32).convert("L").save(tmp_path / f"{k}.png")
    assert opened(tmp_path).facts.shape == (1, 16, 16)
    color = open_photos(DataConfig(source=str(tmp_path), pair="sketch"), PAIR, resolution=16, channels=3)
    assert color.facts.shape == (3, 16, 16)


def test_squares_without_a_teacher_are_the_truth_of_pairs(photos: Path) -> None:
    config = DataConfig(source=str(photos), tile=16, flip=True)
    data = open_squares(config)
    assert tuple(data.modalities) == ("real",)
    assert data.facts.shape == (3, 16, 16)
    assert data.flip
    pairs = opened(photos, pair="denoise")
    assert torch.equal(data.fields["real"], pairs.fields["real"])
    assert data.groups is not None
    assert pairs.groups is not None
    assert torch.equal(data.groups, pairs.groups)
    rest, held_out = data.hold_out(0.4)
    assert held_out is not None
    kept, measured = (set(data.groups[part.index].tolist()) for part in (rest, held_out))
    assert not kept & measured, "a photograph is held out as a whole"
    assert open_squares(config, channels=1).facts.shape == (1, 16, 16)
    assert torch.equal(open_squares(config).fields["real"], data.fields["real"]), "from the cache"


def test_games_of_single_pictures_get_squares_if_they_ask_for_tiles(photos: Path) -> None:
    recipe = RECIPES["inpaint-photos"]
    data = open_data(replace(recipe, data=replace(recipe.data, source=str(photos), tile=16)))
    assert (len(data), data.facts.shape) == (60, (3, 16, 16))
    with pytest.raises(DataError, match="smaller than a square of 128"):
        open_data(replace(recipe, data=replace(recipe.data, source=str(photos))))
    np.save(photos / "solid.npy", np.zeros((30, 8, 8, 8), np.float32))
    with pytest.raises(DataError, match="expected photographs, found points or solids"):
        open_data(replace(recipe, data=replace(recipe.data, source=str(photos / "solid.npy"))))
