"""Label maps: numbers, palettes and colors; no new classes at smooth edges; strangers are named."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import IO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from ganvas.data.collection import ImageCollection
from ganvas.data.images import UnreadableError, decode, peek
from ganvas.data.legend import Legend
from ganvas.data.levels import Bytes
from ganvas.data.map_files import MapRule, choose_rule, fit_map, read_maps
from ganvas.errors import DataError

SEA_LAND = Legend(("sea", "land"), ((0, 0, 255), (0, 255, 0)), colored=True)


def collection(images: Sequence[Image.Image], ending: str = "PNG") -> ImageCollection:
    files = []
    for image in images:
        file = io.BytesIO()
        image.save(file, ending)
        files.append(file.getvalue())

    def open_file(i: int) -> IO[bytes]:
        return io.BytesIO(files[i])

    return ImageCollection(
        [f"{i}.png" for i in range(len(files))],
        lambda i: peek(open_file(i)),
        lambda i, enough: decode(open_file(i), enough),
        open=open_file,
    )


def classes(images: Sequence[Image.Image], legend: Legend | None = None, ending: str = "PNG") -> tuple[MapRule, list[Bytes]]:
    pictures = collection(images, ending)
    rule = choose_rule(pictures, legend)
    read = read_maps(pictures, rule)
    return rule, [read(i) for i in range(len(images))]


def grey(*rows: Sequence[int]) -> Image.Image:
    return Image.fromarray(np.array(rows, np.uint8))


def colored(*rows: Sequence[tuple[int, int, int]]) -> Image.Image:
    return Image.fromarray(np.array(rows, np.uint8))


def test_grey_numbers_are_classes_and_255_is_not_known() -> None:
    rule, maps = classes([grey([0, 1, 255], [2, 2, 0])])
    assert maps[0].tolist() == [[0, 1, 255], [2, 2, 0]]
    assert rule.legend.names == ("0", "1", "2")
    deep = Image.fromarray(np.array([[0, 3], [1, 255]], np.uint16))
    assert classes([deep])[1][0].tolist() == [[0, 3], [1, 255]]


@pytest.mark.parametrize("levels", [(0, 255), (0, 128), (255,), (0, 100, 200)])
def test_a_mask_of_grey_levels_has_a_class_for_each(levels: tuple[int, ...]) -> None:
    rule, maps = classes([grey([*levels, levels[0]])])
    assert maps[0].tolist() == [[*range(len(levels)), 0]]
    assert rule.legend.colors == tuple((level, level, level) for level in levels)


def test_a_palette_is_kept_as_colors() -> None:
    image = Image.fromarray(np.array([[0, 1], [1, 255]], np.uint8), "P")
    image.putpalette([0, 0, 255, 0, 255, 0] + [224, 224, 192] * 254)
    rule, maps = classes([image, image])
    assert maps[0].tolist() == [[0, 1], [1, 255]]
    assert rule.legend.colors == SEA_LAND.colors
    other = image.copy()
    other.putpalette([0, 255, 0, 0, 0, 255] + [9, 9, 9] * 254)
    rule, (first, second) = classes([image, other], SEA_LAND)  # the numbers of two palettes mean nothing: colors count
    assert first[0].tolist() == [0, 1]
    assert second[0].tolist() == [1, 0]


def test_colors_are_classes_by_legend_or_by_themselves() -> None:
    picture = colored([(0, 0, 255), (0, 255, 0)], [(0, 255, 0), (0, 0, 255)])
    assert classes([picture], SEA_LAND)[1][0].tolist() == [[0, 1], [1, 0]]
    rule, maps = classes([picture])
    assert rule.legend.names == ("#0000ff", "#00ff00")
    assert maps[0].tolist() == [[0, 1], [1, 0]]


def test_the_smooth_edge_of_a_brush_is_no_class() -> None:
    large = Image.new("RGB", (400, 400), (0, 0, 255))
    ImageDraw.Draw(large).ellipse((80, 80, 300, 320), fill=(0, 255, 0))
    edges = large.resize((100, 100), Image.Resampling.LANCZOS)
    assert len(np.unique(np.asarray(edges).reshape(-1, 3), axis=0)) > 20
    hard = np.asarray(large.resize((100, 100), Image.Resampling.NEAREST))[..., 1] > 128
    for legend in (None, SEA_LAND):
        rule, maps = classes([edges], legend)
        assert len(rule.legend.names) == 2
        assert rule.doubts == ()
        assert set(np.unique(maps[0])) == {0, 1}
        assert ((maps[0] == 1) != hard).mean() < 0.02
    rule, maps = classes([large.resize((200, 200))], SEA_LAND, "JPEG")
    assert set(np.unique(maps[0])) == {0, 1}


def patches(count: int, side: int = 480, across: int = 16) -> Image.Image:
    """A map of squares in `count` plain colors, some of them in few squares."""
    rng = np.random.default_rng(count)
    plain = (rng.permutation(8**3)[:count, None] // np.array([64, 8, 1]) % 8 * 36).astype(np.uint8)
    chosen = np.concatenate([np.arange(count), rng.zipf(1.5, across**2) % count])[: across**2]
    scale = side // across
    return Image.fromarray(plain[rng.permutation(chosen)].reshape(across, across, 3).repeat(scale, 0).repeat(scale, 1))


def smooth(image: Image.Image) -> Image.Image:
    return image.resize((250, 250), Image.Resampling.BILINEAR)


@pytest.mark.parametrize("count", [2, 10, 20, 40])
def test_plain_colors_are_not_doubted(count: int) -> None:
    rule = choose_rule(collection([patches(count)]))
    assert len(rule.legend.names) == count
    assert rule.doubts == ()


def test_ordinary_pictures_as_maps_are_doubted() -> None:
    (told,) = choose_rule(collection([smooth(patches(20))])).doubts
    assert told.startswith("label maps: ")
    assert " colors became classes, such as #" in told
    assert "% of the pixels have one of " in told
    assert told.endswith("or a legend.csv that lists the classes; pix2pix-images takes pairs of ordinary pictures")
    (told,) = choose_rule(collection([patches(58)])).doubts
    assert told.startswith("label maps: 58 colors became classes, such as #")
    assert "pixels" not in told
    drawing = Image.new("RGB", (400, 400), "white")  # two colors, and the mixtures of them at many edges
    for i in range(0, 400, 20):
        ImageDraw.Draw(drawing).line((i, 0, 400 - i, 400), (200, 30, 10), 3)
    rule = choose_rule(collection([smooth(drawing)]))
    assert len(rule.legend.names) > 2
    assert len(rule.doubts) == 1


def test_maps_that_were_enlarged_by_a_whole_factor_are_doubted() -> None:
    """Their mixtures are few, each with a part of the pixels that a class may have."""
    drawing = Image.new("RGB", (120, 120), (20, 60, 200))
    ImageDraw.Draw(drawing).rectangle((20, 20, 80, 90), (220, 200, 40))
    ImageDraw.Draw(drawing).ellipse((50, 40, 110, 110), (10, 160, 20))
    assert choose_rule(collection([drawing])).doubts == ()
    rule = choose_rule(collection([drawing.resize((240, 240), Image.Resampling.BILINEAR)]))
    assert len(rule.legend.names) > 3
    (told,) = rule.doubts
    assert "became classes" in told


def test_a_legend_and_numbers_are_not_doubted() -> None:
    many = smooth(patches(20))
    assert choose_rule(collection([many]), SEA_LAND).doubts == ()
    assert choose_rule(collection([Image.fromarray(np.arange(60, dtype=np.uint8)[None])])).doubts == ()


def test_a_transparent_pixel_is_not_known() -> None:
    image = colored([(0, 0, 255), (0, 255, 0)]).convert("RGBA")
    image.putpixel((1, 0), (0, 255, 0, 0))
    assert classes([image], SEA_LAND)[1][0].tolist() == [[0, 255]]


def test_a_far_field_of_no_class_stays_unknown() -> None:
    pixels = np.full((1, 200, 3), 128, np.uint8)
    pixels[0, 0] = SEA_LAND.colors[1]
    found = classes([Image.fromarray(pixels)], SEA_LAND)[1][0][0]
    assert found[:10].tolist() == [1] * 10
    assert found[100:].tolist() == [255] * 100


def test_strangers_are_named() -> None:
    pictures = collection([grey([0, 1], [7, 7])])
    read = read_maps(pictures, choose_rule(pictures, SEA_LAND))
    with pytest.raises(UnreadableError, match=r"class 7 in 2 pixels is not among the 2 classes; correct it, or legend\.csv"):
        read(0)
    pictures = collection([colored([(255, 0, 0)])])
    read = read_maps(pictures, choose_rule(pictures, SEA_LAND))
    with pytest.raises(UnreadableError, match="no pixel has a color of the 2 classes"):
        read(0)
    with pytest.raises(DataError, match=r"expected classes from 0 to 253, and 255 for not known; found 255 numbers up to 299"):
        choose_rule(collection([Image.fromarray(np.arange(44, 300, dtype=np.uint16)[None])]))
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)
    with pytest.raises(DataError, match=r"expected up to 64 colors, one for each class, found 1,\d+"):
        choose_rule(collection([Image.fromarray(noise)]))


@given(
    st.lists(st.integers(0, 4), min_size=48, max_size=48),
    st.sampled_from(["crop", "stretch", "pad"]),
    st.sampled_from([4, 9, 16]),
)
@settings(max_examples=30, deadline=None)
def test_a_resized_map_has_no_new_classes(values: list[int], fit: str, resolution: int) -> None:
    given_ = np.array(values, np.uint8).reshape(6, 8)
    found = fit_map(given_, resolution, fit)  # type: ignore[arg-type]
    assert found.shape == (resolution, resolution)
    assert set(np.unique(found)) <= {*values, 255}
    assert (255 in found) == (fit == "pad")
