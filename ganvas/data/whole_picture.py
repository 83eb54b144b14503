"""Read a picture, or the frames of an animation, as it is: size, transparency, grey and 16 bits kept, upright.

For training pictures are read by `images.decode`, which puts them on white, and makes large ones smaller. The checks for large
and hostile files are the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO, Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from ganvas.data.images import MAX_PIXELS, TURNS, UnreadableError, find_orientation, open_image

Array = npt.NDArray[Any]
ANIMATED = ("GIF", "PNG", "WEBP")
MOST_FRAMES = 10_000
GREY = ("1", "L", "LA", "La")
PNG_DEPTH, PNG_COLOR = 24, 25  # places in the header of a PNG; kinds of color 2, 4 and 6 are not grey or palette alone


@dataclass(frozen=True)
class WholePicture:
    """A picture as its file has it."""

    values: Array  # [H, W, C]: grey, grey and transparency, color, or color and transparency; uint8, or uint16 of grey
    notes: tuple[str, ...] = ()  # what could not be kept, for the user
    profile: bytes | None = None  # what the colors mean (ICC)


@dataclass(frozen=True)
class Animation:
    """The frames of a GIF, an animated PNG or an animated WebP."""

    frames: list[Array]  # uint8 [H, W, 3 or 4]
    durations: list[float]  # milliseconds
    loop: int | None  # how often it repeats, 0: for ever; None: the file does not say, so once
    ending: str  # of a file of its kind: ".gif"


def read_picture(file: IO[bytes]) -> WholePicture:
    """The first picture of a file. Raises: UnreadableError: it is no image of the six formats, too large, or damaged."""
    deep_color = _has_deep_color(file)
    with open_image(file) as image:
        pages = 1 if image.format == "MPO" else int(getattr(image, "n_frames", 1))
        image.load()
        values = to_values(image)
        turn, profile = TURNS.get(find_orientation(image)), image.info.get("icc_profile")
        kind = "frames" if image.format in ANIMATED else "pages"
        suits = image.mode in (*GREY, "RGB", "RGBA", "P", "PA")
    notes = ["colors of 16 bits became 8 bits"] * deep_color + [f"the first of {pages:,} {kind}"] * (pages > 1)
    upright = np.ascontiguousarray(turn(values)) if turn else values
    return WholePicture(upright, tuple(notes), profile if suits and isinstance(profile, bytes) else None)


def read_animation(file: IO[bytes]) -> Animation | None:
    """The animation in a file; None: it has one picture.

    Raises:
        UnreadableError: it is no image of the six formats, too large, or damaged.
    """
    with open_image(file) as image:
        count, ending = _count_frames(image), _ending_of(image)
        if count < 2:
            return None
        if count > MOST_FRAMES or count * image.width * image.height > MAX_PIXELS:
            size = f"{count:,} frames of {image.width} x {image.height}"
            raise UnreadableError(f"{size} are more than {MOST_FRAMES:,}, or than {MAX_PIXELS:,} pixels; cut or shrink it")
        loop = image.info.get("loop")
        frames, durations = [], []
        for i in range(count):
            image.seek(i)
            image.load()
            frames.append(np.asarray(image.convert("RGBA" if image.has_transparency_data else "RGB")))
            duration = image.info.get("duration", 0)
            durations.append(float(duration) if isinstance(duration, int | float) else 0.0)
        return Animation(frames, durations, loop if isinstance(loop, int) else None, ending)


def find_ending(file: IO[bytes]) -> str | None:
    """The ending of an animation, by its header, without decoding a frame; None: the file has one picture.

    Raises:
        UnreadableError: as `read_animation`.
    """
    with open_image(file) as image:
        return _ending_of(image) if _count_frames(image) > 1 else None


def to_values(image: Image.Image) -> Array:
    """A Pillow image -> [H, W, C], as in `WholePicture`. Raises: UnreadableError: it has more than 16 bits."""
    if image.mode.startswith("I;16"):
        return np.asarray(image).astype(np.uint16)[..., None]
    if image.mode == "I":
        values = np.asarray(image)
        if values.min() < 0 or values.max() > np.iinfo(np.uint16).max:
            raise UnreadableError("grey of 32 bits; expected 8 or 16 bits; convert it")
        return values.astype(np.uint16)[..., None]
    if image.mode == "F":
        raise UnreadableError("grey of floating-point numbers; expected 8 or 16 bits; convert it")
    kind = "L" if image.mode in GREY else "RGB"
    if image.has_transparency_data:
        kind = {"L": "LA", "RGB": "RGBA"}[kind]
    found = np.asarray(image.convert(kind))
    return found[..., None] if found.ndim == 2 else found


def _has_deep_color(file: IO[bytes]) -> bool:
    """Whether a file is a PNG with colors, or transparent grey, of 16 bits, of which only 8 are read."""
    place = file.tell()
    head = file.read(PNG_COLOR + 1)
    file.seek(place)
    return head[:8] == b"\x89PNG\r\n\x1a\n" and len(head) > PNG_COLOR and head[PNG_DEPTH] == 16 and head[PNG_COLOR] in (2, 4, 6)


def _count_frames(image: Image.Image) -> int:
    return int(getattr(image, "n_frames", 1)) if image.format in ANIMATED else 1


def _ending_of(image: Image.Image) -> str:
    return f".{str(image.format).lower()}"
