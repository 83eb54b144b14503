"""One image: the rule of every mode, to the exact pixel value; damage is named."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ganvas.data.images import UnreadableError, decode, fit_to_side, peek, silence_pillow
from ganvas.data.levels import Bytes, Span, choose_levels


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> io.BytesIO:
    file = io.BytesIO()
    image.save(file, kind, **options)
    file.seek(0)
    return file


def flat(mode: str, value: object, size: tuple[int, int] = (4, 4)) -> Image.Image:
    return Image.new(mode, size, value)  # type: ignore[arg-type]


def shown(file: io.BytesIO) -> Bytes:
    """The bytes of an image that is a whole collection by itself."""
    values = decode(file)
    return values.astype(np.uint8) if values.dtype == np.uint8 else choose_levels(Span.of(values)).to_bytes(values)


def palette(**info: Any) -> io.BytesIO:
    image = flat("P", 1)
    image.putpalette([10, 20, 30, 40, 50, 60])
    return encoded(image, **info)


def keyed(mode: str, value: object) -> io.BytesIO:
    return encoded(flat(mode, value), transparency=value)


WIDE = Image.fromarray(np.array([[0, 257, 25700, 65535]], np.uint16))


@pytest.mark.parametrize(
    ("file", "kind", "pixel"),
    [
        (encoded(flat("L", 77)), "grey", [77]),
        (encoded(flat("1", 1)), "black and white", [255]),
        (encoded(flat("1", 0)), "black and white", [0]),
        (encoded(flat("RGB", (1, 2, 3))), "RGB", [1, 2, 3]),
        (palette(), "palette", [40, 50, 60]),
        (palette(transparency=1), "palette with alpha", [255, 255, 255]),
        (palette(transparency=b"\x80\x80"), "palette with alpha", [147, 152, 157]),
        (encoded(flat("LA", (100, 0))), "grey with alpha", [255]),
        (encoded(flat("LA", (100, 255))), "grey with alpha", [100]),
        (encoded(flat("LA", (0, 128))), "grey with alpha", [127]),
        (encoded(flat("RGBA", (0, 100, 255, 128))), "RGB with alpha", [127, 177, 255]),
        (encoded(flat("RGBA", (9, 9, 9, 0)), "WEBP", lossless=True), "RGB with alpha", [255, 255, 255]),
        (keyed("L", 5), "grey with alpha", [255]),
        (keyed("RGB", (5, 6, 7)), "RGB with alpha", [255, 255, 255]),
        (encoded(flat("CMYK", (255, 0, 0, 0)), "TIFF"), "CMYK", [0, 255, 255]),
        (encoded(flat("YCbCr", (128, 128, 128)), "TIFF"), "YCbCr", [128, 128, 128]),
        (encoded(flat("I;16", 25700)), "grey 16 bit", [100]),
        (encoded(flat("I;16", 65535), "TIFF"), "grey 16 bit", [255]),
        (encoded(flat("I", 25700), "TIFF"), "grey 32 bit", [100]),
        (encoded(flat("F", 0.5), "TIFF"), "grey float", [128]),
        (encoded(flat("F", 200.4), "TIFF"), "grey float", [200]),
        (encoded(flat("RGB", (10, 20, 30)), "BMP"), "RGB", [10, 20, 30]),
        (encoded(flat("L", 9), "GIF"), "palette", [9, 9, 9]),
    ],
)
def test_every_mode_has_its_rule(file: io.BytesIO, kind: str, pixel: list[int]) -> None:
    pixels = shown(file)
    assert pixels.dtype == np.uint8
    assert pixels.shape == (4, 4, len(pixel))
    assert pixels[0, 0].tolist() == pixels[3, 3].tolist() == pixel
    header = peek(file)
    assert (header.width, header.height, header.kind, header.grey) == (4, 4, kind, len(pixel) == 1)


def test_sixteen_bits_are_scaled_not_clipped() -> None:
    assert shown(encoded(WIDE))[0, :, 0].tolist() == [0, 1, 100, 255]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([[-100, 0, 100]], np.int32), [0, 128, 255]),
        (np.array([[0, 100_000, 200_000]], np.int32), [0, 128, 255]),
        (np.array([[-1.0, 0.0, 1.0]], np.float32), [0, 128, 255]),
        (np.array([[0.0, 0.2, 1.0]], np.float32), [0, 51, 255]),
    ],
)
def test_other_ranges_go_from_darkest_to_lightest(values: Bytes, expected: list[int]) -> None:
    assert shown(encoded(Image.fromarray(values), "TIFF"))[0, :, 0].tolist() == expected


def test_float_that_is_not_finite_is_named() -> None:
    with pytest.raises(UnreadableError, match="finite"):
        decode(encoded(Image.fromarray(np.array([[np.nan]], np.float32)), "TIFF"))


def test_jpeg_of_cmyk_and_grey() -> None:
    cmyk = decode(encoded(flat("CMYK", (0, 0, 0, 0), (16, 16)), "JPEG", quality=100))
    assert cmyk.shape == (16, 16, 3)
    assert cmyk.min() >= 253
    assert decode(encoded(flat("L", 100, (16, 16)), "JPEG")).shape == (16, 16, 1)


def test_exif_rotation_is_applied() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn a quarter to the right
    image = Image.fromarray(np.array([[0, 50], [100, 150], [200, 250]], np.uint8))
    assert decode(encoded(image, exif=exif))[..., 0].tolist() == [[200, 100, 0], [250, 150, 50]]


def test_damaged_exif_costs_only_the_rotation() -> None:
    with silence_pillow():
        assert decode(encoded(flat("L", 3), exif=b"Exif\0\0II*\0\xff\xff\xff\x7f")).shape == (4, 4, 1)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_animations_give_their_first_frame(kind: str) -> None:
    frames = [flat("RGB", (255, 0, 0)), flat("RGB", (0, 0, 255))]
    file = encoded(frames[0], kind, save_all=True, append_images=frames[1:], lossless=True)
    assert decode(file)[0, 0].tolist() == [255, 0, 0]


def test_large_jpegs_are_reduced_while_decoding() -> None:
    file = encoded(flat("RGB", (50, 100, 150), (640, 480)), "JPEG")
    assert decode(file, enough=100).shape == (120, 160, 3)
    assert decode(file, enough=0).shape == (480, 640, 3)


def png_claiming(width: int, height: int) -> bytes:
    """A tiny file whose header claims any size."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not an image"),
        (b"hello", "not an image"),
        (b"%PDF-1.4", "not an image"),
        (b"8BPS\0\1" + b"\0" * 40, "not an image"),
        (png_claiming(100_000, 100_000), "more than 64,000,000 pixels"),
        (png_claiming(10_000, 10_000), "more than 64,000,000 pixels"),
        (png_claiming(8_001, 8_000), "more than 64,000,000 pixels"),
        (png_claiming(4_000, 4_000), "damaged"),
        (png_claiming(0, 10), "empty|damaged|not an image"),
    ],
)
def test_what_is_no_image_is_named(content: bytes, reason: str) -> None:
    with pytest.raises(UnreadableError, match=reason):
        decode(io.BytesIO(content))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF"])
def test_truncated_files_are_never_half_read(kind: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    whole = encoded(Image.fromarray(noise), kind).getvalue()
    with silence_pillow():
        for length in range(0, len(whole) * 3 // 4, max(1, len(whole) // 40)):
            with pytest.raises(UnreadableError):
                decode(io.BytesIO(whole[:length]))


@given(kind=st.sampled_from(["PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF"]), data=st.data())
@settings(max_examples=150, deadline=None)
def test_flipped_bytes_decode_or_are_unreadable(kind: str, data: st.DataObject) -> None:
    whole = bytearray(encoded(flat("RGB", (10, 200, 30), (12, 9)), kind).getvalue())
    for place in data.draw(st.lists(st.integers(0, len(whole) - 1), min_size=1, max_size=8)):
        whole[place] = data.draw(st.integers(0, 255))
    with silence_pillow():
        try:
            pixels = decode(io.BytesIO(whole))
        except UnreadableError:
            return
    assert pixels.dtype == np.uint8
    assert pixels.ndim == 3
    assert pixels.shape[2] in (1, 3)


@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    given_channels=st.sampled_from([1, 3]),
    channels=st.sampled_from([1, 3]),
    resolution=st.integers(1, 40),
    fit=st.sampled_from(["crop", "pad", "stretch"]),
)
@settings(max_examples=100, deadline=None)
def test_fit_keeps_flat_colour_and_shape(height, width, given_channels, channels, resolution, fit) -> None:  # type: ignore[no-untyped-def]
    result = fit_to_side(np.full((height, width, given_channels), 200, np.uint8), resolution, channels, fit)
    assert result.shape == (channels, resolution, resolution)
    assert result.flags.c_contiguous
    assert set(result.flatten().tolist()) <= ({0, 200} if fit == "pad" or resolution == 32 else {200})
    assert (result == 200).any()


def test_crop_takes_the_centre() -> None:
    strip = np.concatenate([np.full((2, 2, 1), v, np.uint8) for v in (0, 100, 255)], 1)
    assert fit_to_side(strip, 2, 1, "crop").tolist() == [[[100, 100], [100, 100]]]


def test_pad_is_black_and_keeps_proportions() -> None:
    padded = fit_to_side(np.full((2, 4, 3), 255, np.uint8), 4, 3, "pad")
    assert padded[0].tolist() == [[0] * 4, [255] * 4, [255] * 4, [0] * 4]


def test_grey_28_at_32_is_framed_not_resampled() -> None:
    digit = np.random.default_rng(0).integers(1, 256, (28, 28, 1), dtype=np.uint8)
    framed = fit_to_side(digit, 32, 1, "crop")[0]
    assert np.array_equal(framed[2:30, 2:30], digit[..., 0])
    assert framed.sum() == digit.sum(dtype=np.int64)


def test_right_size_is_not_resampled() -> None:
    colour = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    assert np.array_equal(fit_to_side(colour, 8, 3, "crop"), colour.transpose(2, 0, 1))
