"""How numbers become bytes: by the range of the whole set, whatever their type and byte order; what is doubtful is told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ganvas.config import DataConfig
from ganvas.data.levels import Levels, Span, choose_levels
from ganvas.data.open import open_source
from ganvas.data.report import inspect
from ganvas.data.table import TableDataset
from ganvas.errors import UsageError

GREY = np.random.default_rng(0).integers(0, 256, (5, 8, 8), dtype=np.uint8)
MASK = np.random.default_rng(1).integers(0, 2, (5, 8, 8), dtype=np.uint8)


def opened(path: Path, array: np.ndarray | None = None, **settings: float) -> TableDataset:
    if array is not None:
        np.save(path, array)
    return open_source(DataConfig(source=str(path), **settings))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "array",
    [
        GREY.astype(">u2"),
        GREY.astype("<i2"),
        GREY.astype(">i8"),
        (GREY.astype(np.uint16) * 257).astype(">u2"),
        (GREY.astype(np.int32) * 257).astype(">i4"),
        GREY.astype(">f4") / 255,
        GREY / 255 * 1.0000001,
        (GREY / 255).astype(np.float16),
        GREY.astype(np.float64) * 257,
    ],
)
def test_one_picture_in_many_types(tmp_path: Path, array: np.ndarray) -> None:
    assert np.abs(opened(tmp_path / "x.npy", array).table[:, 0].numpy().astype(int) - GREY).max() <= 1  # of halves


@pytest.mark.parametrize("kind", ["bool", "u1", "i1", "<i2", ">u2", "<i8", "f4"])
def test_masks_are_black_and_white(tmp_path: Path, kind: str) -> None:
    assert np.array_equal(opened(tmp_path / "x.npy", MASK.astype(kind)).table[:, 0].numpy(), MASK * 255)


@pytest.mark.parametrize(("low", "high"), [(-0.03, 1.02), (0.0, 1.0000001), (-0.01, 1.0)])
def test_a_little_beyond_the_unit_range_is_clipped(low: float, high: float) -> None:
    values = np.array([low, 0.0, 0.5, 1.0, high])
    assert choose_levels(Span.of(values)).to_bytes(values).tolist() == [0, 0, 128, 255, 255]


def test_the_whole_set_decides_for_files_too(tmp_path: Path) -> None:
    for name, high in (("a", 1.0), ("b", 1.01), ("c", 0.5)):
        Image.fromarray(np.array([[0, high], [0, 0]], np.float32)).save(tmp_path / f"{name}.tiff")
    source = open_source(DataConfig(source=str(tmp_path)), resolution=2)
    assert source.table.amax((1, 2, 3)).tolist() == [255, 255, 128]
    assert not any("range" in text or "dark" in text for text in source.warnings)


def test_twelve_bits_are_told_and_white_mends_them(tmp_path: Path) -> None:
    deep = (GREY.astype(np.uint16) << 4) | (GREY >> 4)  # 0 .. 4095
    said = ("all pictures are dark: the highest value is 4095 of 65535; if 4095 is white (12 bits), use --set data.white=4095",)
    assert opened(tmp_path / "x.npy", deep).warnings == said
    for i, pixels in enumerate(deep):
        Image.fromarray(pixels).save(tmp_path / f"{i}.png")
    (tmp_path / "x.npy").unlink()
    assert open_source(DataConfig(source=str(tmp_path))).warnings == said
    assert inspect(str(tmp_path)).warnings == said
    assert said[0] in inspect(str(tmp_path)).text()
    mended = opened(tmp_path, white=4095)
    assert mended.warnings == ()
    assert np.array_equal(mended.table[:, 0].numpy(), GREY)
    assert inspect(str(tmp_path), white=4095).warnings == ()


def test_dark_bytes_are_told_and_white_mends_them(tmp_path: Path) -> None:
    Image.fromarray(GREY[0] % 14).save(tmp_path / "a.png")
    said = "all pictures are dark: the highest value is 13 of 255; if 13 is white, use --set data.white=13"
    for _ in range(2):  # the second time from the cache
        assert opened(tmp_path).warnings == (said,)
    assert opened(tmp_path, white=13).table.max() == 255
    assert opened(tmp_path / "b.npy", GREY % 14).warnings == (said,)


def test_a_white_above_255_leaves_bytes_alone(tmp_path: Path) -> None:
    Image.fromarray(GREY[0]).save(tmp_path / "a.png")
    assert np.array_equal(opened(tmp_path, white=4095).table[0, 0].numpy(), GREY[0])


def test_black_and_clipped_pictures_are_told(tmp_path: Path) -> None:
    assert "all pictures are black: they have no value above 0" in opened(tmp_path / "x.npy", np.zeros((2, 8, 8))).warnings
    (clipped,) = opened(tmp_path / "y.npy", GREY.astype(np.int32) * 9, white=1000.0).warnings
    assert clipped == "values above data.white=1000 become white: the highest is 2295"


def test_an_unusual_range_goes_from_darkest_to_lightest_and_is_told(tmp_path: Path) -> None:
    source = opened(tmp_path / "x.npy", np.linspace(-400, 8000, 128).reshape(2, 8, 8))
    assert (int(source.table.min()), int(source.table.max())) == (0, 255)
    assert "values from -400 to 8000 are no usual range" in source.warnings[0]


@pytest.mark.parametrize("white", [0.0, -1.0])
def test_white_is_a_number_above_zero(white: float) -> None:
    with pytest.raises(UsageError, match=r"data\.white: expected a number above 0"):
        DataConfig(source="x", white=white)


def test_good_pictures_have_no_warning(tmp_path: Path, write_picture: Callable[..., Path]) -> None:
    write_picture(tmp_path / "a.png")
    assert opened(tmp_path).warnings == ()


def test_pictures_with_a_sample_that_is_no_number_are_skipped(tmp_path: Path) -> None:
    values = GREY / 255
    values[1, 2, 3] = np.nan
    source = opened(tmp_path / "x.npy", values)
    assert len(source) == 4
    assert source.skipped == (("#1", "has samples that are not finite numbers"),)


@given(st.lists(st.floats(-1e30, 1e30), min_size=1, max_size=20), st.one_of(st.none(), st.floats(1e-3, 1e6)))
@settings(max_examples=100, deadline=None)
def test_bytes_rise_with_the_numbers(numbers: list[float], white: float | None) -> None:
    values = np.sort(np.array(numbers))
    assert (np.diff(choose_levels(Span.of(values), white).to_bytes(values).astype(int)) >= 0).all()


def test_blocks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(2).normal(size=(3, 50, 4))
    whole = Levels(-2, 2).to_bytes(values)
    monkeypatch.setattr("ganvas.data.levels.BLOCK", 7)
    assert np.array_equal(Levels(-2, 2).to_bytes(values), whole)
    assert Span.of(values) == Span(values.min(), values.max(), whole=False)
