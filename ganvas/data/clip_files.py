"""Read a clip: a GIF, an animated PNG or WebP, a film (with the extra `video`), or a folder of frames in the order of names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from ganvas.data.images import SUFFIXES, UnreadableError, silence_pillow
from ganvas.data.input_files import open_input
from ganvas.data.whole_picture import read_animation, read_picture
from ganvas.errors import DataError
from ganvas.media.film_stream import FILM_SUFFIXES, read_film, require_video_extra
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


def read_clip(path: Path) -> Clip:
    """The first `MOST` frames of a clip.

    Raises:
        DataError: it cannot be read, has one frame only, or frames of several sizes.
        UsageError: a film, without the extra `video`.
    """
    shown = printable(path.name)
    if path.is_dir():
        clip = _read_folder(path)
    elif path.name.lower().endswith(FILM_SUFFIXES):
        require_video_extra(path.name)
        try:
            with open_input(path) as file:
                frames, milliseconds = read_film(file, MOST)
        except UnreadableError as error:
            raise DataError(f"{shown}: {error}") from None
        clip = Clip(frames, milliseconds or PACE)
    else:
        try:
            with silence_pillow(), open_input(path) as file:
                clip = _read_animation(file)
        except UnreadableError as error:
            raise DataError(f"{shown}: {error}") from None
    sizes = {frame.shape for frame in clip.frames}
    if len(sizes) > 1:
        found = ", ".join(f"{width} x {height}" for height, width, _ in sorted(sizes)[:3])
        raise DataError(f"{shown}: expected frames of one size, found {found}; give frames of one clip")
    if len(clip.frames) < 2:
        raise DataError(f"{shown}: expected two frames or more, found one; give a GIF, an animated PNG or WebP, or a film")
    return clip


def _read_animation(file: IO[bytes]) -> Clip:
    found = read_animation(file)
    if found is None:
        file.seek(0)
        return Clip([put_on_white(read_picture(file).values)], PACE)
    frames = [put_on_white(frame) for frame in found.frames[:MOST]]
    mean = float(np.mean(found.durations))
    return Clip(frames, mean if mean >= SHORTEST else PACE)


def _read_folder(folder: Path) -> Clip:
    """The pictures of a folder as frames."""
    frames = []
    for path in sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)[:MOST]:
        try:
            with silence_pillow(), open_input(path) as file:
                frames.append(put_on_white(read_picture(file).values))
        except UnreadableError as error:
            raise DataError(f"{printable(folder.name)}/{printable(path.name)}: {error}") from None
    if not frames:
        raise DataError(f"{printable(folder.name)}: expected the frames of a clip as pictures, found none in it")
    return Clip(frames, PACE)


def put_on_white(values: Array) -> Array:
    """A picture [H, W, 1 to 4], grey or color, perhaps with transparency, uint8 or uint16 -> uint8 [H, W, 3] on white."""
    if values.dtype == np.uint16:
        values = (values >> 8).astype(np.uint8)
    opaque = values[..., -1:].astype(np.float32) / 255 if values.shape[2] in (2, 4) else None
    colors = values[..., :3] if values.shape[2] >= 3 else np.repeat(values[..., :1], 3, 2)
    if opaque is None:
        return colors
    return (colors * opaque + 255 * (1 - opaque)).round().astype(np.uint8)
