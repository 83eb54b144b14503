"""Pictures as their files have them: size, transparency, grey, 16 bits, turned cameras; animations."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from ganvas.data import whole_picture
from ganvas.data.images import UnreadableError
from ganvas.data.whole_picture import read_animation, read_picture, to_values


def file_of(image: Image.Image, kind: str = "PNG", **options: Any) -> io.BytesIO:
    """A picture as a file."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    file.seek(0)
    return file


def ramp(*shape: int) -> np.ndarray[Any, Any]:
    """Numbers that differ."""
    return (np.arange(np.prod(shape)) * 7 % 251).astype(np.uint8).reshape(shape)


@pytest.mark.parametrize(("mode", "channels"), [("1", 1), ("L", 1), ("LA", 2), ("RGB", 3), ("RGBA", 4), ("P", 3)])
def test_channels_are_those_of_the_file(mode: str, channels: int) -> None:
    image = Image.fromarray(ramp(5, 7, 4), "RGBA").convert("RGB" if mode == "P" else "RGBA").convert(mode)
    found = read_picture(file_of(image))
    assert found.values.shape == (5, 7, channels)
    assert found.notes == ()
    if mode in ("L", "LA", "RGB", "RGBA"):
        assert np.array_equal(found.values, np.asarray(image).reshape(5, 7, channels))


def test_a_palette_may_have_a_transparent_color() -> None:
    image = Image.fromarray(np.array([[0, 1]], np.uint8), "P")
    image.putpalette([255, 0, 0, 0, 0, 255])
    assert read_picture(file_of(image, transparency=1)).values.tolist() == [[[255, 0, 0, 255], [0, 0, 255, 0]]]


def test_sixteen_bits_of_grey_are_kept() -> None:
    deep = (np.arange(12, dtype=np.uint16) * 5_000).reshape(3, 4)
    found = read_picture(file_of(Image.fromarray(deep)))
    assert found.values.dtype == np.uint16
    assert np.array_equal(found.values[..., 0], deep)
    assert np.array_equal(read_picture(file_of(Image.fromarray(deep), "TIFF")).values[..., 0], deep)


def test_deeper_numbers_are_refused() -> None:
    with pytest.raises(UnreadableError, match="grey of 32 bits; expected 8 or 16 bits"):
        read_picture(file_of(Image.fromarray(np.full((2, 2), 70_000, np.int32)), "TIFF"))
    with pytest.raises(UnreadableError, match="grey of floating-point numbers"):
        read_picture(file_of(Image.fromarray(np.ones((2, 2), np.float32)), "TIFF"))
    assert to_values(Image.fromarray(np.full((2, 2), 70, np.int32))).dtype == np.uint16


def test_colors_of_sixteen_bits_are_told() -> None:
    rows = b"".join(b"\0" + struct.pack(">3H", 65_535, 0, 30_000) * 2 for _ in range(2))
    chunks = [(b"IHDR", struct.pack(">2L5B", 2, 2, 16, 2, 0, 0, 0)), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    data = b"".join(struct.pack(">L", len(d)) + k + d + struct.pack(">L", zlib.crc32(k + d)) for k, d in chunks)
    found = read_picture(io.BytesIO(b"\x89PNG\r\n\x1a\n" + data))
    assert found.values.shape == (2, 2, 3)
    assert found.notes == ("colors of 16 bits became 8 bits",)


def test_a_turned_camera_is_turned_back() -> None:
    image, exif = Image.fromarray(ramp(4, 6, 3)), Image.Exif()
    exif[0x0112] = 6
    assert read_picture(file_of(image, exif=exif)).values.shape == (6, 4, 3)


def test_the_color_profile_is_kept() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert read_picture(file_of(Image.new("RGB", (2, 2)), icc_profile=profile)).profile == profile
    assert read_picture(file_of(Image.new("CMYK", (2, 2)), "JPEG", icc_profile=profile)).profile is None


def test_pages_are_told() -> None:
    file = file_of(Image.new("RGB", (2, 2)), "TIFF", save_all=True, append_images=[Image.new("RGB", (2, 2), "red")])
    assert read_picture(file).notes == ("the first of 2 pages",)
    file = file_of(Image.new("RGB", (2, 2)), "GIF", save_all=True, append_images=[Image.new("RGB", (2, 2), "red")])
    assert read_picture(file).notes == ("the first of 2 frames",)


@pytest.mark.parametrize("data", [b"", b"hello", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"\xff\xd8\xff"])
def test_what_is_no_picture_is_unreadable(data: bytes) -> None:
    with pytest.raises(UnreadableError):
        read_picture(io.BytesIO(data))
    with pytest.raises(UnreadableError):
        read_animation(io.BytesIO(data))


def test_a_truncated_picture_is_unreadable() -> None:
    data = file_of(Image.fromarray(np.random.default_rng(0).integers(0, 256, (50, 50, 3), np.uint8))).getvalue()
    with pytest.raises(UnreadableError, match="damaged"):
        read_picture(io.BytesIO(data[: len(data) // 2]))


@pytest.mark.parametrize(("kind", "ending"), [("GIF", ".gif"), ("PNG", ".png"), ("WEBP", ".webp")])
def test_animations_keep_their_times(kind: str, ending: str) -> None:
    frames = [Image.new("RGB", (6, 4), color) for color in ("red", "blue", "white")]
    found = read_animation(file_of(frames[0], kind, save_all=True, append_images=frames[1:], duration=[50, 70, 200], loop=3))
    assert found is not None
    assert (found.durations, found.loop, found.ending) == ([50, 70, 200], 3, ending)
    assert [frame.shape[:2] for frame in found.frames] == [(4, 6)] * 3
    assert (found.frames[1][..., 2] > 240).all()


def test_one_frame_is_no_animation() -> None:
    assert read_animation(file_of(Image.new("L", (3, 3)), "GIF")) is None
    assert read_animation(file_of(Image.new("L", (3, 3)), "JPEG")) is None


def test_an_animation_of_too_many_pixels_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    frames = [Image.new("L", (10, 10), i) for i in range(9)]
    file = file_of(frames[0], "GIF", save_all=True, append_images=frames[1:])
    monkeypatch.setattr(whole_picture, "MAX_PIXELS", 800)
    with pytest.raises(UnreadableError, match="9 frames of 10 x 10 are more than"):
        read_animation(file)
