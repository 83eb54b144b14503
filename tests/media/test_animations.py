"""Animations whose frames have their own times and transparency."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from PIL import Image, ImageSequence

from ganvas.media.animations import encode_animation


def opened(data: bytes) -> Image.Image:
    """The animation."""
    return Image.open(io.BytesIO(data))


@pytest.mark.parametrize("ending", [".gif", ".png", ".webp"])
def test_times_and_loop_are_kept(ending: str) -> None:
    frames = [np.full((4, 6, 3), level, np.uint8) for level in (0, 90, 255)]
    image = opened(encode_animation(frames, [50, 70, 200], 2, ending, {"model": "x"}))
    assert image.info["loop"] == 2
    levels = [(frame.convert("L").getpixel((1, 1)), frame.info["duration"]) for frame in ImageSequence.Iterator(image)]
    found = [(time, level) for level, time in levels]
    assert [time for time, _ in found] == [50, 70, 200]
    assert np.abs(np.array([level for _, level in found]) - (0, 90, 255)).max() <= 2


def test_a_gif_that_does_not_repeat_does_not() -> None:
    frames = [np.zeros((2, 2, 3), np.uint8), np.full((2, 2, 3), 255, np.uint8)]
    image = opened(encode_animation(frames, [50, 50], None, ".gif", {"model": "x"}))
    assert "loop" not in image.info
    assert json.loads(image.info["comment"]) == {"model": "x"}


@pytest.mark.parametrize("ending", [".gif", ".png", ".webp"])
def test_transparent_pixels_stay_transparent(ending: str) -> None:
    """Also where an earlier frame had a color."""
    frames = [np.full((4, 4, 4), (200, 0, 0, 255), np.uint8) for _ in range(2)]
    frames[0][0, :, 3] = 0
    frames[1][3, :, 3] = 0
    image = opened(encode_animation(frames, [50, 50], 0, ending, {}))
    for number, frame in enumerate(ImageSequence.Iterator(image)):
        alpha = np.asarray(frame.convert("RGBA"))[..., 3]
        assert np.array_equal(alpha, frames[number][..., 3])


def test_more_than_255_colors_leave_room_for_the_transparent_one() -> None:
    rng = np.random.default_rng(0)
    frames = [rng.integers(0, 256, (40, 40, 4)).astype(np.uint8) for _ in range(2)]
    for frame in frames:
        frame[..., 3] = np.where(frame[..., 3] > 128, 255, 0)
    image = opened(encode_animation(frames, [50, 50], 0, ".gif", {}))
    for number, frame in enumerate(ImageSequence.Iterator(image)):
        found = np.asarray(frame.convert("RGBA"))
        assert np.array_equal(found[..., 3], frames[number][..., 3])
        opaque = found[..., 3] > 0
        assert np.abs(found[opaque].astype(int) - frames[number][opaque]).mean() < 30
