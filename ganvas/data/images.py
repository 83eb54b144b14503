"""Decode and resize one image file (PNG, JPEG, WebP, BMP, GIF, TIFF). The rules are listed in docs/data.md."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from ganvas.errors import DataError

Bytes = NDArray[np.uint8]
Fit = Literal["crop", "pad", "stretch"]

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")  # no rare formats: their decoders have more security holes
SUFFIXES = (".png", ".jpg", ".jpeg", ".jfif", ".webp", ".bmp", ".gif", ".tif", ".tiff")
MAX_PIXELS = 64_000_000
MODES = {
    "1": "black and white",
    "L": "grey",
    "LA": "grey with alpha",
    "I": "grey 32 bit",
    "F": "grey float",
    "P": "palette",
    "PA": "palette with alpha",
    "RGBA": "RGB with alpha",
}


class UnreadableError(DataError):
    """One image cannot be read; the rest of the data can."""


class Header(NamedTuple):
    """The header of an image file."""

    width: int
    height: int
    kind: str

    @property
    def grey(self) -> bool:
        """Whether the image has one channel, according to its mode."""
        return self.kind.startswith(("grey", "black"))


@contextmanager
def silence_pillow() -> Iterator[None]:
    """Silence Pillow's warnings about unusual files: they are read by the rules or listed as skipped.

    Enter it in the main thread, around the whole loop: Python's warning filters belong to the process.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def peek(file: BinaryIO) -> Header:
    """Size and mode from the header of an image file, without decoding it.

    Raises:
        UnreadableError: it is no image of the six formats, or too large.
    """
    with _reading(), Image.open(file, formats=FORMATS) as image:
        _check_size(image)
        return Header(*image.size, _kind(image))


def decode(file: BinaryIO, enough: int = 0) -> Bytes:
    """The first frame of an image file, rotated as its EXIF says, as uint8 [H, W, C] with C = 1 or 3.

    If both sides of a JPEG are at least twice `enough` pixels, it is decoded at a half, quarter or eighth of its size, but
    not below `enough`.

    Raises:
        UnreadableError: it is no image of the six formats, too large, or damaged.
    """
    with _reading(), Image.open(file, formats=FORMATS) as image:
        _check_size(image)
        if enough:
            image.draft(None, (enough, enough))
        image.load()
        return _to_bytes(_apply_orientation(image))


def fit_to_side(pixels: Bytes, resolution: int, channels: int, fit: Fit) -> Bytes:
    """uint8 [H, W, C] -> uint8 [channels, resolution, resolution].

    "crop" takes the central square, "pad" the whole image on black, "stretch" ignores the aspect ratio; then the image is
    resized with an antialiasing Lanczos filter. A grey 28 x 28 image at 32 x 32 gets a black border of 2 pixels instead.
    """
    height, width, given = pixels.shape
    size = (resolution, resolution)
    if pixels.shape == (*size, channels):
        return np.ascontiguousarray(pixels.transpose(2, 0, 1))
    if (*pixels.shape, *size, channels) == (28, 28, 1, 32, 32, 1):  # as papers do for MNIST
        framed = np.zeros((1, 32, 32), np.uint8)
        framed[0, 2:30, 2:30] = pixels[..., 0]
        return framed
    image = Image.fromarray(pixels[..., 0] if given == 1 else pixels).convert("L" if channels == 1 else "RGB")
    if fit == "crop":
        side = min(width, height)
        left, top = (width - side) // 2, (height - side) // 2
        image = image.crop((left, top, left + side, top + side)).resize(size, Image.Resampling.LANCZOS)
    elif fit == "pad":
        longer = max(width, height)
        inner = (max(1, round(width * resolution / longer)), max(1, round(height * resolution / longer)))
        ground = Image.new(image.mode, size)
        ground.paste(
            image.resize(inner, Image.Resampling.LANCZOS), ((resolution - inner[0]) // 2, (resolution - inner[1]) // 2)
        )
        image = ground
    else:
        image = image.resize(size, Image.Resampling.LANCZOS)
    array = np.asarray(image)
    return array[None] if channels == 1 else np.ascontiguousarray(array.transpose(2, 0, 1))


def flatten_on_white(values: Bytes, alpha: Bytes) -> Bytes:
    """uint8 [..., C] with alpha uint8 [..., 1], composed over white; rounded to the nearest."""
    opaque = alpha.astype(np.uint32)
    return ((values * opaque + 255 * (255 - opaque) + 127) // 255).astype(np.uint8)


def sixteen_to_eight_bits(values: NDArray[np.generic]) -> Bytes:
    """0 .. 65535 -> 0 .. 255, rounded to the nearest: 65535 = 255 * 257."""
    return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)


@contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except UnreadableError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise UnreadableError(f"more than {MAX_PIXELS:,} pixels") from None
    except UnidentifiedImageError:
        raise UnreadableError(f"not an image ({', '.join(FORMATS)})") from None
    except Exception as error:  # a damaged file makes Pillow raise nearly anything: OSError, SyntaxError, struct.error, ...
        raise UnreadableError(f"damaged: {' '.join(str(error).split()) or type(error).__name__}") from None


def _check_size(image: Image.Image) -> None:
    width, height = image.size
    if not width or not height:
        raise UnreadableError(f"empty: {width} x {height} pixels")
    if width * height > MAX_PIXELS:
        raise UnreadableError(f"{width} x {height} is more than {MAX_PIXELS:,} pixels")


def _kind(image: Image.Image) -> str:
    if image.mode.startswith("I;16"):
        return "grey 16 bit"
    kind = MODES.get(image.mode, image.mode)
    return kind if image.mode in ("LA", "PA", "RGBA") or "transparency" not in image.info else f"{kind} with alpha"


def _apply_orientation(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # with a damaged EXIF block only the rotation is lost, not the image
        return image


def _to_bytes(image: Image.Image) -> Bytes:
    """Any mode -> uint8 [H, W, C]: grey stays grey, transparency is composed over white, the rest becomes RGB."""
    if image.mode == "F" or image.mode.startswith("I"):
        return _scale_to_bytes(np.asarray(image), image.mode)[..., None]
    grey = image.mode in ("1", "L", "LA")
    if image.has_transparency_data:
        rgba = np.asarray(image.convert("RGBA"))
        return flatten_on_white(rgba[..., :1] if grey else rgba[..., :3], rgba[..., 3:])
    array = np.asarray(image.convert("L" if grey else "RGB"))
    return array[..., None] if grey else array


def _scale_to_bytes(values: NDArray[np.generic], mode: str) -> Bytes:
    """Values of more than 8 bits -> uint8: by a fixed scale if the range implies one, else from minimum to maximum."""
    if mode.startswith("I;16"):
        return sixteen_to_eight_bits(values)
    numbers = values.astype(np.float64)
    if not np.isfinite(numbers).all():
        raise UnreadableError("has samples that are not finite numbers")
    low, high = float(numbers.min()), float(numbers.max())
    if mode == "I" and low >= 0 and high <= 65535:
        return sixteen_to_eight_bits(values)
    if mode == "F" and low >= 0 and high <= 255:
        return np.rint(numbers * (255 if high <= 1 else 1)).astype(np.uint8)
    return np.rint((numbers - low) * 255 / max(high - low, 1e-300)).astype(np.uint8)
