"""Copies of pictures that have pixels, a palette and transparency, and nothing else: no metadata, no unusual encoding.

A label map keeps each number and each color, and is made smaller by nearest neighbor only, as is half of a picture side by side
that has few colors. Any other picture of few colors, which may be a map or a drawing, keeps its size if it is of a zip with two
sides. The others are made smaller with an antialiasing filter.
"""

from __future__ import annotations

import io
from typing import IO

import numpy as np
from PIL import Image

from ganvas.data.images import UnreadableError, find_orientation, open_image
from ganvas.data.levels import Values
from ganvas.data.map_doubts import MOST_COLORS
from ganvas.data.map_files import LOSSY
from ganvas.utils.parsing import printable

SIDE = 512  # pixels: images with a longer shorter side are downsampled to it
NUMBERS = 65_535  # the highest number that a PNG can hold
PLAIN = ("1", "L", "LA", "RGB", "RGBA")  # the modes of PNG, without palettes and deep numbers


def copy_picture(pixels: Values, side: int = SIDE) -> bytes:
    """A PNG of uint8 [H, W, 1 or 3], smaller if its shorter side is longer. Raises: UnreadableError: it cannot be encoded."""
    image = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    return _encode(_shrink(image, Image.Resampling.LANCZOS, side), 1)


def copy_halves(pixels: Values) -> bytes:
    """As `copy_picture`, of two squares side by side. A half of few colors, which may be a label map, gets no others."""
    width, height = pixels.shape[1] // 2, pixels.shape[0]
    if pixels.shape[1] != 2 * height:
        return copy_picture(pixels)
    halves = []
    for half in (pixels[:, :width], pixels[:, width:]):
        image = Image.fromarray(np.ascontiguousarray(half[..., 0] if pixels.shape[2] == 1 else half))
        few = image.getcolors(MOST_COLORS) is not None
        halves.append(np.asarray(_shrink(image, Image.Resampling.NEAREST if few else Image.Resampling.LANCZOS)))
    return _encode(Image.fromarray(np.concatenate(halves, axis=1)), 1)


def copy_map(file: IO[bytes]) -> bytes:
    """A PNG in which `read_map` finds the same numbers, colors and transparent pixels as in the picture `file`.

    Raises:
        UnreadableError: it is no picture, or damaged, or has numbers that are no classes.
    """
    with open_image(file) as image:
        image.load()
        return _encode(_shrink(_copy_exactly(image), Image.Resampling.NEAREST), 6)


def copy_if_few_colors(file: IO[bytes]) -> bytes | None:
    """A PNG of the same size and the same colors, if the picture has few; None: it has many, or had to be decoded otherwise.

    Raises:
        UnreadableError: it is no picture, or damaged.
    """
    with open_image(file) as image:
        if image.format in LOSSY or image.mode not in (*PLAIN, "P") or find_orientation(image) != 1:
            return None
        image.load()
        if image.mode not in (*PLAIN, "P") or image.getcolors(MOST_COLORS) is None:  # Pillow may have changed the mode
            return None
        return _encode(_copy_exactly(image), 6)


def _copy_exactly(image: Image.Image) -> Image.Image:
    """A picture that was loaded, in one of the modes that PNG has."""
    if image.format in LOSSY:
        return Image.fromarray(np.array(image.convert("RGB")))  # also of a grey one: its numbers are no classes
    if image.mode == "P":
        copy = Image.frombytes("P", image.size, image.tobytes())
        copy.putpalette(image.getpalette("RGB") or [0, 0, 0])
        if (hole := image.info.get("transparency")) is not None:
            copy.info["transparency"] = hole
        return copy
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return _copy_numbers(image)
    if image.has_transparency_data:
        image = image.convert("LA" if image.mode in ("1", "L", "LA") else "RGBA")
    elif image.mode not in PLAIN:
        image = image.convert("RGB")
    return Image.frombytes(image.mode, image.size, image.tobytes())


def _copy_numbers(image: Image.Image) -> Image.Image:
    """A grey picture of more than 8 bits. Raises: UnreadableError: its numbers are no classes."""
    values = np.asarray(image)
    if values.dtype.kind == "f" and not (np.isfinite(values).all() and np.array_equal(values, np.rint(values))):
        raise UnreadableError("holds fractions; expected the number of a class in each pixel")
    low, high = values.min(), values.max()
    if low < 0 or high > NUMBERS:
        raise UnreadableError(f"holds numbers from {low:.0f} to {high:.0f}; expected the number of a class in each pixel")
    return Image.fromarray(values.astype(np.uint16))


def _shrink(image: Image.Image, how: Image.Resampling, side: int = SIDE) -> Image.Image:
    shorter = min(image.size)
    if shorter <= side:
        return image
    return image.resize((round(image.width * side / shorter), round(image.height * side / shorter)), how)


def _encode(image: Image.Image, level: int) -> bytes:
    file = io.BytesIO()
    whole = {"bits": 8} if image.mode == "P" and np.asarray(image).max() >= len(image.getpalette() or []) // 3 else {}
    try:
        image.save(file, "PNG", compress_level=level, **whole)  # all 8 bits, if pixels have numbers without a color
    except (OSError, ValueError) as error:
        raise UnreadableError(f"cannot be encoded: {printable(error, 100)}") from None
    return file.getvalue()
