"""Arrays of pictures show themselves; what is computed from them is plain."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image

from ganvas.media.shown_arrays import Pictures, as_shown


def shown(array: object) -> Image.Image:
    data = as_shown(array)._repr_png_()  # type: ignore[attr-defined]
    assert data
    return Image.open(BytesIO(data))


@pytest.mark.parametrize(
    ("shape", "size"),
    [
        ((12, 28, 28, 1), (4 * 58 - 58 + 2, 4 * 58 + 2)),  # 3 columns, twice as large
        ((30, 28, 28, 3), (582, 3 * 58 + 2)),
        ((1, 32, 40, 3), (2 * 2 * 40, 2 * 2 * 32)),
        ((32, 32, 3), (128, 128)),
        ((2, 100, 80, 4), (2 * 82 + 2, 104)),
        ((300, 28, 28, 1), (582, 582)),  # a hundred at most
    ],
)
def test_pictures_are_a_sheet(shape: tuple[int, ...], size: tuple[int, int]) -> None:
    assert shown(np.zeros(shape, np.uint8)).size == size


def test_the_pixels_are_those_of_the_array() -> None:
    array = np.random.default_rng(0).integers(0, 256, (1, 80, 80, 3), dtype=np.uint8)
    assert np.array_equal(np.asarray(shown(array)), array[0])
    clear = np.full((1, 80, 80, 4), 7, np.uint8)
    clear[..., 3] = 0
    assert np.asarray(shown(clear)).min() == 255  # transparent: on white


def test_clips_move() -> None:
    clips = np.zeros((2, 5, 64, 64, 3), np.uint8)
    clips[:, 3] = 255
    film = shown(clips)
    assert getattr(film, "n_frames", 1) >= 3  # equal frames are joined
    assert film.size == (2 * 66 + 2, 68)


@pytest.mark.parametrize(
    "array", [np.zeros((2, 8, 8, 2), np.uint8), np.zeros((8, 8), np.uint8), np.zeros((0, 8, 8, 3), np.uint8)]
)
def test_other_arrays_show_no_picture(array: np.ndarray) -> None:
    assert as_shown(array)._repr_png_() is None


def test_only_parts_and_copies_stay_pictures() -> None:
    array = as_shown(np.arange(2 * 8 * 8 * 3, dtype=np.uint8).reshape(2, 8, 8, 3))
    assert all(isinstance(part, Pictures) for part in (array, array[0], array[:1], array.copy()))
    for made in (array / 255, array + 1, array == array, array.sum(0), array.mean((1, 2))):
        assert type(made) is np.ndarray
    assert isinstance(array.mean(), np.floating)
    assert (array == array).all() is np.True_
    assert torch.from_numpy(np.asarray(array)).dtype == torch.uint8
    assert (array / 255).dtype == float
    assert array.astype(float)._repr_png_() is None


@pytest.mark.parametrize(
    "value", [None, "text", 0.5, [1, 2], np.zeros((1, 8, 8, 3)), Image.new("L", (2, 2))], ids=lambda value: type(value).__name__
)
def test_anything_else_stays_as_it_is(value: object) -> None:
    assert as_shown(value) is value
