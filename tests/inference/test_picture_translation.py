"""One picture: directions and their names, transparency, grey, 16 bits, strength; label maps."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from translators import LOCAL, make_translator

from ganvas.data.paired import PairedDataset
from ganvas.errors import UsageError
from ganvas.inference.inputs import list_tasks, run_task
from ganvas.inference.picture_translation import (
    find_way,
    fit_channels,
    list_ways,
    paint_one,
    require_margin,
    resize_map,
    translate_along,
    translate_one,
)

Array = np.ndarray[Any, Any]


def noise(channels: int = 3, side: int = 24, dtype: type = np.uint8) -> Array:
    """A random picture."""
    top = np.iinfo(dtype).max
    return np.random.default_rng(0).integers(top // 4, 3 * top // 4, (side, side, channels)).astype(dtype)


@pytest.mark.parametrize("to", ["shaded", "Shaded", "b", "a>b", "flat > shaded", " flat>shaded "])
def test_a_direction_has_several_names(to: str) -> None:
    way = find_way(make_translator("cyclegan"), to)
    assert (way.direction, way.about, way.field) == ("a>b", "flat > shaded", "a")
    back = way.reverse()
    assert back is not None
    assert (back.direction, back.about) == ("b>a", "shaded > flat")


def test_the_only_direction_needs_no_name() -> None:
    assert find_way(make_translator("pix2pix"), None).about == "flat > shaded"
    assert find_way(make_translator("srgan"), None).about == "x2"
    assert find_way(make_translator("srgan-x4"), "x4").scale == 4
    assert find_way(make_translator("pix2pix"), None).reverse() is None
    assert find_way(make_translator("srgan"), None).reverse() is None


def test_wrong_directions_get_one_line() -> None:
    with pytest.raises(UsageError, match=r"has several directions: choose one with --to \(in Python: to=\) shaded or flat"):
        find_way(make_translator("cyclegan"), None)
    with pytest.raises(UsageError, match=r"shadde.*shaded"):
        find_way(make_translator("cyclegan"), "shadde")
    with pytest.raises(UsageError, match="one direction, flat > shaded, and no way back"):
        find_way(make_translator("pix2pix"), "flat")
    with pytest.raises(UsageError, match="unknown output"):
        find_way(make_translator("cyclegan"), "")


def test_opaque_pixels_do_not_depend_on_the_channel_of_transparency() -> None:
    model, picture = make_translator("filters"), noise()
    opaque = np.concatenate([picture, np.full((24, 24, 1), 255, np.uint8)], 2)
    found = translate_one(model, opaque)
    assert found.shape == (24, 24, 4)
    assert np.array_equal(found[..., :3], translate_one(model, picture))
    assert (found[..., 3] == 255).all()


@pytest.mark.parametrize("name", ["filters", "pix2pix", "srgan"])
def test_transparency_is_kept(name: str) -> None:
    model, picture = make_translator(name), noise(4)
    picture[:8, :, 3] = 0
    picture[8:16, :, 3] = 255
    found = translate_one(model, picture)
    scale = find_way(model, None).scale
    assert found.shape == (24 * scale, 24 * scale, 4)
    alpha = np.asarray(Image.fromarray(picture[..., 3]).resize((24 * scale,) * 2, Image.Resampling.BICUBIC))
    assert np.abs(found[..., 3].astype(int) - alpha).max() <= (1 if scale > 1 else 0)


def test_half_transparent_pixels_are_what_the_network_made_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """A negative makes white black: the colors are found in the mixture with black, and not with white."""
    model = make_translator("filters")
    monkeypatch.setattr(type(model.game), "translate", lambda _self, batch, _direction, _z=None: -batch["source"])
    picture = noise(4)
    picture[..., 3] = 128
    found = translate_one(model, picture)
    assert np.abs(found[..., :3].astype(int) - (255 - picture[..., :3].astype(int))).max() <= 2


def test_grey_stays_grey_if_the_game_keeps_it() -> None:
    assert translate_one(make_translator("filters"), noise(1)).shape == (24, 24, 1)
    assert translate_one(make_translator("filters"), noise(2)).shape == (24, 24, 2)
    assert translate_one(make_translator("srgan"), noise(1)[..., 0]).shape == (48, 48, 1)
    assert translate_one(make_translator("pix2pix"), noise(1)).shape == (24, 24, 3)
    assert translate_one(make_translator("grey"), noise(3)).shape == (24, 24, 1)


def test_sixteen_bits_are_kept() -> None:
    model, deep = make_translator("filters"), noise(1, dtype=np.uint16)
    found = translate_one(model, deep)
    assert found.dtype == np.uint16
    assert len(np.unique(found)) > 256
    plain = translate_one(model, np.rint(deep / 257).astype(np.uint8))
    assert np.abs(found / 257 - plain).max() < 3


@pytest.mark.parametrize("name", LOCAL)
def test_a_picture_that_tiles_still_tiles(name: str) -> None:
    model, picture = make_translator(name), noise(side=32)
    half = np.roll(picture, (16, 16), (0, 1))
    way = find_way(model, None) if name != "cyclegan" else find_way(model, "shaded")
    made, of_half = (translate_along(way, each, tileable=True).astype(int) for each in (picture, half))
    assert np.abs(np.roll(made, (16 * way.scale, 16 * way.scale), (0, 1)) - of_half).max() <= 1
    assert np.abs(made - translate_along(way, picture)).max() > 1, "without it the borders are seen as borders"


def test_what_looks_at_the_whole_picture_cannot_tile() -> None:
    way = replace(find_way(make_translator("filters"), None), game=SimpleNamespace(reach=None, multiple=1))  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="tileable: this model looks at the whole picture"):
        require_margin(way)


def test_strength() -> None:
    model, picture = make_translator("filters"), noise()
    whole = translate_one(model, picture).astype(int)
    assert np.array_equal(translate_one(model, picture, strength=0), picture)
    half = translate_one(model, picture, strength=0.5).astype(int)
    inner = (whole > 0) & (whole < 255)
    assert np.abs(half - (picture + whole) / 2)[inner].max() <= 1
    sharp, soft = (translate_one(make_translator("srgan"), picture, strength=s) for s in (1.0, 0.0))
    assert not np.array_equal(sharp, soft)
    for wrong in (-0.1, 1.1, float("nan")):
        with pytest.raises(UsageError, match="strength: expected a number from 0 to 1"):
            translate_one(model, picture, strength=wrong)


@pytest.mark.parametrize(
    "wrong", [np.zeros((4, 4, 3)), np.zeros((4, 4, 5), np.uint8), np.zeros(4, np.uint8), np.zeros((0, 4, 3), np.uint8)]
)
def test_other_arrays_get_one_line(wrong: Array) -> None:
    with pytest.raises(UsageError, match=r"picture: expected uint8 \[H, W, C\] with 1 to 4 channels, found"):
        translate_one(make_translator("pix2pix"), wrong)


def test_channels_fit() -> None:
    assert fit_channels(noise(1), 3).shape == (24, 24, 3)
    assert fit_channels(np.full((1, 1, 3), (255, 0, 0), np.uint8), 1).item() == 76  # as Pillow has it
    assert fit_channels(noise(3), None).shape == (24, 24, 3)
    with pytest.raises(UsageError, match="expected 2 channels, found 3"):
        fit_channels(noise(3), 2)


def test_progress_counts_tiles() -> None:
    told: list[tuple[int, int]] = []
    translate_one(make_translator("filters"), noise(side=150), tile=100, progress=lambda *at: told.append(at))
    assert told == [(i + 1, len(told)) for i in range(len(told))]
    assert len(told) > 1


def test_a_map_is_painted() -> None:
    model = make_translator("spade")
    ids = np.random.default_rng(0).integers(0, 3, (21, 30)).astype(np.uint8)
    ids[0] = 255
    first = paint_one(model, ids, seed=1)
    assert first.shape == (21, 30, 3)
    assert np.array_equal(first, paint_one(model, ids, seed=1))
    assert not np.array_equal(first, paint_one(model, ids, seed=2))
    assert paint_one(model, ids, side=64).shape == (45, 64, 3)
    assert translate_along(list_ways(make_translator("pix2pix").game)[0], noise()).shape == (24, 24, 3)


def test_maps_are_resized_without_new_classes() -> None:
    ids = np.array([[0, 2], [2, 0]], np.uint8)
    assert set(np.unique(resize_map(ids, 33))) == {0, 2}
    assert resize_map(np.zeros((1, 300), np.uint8), 10).shape == (1, 10)
    for side in (0, 1_025):
        with pytest.raises(UsageError, match="side: expected 1 to 1024 pixels"):
            resize_map(ids, side)


def test_wrong_maps_get_one_line() -> None:
    model = make_translator("spade")
    with pytest.raises(UsageError, match="expected classes from 0 to 2, or 255 for not known, found 3"):
        paint_one(model, np.full((8, 8), 3, np.uint8))
    with pytest.raises(UsageError, match=r"map: expected uint8 \[H, W\], found"):
        paint_one(model, np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(UsageError, match="at most 1024 pixels a side, found 1100 x 8"):
        paint_one(model, np.zeros((8, 1100), np.uint8))
    with pytest.raises(UsageError, match="does not paint label maps"):
        paint_one(make_translator("pix2pix"), np.zeros((8, 8), np.uint8))
    with pytest.raises(UsageError, match=r"makes its pictures from label maps .*use ganvas paint"):
        translate_one(model, noise())


def test_the_sheet_shows_what_translate_makes() -> None:
    """The same rows through both ways: the network has nothing that differs between them."""
    model = make_translator("pix2pix")
    rows = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (4, 3, 64, 64), np.uint8))
    data = PairedDataset("pairs", {"source": rows, "real": rows.flip(0)})
    shown = run_task(list_tasks(model.game)[0], data, torch.arange(4)).output
    made = np.stack([translate_one(model, x.permute(1, 2, 0).numpy()) for x in rows])
    assert np.abs(made.astype(int) - shown.permute(0, 2, 3, 1).numpy()).max() <= 1
