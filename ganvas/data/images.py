"""Decode and resize one image file (PNG, JPEG, WebP, BMP, GIF, TIFF). The rules are listed in docs/data.md."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from threading import Condition
from typing import IO, Literal, NamedTuple

import numpy as np
from PIL import Image, UnidentifiedImageError

from ganvas.data.levels import Bytes, Values
from ganvas.errors import DataError

Fit = Literal["crop", "pad", "stretch"]

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")  # no rare formats: their decoders have more security holes
SUFFIXES = (".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".dib", ".gif", ".tif", ".tiff")
MAX_PIXELS = 64_000_000
MAX_SIDE = 65_535  # pixels
LARGE = 4_000_000  # pixels; larger images are reduced while they are decoded, if the result stays large enough
FLAT = 16_000_000  # pixels; a larger image must not have more than MAX_PACKED pixels in a byte of its file
MAX_PACKED = 300
BAND = 250_000  # pixels that are reduced at a time
ENOUGH = 1_000  # pixels of a side of a large JPEG that is looked at
MEMORY = 320 << 20  # bytes that all threads together decode at a time
DENSE = 12  # pixels in a byte of the file, at most, of an image that takes more
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
    deep: bool = False  # whether its numbers become bytes by the range of the whole set: see levels.py
    packed: int = 0  # bytes of the file; 0: not known
    several: bool = False  # whether the file has more pictures: an animation, or pages

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


@contextmanager
def open_image(file: IO[bytes]) -> Iterator[Image.Image]:
    """The image of a file, not decoded yet, after the checks of its size.

    Raises:
        UnreadableError: it is no image of the six formats, or too large; also for what Pillow raises inside the block.
    """
    with _reading(), Image.open(file, formats=FORMATS) as image:
        _check_size(image, file)
        yield image


def peek(file: IO[bytes]) -> Header:
    """Size and mode from the header of an image file, without decoding it.

    Raises:
        UnreadableError: it is no image of the six formats, or too large.
    """
    with _reading(), Image.open(file, formats=FORMATS) as image:
        packed = _check_size(image, file)
        header = Header(*image.size, _kind(image), _is_deep(image), packed)
        return header._replace(several=_has_several(image))


def decode(file: IO[bytes], enough: int = 0) -> Values:
    """The first frame of an image file, rotated as its EXIF says: [H, W, C].

    It is uint8 with C = 1 or 3; if it has more than 8 bits, its numbers as they are, uint16, int32 or float32 with C = 1.

    If both sides of a JPEG are at least twice `enough` pixels, it is decoded at a half, quarter or eighth of its size, but
    not below `enough`. Any other image of more than 4 million pixels is averaged over squares of pixels, to at most that many,
    but not below `enough`.

    Raises:
        UnreadableError: it is no image of the six formats, too large, or damaged.
    """
    with _reading():
        image = Image.open(file, formats=FORMATS)
        _check_size(image, file)
        memory = _memory(image)
        if wanted := enough or (ENOUGH if image.width * image.height > LARGE else 0):
            image.draft(None, (wanted, wanted))
        with DECODING.take(max(memory if image.info.get("progressive") else 0, _memory(image))):
            image.load()
            values, turn = _reduce(image, max(1, enough)), TURNS.get(find_orientation(image))
            del image  # its memory is free before another thread may use as much
            return turn(values) if turn else values


def fit_to_side(pixels: Values, resolution: int, channels: int, fit: Fit) -> Bytes:
    """uint8 [H, W, 1 or 3] -> uint8 [channels, resolution, resolution].

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
    opaque = alpha.astype(np.uint16)  # 255 * 255 + 127 fits
    return ((values * opaque + 255 * (255 - opaque) + 127) // 255).astype(np.uint8)


class Allowance:
    """A number of units that threads share: `take` waits until enough are free. One thread may take more, alone."""

    def __init__(self, total: int) -> None:
        self.total, self.taken, self.free = total, 0, Condition()

    @contextmanager
    def take(self, units: int) -> Iterator[None]:
        """Hold `units` while the block runs."""
        with self.free:
            self.free.wait_for(lambda: not self.taken or self.taken + units <= self.total)
            self.taken += units
        try:
            yield
        finally:
            with self.free:
                self.taken -= units
                self.free.notify_all()


DECODING = Allowance(MEMORY)

TURNS: Mapping[int, Callable[[Values], Values]] = {  # EXIF orientation -> what makes it upright
    2: lambda values: values[:, ::-1],
    3: lambda values: values[::-1, ::-1],
    4: lambda values: values[::-1],
    5: lambda values: values.swapaxes(0, 1),
    6: lambda values: np.rot90(values, -1),
    7: lambda values: values.swapaxes(0, 1)[::-1, ::-1],
    8: lambda values: np.rot90(values),
}


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


def _check_size(image: Image.Image, file: IO[bytes]) -> int:
    """The bytes of the file. Raises: UnreadableError: the image is empty, too large, or a bomb."""
    width, height = image.size
    if not width or not height:
        raise UnreadableError(f"empty: {width} x {height} pixels")
    if width * height > MAX_PIXELS:
        raise UnreadableError(f"{width} x {height} is more than {MAX_PIXELS:,} pixels")
    if max(width, height) > MAX_SIDE:
        raise UnreadableError(f"{width} x {height}: a side has more than {MAX_SIDE:,} pixels")
    place = file.tell()
    packed = file.seek(0, 2)
    file.seek(place)
    if width * height > max(FLAT, MAX_PACKED * packed) or (_memory(image) > MEMORY and width * height > DENSE * packed):
        raise UnreadableError(f"{width} x {height} pixels in {packed:,} bytes, like a decompression bomb; make it smaller")
    return packed


def _memory(image: Image.Image) -> int:
    """The bytes that decoding takes, measured: some decoders hold the whole image more than once."""
    each = 16 if image.format == "WEBP" else 10 if image.info.get("progressive") else 4
    return image.width * image.height * each


def _has_several(image: Image.Image) -> bool:
    """Whether a file has a second picture. A damaged one is noticed when it is decoded."""
    try:
        return image.format != "MPO" and bool(getattr(image, "is_animated", False))  # MPO: phones add a small second picture
    except Exception:  # as in `_reading`; GIF and TIFF look for the second picture here
        return False


def _is_deep(image: Image.Image) -> bool:
    return image.mode == "F" or image.mode.startswith("I")


def _kind(image: Image.Image) -> str:
    if image.mode.startswith("I;16"):
        return "grey 16 bit"
    kind = MODES.get(image.mode, image.mode)
    return kind if image.mode in ("LA", "PA", "RGBA") or "transparency" not in image.info else f"{kind} with alpha"


def find_orientation(image: Image.Image) -> int:
    """How the camera was turned, as in EXIF, 1 to 8."""
    try:
        return int(image.getexif().get(0x0112, 1))
    except Exception:  # with a damaged EXIF block only the rotation is lost, not the image
        return 1


def _reduce(image: Image.Image, enough: int) -> Values:
    """The numbers of an image [H, W, C]; of a large one the means of squares of pixels, in bands: no large copy is made."""
    width, height = image.size
    factor = 1
    while width * height > LARGE * factor**2 and min(width, height) // (factor + 1) >= enough:
        factor += 1
    if factor == 1:
        return _to_values(image)
    width, height = width // factor, height // factor  # up to factor - 1 pixels at the right and at the bottom are left out
    lines = max(1, BAND // (width * factor**2))
    grey = image.mode in ("1", "L", "LA")
    bands: list[Values] = []
    for top in range(0, height, lines):
        count = min(lines, height - top)
        band = image.crop((0, top * factor, width * factor, (top + count) * factor))
        if _is_deep(image):
            values = _to_values(band).reshape(count, factor, width, factor, 1)
            means = values.mean((1, 3), dtype=np.float64)
            bands.append((means if values.dtype.kind == "f" else np.rint(means)).astype(values.dtype))
        else:
            if band.has_transparency_data:  # by Pillow, which is faster; it may round differently from `flatten_on_white`
                rgba = band.convert("RGBA")
                band = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
            small = np.asarray(band.convert("L" if grey else "RGB").reduce(factor))
            bands.append(small[..., None] if grey else small)
    return np.concatenate(bands)


def _to_values(image: Image.Image) -> Values:
    """Any mode -> [H, W, C]: grey stays grey, transparency is composed over white, the rest becomes RGB."""
    if _is_deep(image):
        values = np.asarray(image)[..., None]
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise UnreadableError("has samples that are not finite numbers")
        return values
    grey = image.mode in ("1", "L", "LA")
    if image.has_transparency_data:
        rgba = np.asarray(image.convert("RGBA"))
        return flatten_on_white(rgba[..., :1] if grey else rgba[..., :3], rgba[..., 3:])
    array = np.asarray(image.convert("L" if grey else "RGB"))
    return array[..., None] if grey else array
