"""Filters as teachers: what each does, the same on every run, and in no way dependent on the place or on chance."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ganvas.data.computed_pairs import (
    LEVELS,
    RADIUS,
    TEACHERS,
    add_noise,
    age,
    bicubic_scale,
    draw_sketch,
    find_edges,
    find_teacher,
    paint_oil,
    shrink_picture,
    to_grey,
)
from ganvas.data.levels import Bytes
from ganvas.errors import UsageError
from ganvas.metrics.resize import shrink

EVERY = pytest.mark.parametrize("name", TEACHERS)


def photo(height: int = 48, width: int = 56, channels: int = 3, seed: int = 0) -> Bytes:
    """Smooth noise with an edge."""
    random = np.random.default_rng(seed)
    coarse = Image.fromarray(random.integers(0, 256, (8, 8, 3), np.uint8))
    pixels = np.array(coarse.resize((width, height), Image.Resampling.BICUBIC))
    pixels[:, width // 2 :] //= 2
    return pixels[..., :channels]


@EVERY
@pytest.mark.parametrize("channels", [1, 3])
def test_a_pair_has_the_shape_of_the_photograph_and_is_always_the_same(name: str, channels: int) -> None:
    pixels = photo(channels=channels)
    before = pixels.copy()
    source, truth = find_teacher(name).make_pair(pixels)
    assert source.shape == truth.shape == pixels.shape
    assert source.dtype == truth.dtype == np.uint8
    assert (pixels == before).all()
    again = find_teacher(name).make_pair(pixels.copy())
    assert (again[0] == source).all()
    assert (again[1] == truth).all()
    one = source if name in ("denoise", "deblur", "colourise", "edges") else truth
    other = truth if one is source else source
    assert (other == pixels).all()  # one side is the photograph itself
    assert channels == 1 or (one != pixels).any()


@pytest.mark.parametrize("name", ["sketch", "oil", "vintage", "colourise"])
def test_a_filter_does_not_know_the_place(name: str) -> None:
    """A cut from the middle has the same pixels, but at its edges: within the 32 pixels that a network sees."""
    pixels, far = photo(120, 120), 20
    part = np.ascontiguousarray(pixels[13:103, 9:99])
    whole, cut = (np.concatenate(find_teacher(name).make_pair(x), 2).astype(int) for x in (pixels, part))
    assert np.abs(whole[13:103, 9:99] - cut)[far:-far, far:-far].max() <= 1


def test_a_sketch_is_white_where_nothing_changes_and_dark_beside_an_edge() -> None:
    flat = np.full((40, 40, 3), (90, 140, 60), np.uint8)
    assert draw_sketch(flat).min() >= 253
    assert draw_sketch(np.zeros_like(flat)).min() >= 253  # black is no stroke
    edge = flat.copy()
    edge[:, 20:] = 220
    drawn = draw_sketch(edge)
    assert (drawn == drawn[..., :1]).all()
    assert drawn[20, 18].max() < 200
    assert drawn[20, 3].min() > 250


def test_oil_is_the_mean_of_the_commonest_level() -> None:
    pixels = photo(14, 15)
    grey = np.rint(pixels.astype(np.float32) @ np.array((0.299, 0.587, 0.114), np.float32)).clip(0, 255).astype(int)
    level, painted = grey * LEVELS // 256, paint_oil(pixels)
    for y, x in ((0, 0), (7, 6), (13, 14), (5, 9)):
        window = (slice(max(0, y - RADIUS), y + RADIUS + 1), slice(max(0, x - RADIUS), x + RADIUS + 1))
        commonest = np.bincount(level[window].ravel()).argmax()  # of equal ones the first
        mean = pixels[window][level[window] == commonest].mean(0)
        assert np.abs(painted[y, x] - mean).max() <= 0.5


def test_vintage_is_warm_and_its_black_is_lifted() -> None:
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, 2)
    aged = age(ramp).astype(int)[0]
    assert (np.diff(aged, axis=0) >= 0).all()  # brighter stays brighter
    assert aged[0].min() >= 25
    assert aged[255].max() < 250
    assert aged[160, 0] > aged[160, 1] > aged[160, 2]


def test_noise_is_normal_and_depends_on_the_pixels_only() -> None:
    flat = np.full((64, 64, 3), 128, np.uint8)
    apart = add_noise(flat).astype(float) - 128
    assert abs(apart.mean()) < 1
    assert apart.std() == pytest.approx(25, abs=0.7)
    other = flat.copy()
    other[0, 0] = 129
    assert (add_noise(flat) == add_noise(flat)).all()
    assert np.abs(add_noise(other).astype(int) - add_noise(flat)).mean() > 10


def test_grey_and_edges() -> None:
    assert to_grey(np.array([[[255, 0, 0], [10, 10, 10]]], np.uint8)).tolist() == [[[76] * 3, [10] * 3]]
    assert find_edges(np.full((5, 5, 3), 7, np.uint8)).max() == 0


def test_the_teachers_are_what_they_were() -> None:
    """Models were trained on them. The blur is Pillow's and may change with it by a level, so only the others are pinned."""
    digests = {
        name: hashlib.sha256(b"".join(part.tobytes() for part in TEACHERS[name].make_pair(photo()))).hexdigest()[:12]
        for name in ("oil", "colourise", "edges")
    }
    assert digests == {"oil": "0a208796efab", "colourise": "a201fe52b889", "edges": "af067af29e1d"}


@given(st.integers(8, 40), st.integers(8, 40), st.sampled_from([2, 4]))
@settings(max_examples=10, deadline=None)
def test_there_is_one_bicubic(height: int, width: int, scale: int) -> None:
    pixels = photo(height, width)
    small = shrink_picture(pixels, scale)
    assert small.shape == (height // scale, width // scale, 3)
    assert torch.equal(
        shrink(torch.from_numpy(pixels).permute(2, 0, 1)[None], scale)[0], torch.from_numpy(small).permute(2, 0, 1)
    )


def test_names_are_checked() -> None:
    assert bicubic_scale("bicubic-4", 64) == 4
    with pytest.raises(UsageError, match="did you mean 'sketch'"):
        find_teacher("skech")
    with pytest.raises(UsageError, match=r"data\.pair=bicubic-2 is for super-resolution: choose sr-photos"):
        find_teacher("bicubic-2")
    with pytest.raises(UsageError, match="expected bicubic-2 or bicubic-4"):
        bicubic_scale("", 64)
    with pytest.raises(UsageError, match="66 pixels are no multiple of 4"):
        bicubic_scale("bicubic-4", 66)
