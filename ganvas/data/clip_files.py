"""Read a clip: a GIF, an animated PNG or WebP, a film (with the extra `video`), or a folder of numbered frames."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from ganvas.data.images import SUFFIXES, UnreadableError, silence_pillow
from ganvas.data.input_files import open_input
from ganvas.data.whole_picture import find_ending, read_animation, read_picture
from ganvas.errors import DataError
from ganvas.media.film_stream import FILM_SUFFIXES, MOST_BYTES, read_film, require_video_extra
from ganvas.utils.parsing import printable

Array = npt.NDArray[Any]
ENDINGS = (".gif", ".png", ".apng", ".webp", *FILM_SUFFIXES)
MOST = 1_000  # frames that are read of a clip
PACE = 40.0  # milliseconds of a frame, where nothing says how long it lasts: 25 a second, as in films
SHORTEST = 10.0  # milliseconds: browsers show a GIF of 0 more slowly too


@dataclass(frozen=True)
class Clip:
    """The frames of a clip, on white."""

    frames: list[Array]  # uint8 [H, W, 3], all of one size
    milliseconds: float  # that each of them lasts, on the average
    more: bool = False  # whether the clip goes on: these are its first frames


def read_clip(path: Path) -> Clip:
    """The first `MOST` frames of a clip.

    Raises:
        DataError: it cannot be read, has one frame only, or frames of several sizes.
        UsageError: a film, without the extra `video`.
    """
    if path.is_dir():
        return _require_clip(_read_folder(path), printable(path))
    try:
        with silence_pillow(), open_input(path) as file:
            return decode_clip(file, str(path))
    except UnreadableError as error:
        raise DataError(f"{printable(path)}: {error}") from None


def decode_clip(file: IO[bytes], name: str) -> Clip:
    """The first `MOST` frames of an animation, or of a film by the ending of its name. Errors as `read_clip`."""
    shown = printable(name)
    try:
        clip = _read_film(file, name) if name.lower().endswith(FILM_SUFFIXES) else _read_animation(file)
    except UnreadableError as error:
        raise DataError(f"{shown}: {error}") from None
    return _require_clip(clip, shown)


def _require_clip(clip: Clip, shown: str) -> Clip:
    """Raises: DataError: it has one frame only, or frames of several sizes."""
    sizes = {frame.shape for frame in clip.frames}
    if len(sizes) > 1:
        raise DataError(f"{shown}: {describe_sizes(clip.frames)}")
    if len(clip.frames) < 2:
        raise DataError(f"{shown}: expected two frames or more, found one; give a GIF, an animated PNG or WebP, or a film")
    return clip


def describe_sizes(frames: Sequence[Array]) -> str:
    """What is wrong with frames of several sizes."""
    found = ", ".join(f"{width} x {height}" for height, width, _ in sorted({frame.shape for frame in frames})[:3])
    return f"expected frames of one size, found {found}; give frames of one clip"


def order_of_frame(name: str) -> tuple[tuple[str | int, ...], str]:
    """Where a frame of this name stands among others: numbers in names are compared as numbers, so f2 comes before f10."""
    parts = re.split("([0-9]+)", name)
    return tuple(int(part) if k % 2 else part for k, part in enumerate(parts)), name


def _read_film(file: IO[bytes], name: str) -> Clip:
    require_video_extra(name)
    try:
        frames, milliseconds = read_film(file, MOST + 1)
    except DataError as error:
        raise DataError(f"{printable(name)}: {error}") from None
    return Clip(frames[:MOST], milliseconds or PACE, len(frames) > MOST or len(frames) * frames[0].size > MOST_BYTES)


def _read_animation(file: IO[bytes]) -> Clip:
    found = read_animation(file)
    if found is None:
        file.seek(0)
        return Clip([put_on_white(read_picture(file).values)], PACE)
    frames = [put_on_white(frame) for frame in found.frames[:MOST]]
    mean = float(np.mean(found.durations))
    return Clip(frames, mean if mean >= SHORTEST else PACE, len(found.frames) > MOST)


def _read_folder(folder: Path) -> Clip:
    """The pictures of a folder as frames."""
    frames = []
    paths = [path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES]
    for path in sorted(paths, key=lambda path: order_of_frame(path.name))[:MOST]:
        try:
            with silence_pillow(), open_input(path) as file:
                if find_ending(file):
                    raise UnreadableError("expected a frame of the clip that its folder is, found an animation; name it alone")
                file.seek(0)
                frames.append(put_on_white(read_picture(file).values))
        except UnreadableError as error:
            raise DataError(f"{printable(path)}: {error}") from None
    if not frames:
        raise DataError(f"{printable(folder)}: expected the frames of a clip as pictures, found none in it; put them into it")
    return Clip(frames, PACE, len(paths) > MOST)


def put_on_white(values: Array) -> Array:
    """A picture [H, W, 1 to 4], grey or color, perhaps with transparency, uint8 or uint16 -> uint8 [H, W, 3] on white."""
    if values.dtype == np.uint16:
        values = (values >> 8).astype(np.uint8)
    opaque = values[..., -1:].astype(np.float32) / 255 if values.shape[2] in (2, 4) else None
    colors = values[..., :3] if values.shape[2] >= 3 else np.repeat(values[..., :1], 3, 2)
    if opaque is None:
        return colors
    return (colors * opaque + 255 * (1 - opaque)).round().astype(np.uint8)
