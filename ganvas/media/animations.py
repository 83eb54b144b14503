"""Write animations whose frames have their own times, and perhaps transparency: GIF, animated PNG, animated WebP."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from ganvas.media.image_files import COLORS, DESCRIPTION, JPEG_QUALITY, Picture, png_text, share_palette

Array = npt.NDArray[Any]
HALF = 128  # transparency from which on a pixel of a GIF is opaque
CLEAR = COLORS - 1  # the number of the transparent color


def encode_animation(
    frames: Sequence[Array], durations: Sequence[float], loop: int | None, ending: str, text: Mapping[str, str]
) -> bytes:
    """Frames uint8 [H, W, 3 or 4] of one size, with milliseconds for each -> the bytes of a file ".gif", ".png" or ".webp".

    `loop`: how often it repeats, 0: for ever; None: once. Equal frames in a row become one that lasts as long as both. A GIF
    has one palette for all frames, and its pixels are opaque or transparent.
    """
    options: dict[str, Any] = {"save_all": True, "duration": [round(each) for each in durations]}
    options |= {} if loop is None else {"loop": loop}
    clear = any(frame.shape[2] == 4 and frame[..., 3].min() < 255 for frame in frames)
    if ending == ".gif":
        pictures = _to_palette(frames, clear=clear)
        options |= {"comment": json.dumps(dict(text)).encode(), "optimize": False}
        options |= {"transparency": CLEAR, "disposal": 2} if clear else {}
    else:
        pictures = [Image.fromarray(frame if clear else frame[..., :3]) for frame in map(_with_alpha, frames)]
        if ending == ".webp":
            exif = Image.Exif()
            exif[DESCRIPTION] = json.dumps(dict(text))
            options |= {"quality": JPEG_QUALITY, "exif": exif.tobytes()}
            options |= {"loop": 1} if loop is None else {}
        else:
            options |= {"pnginfo": png_text(text)} | ({"loop": 1} if loop is None else {})
    file = io.BytesIO()
    first, *others = pictures
    first.save(file, {".gif": "GIF", ".png": "PNG", ".webp": "WEBP"}[ending], append_images=others, **options)
    return file.getvalue()


def _with_alpha(frame: Array) -> Array:
    if frame.shape[2] == 4:
        return frame
    return np.concatenate([frame, np.full_like(frame[..., :1], 255)], 2)


def _to_palette(frames: Sequence[Array], *, clear: bool) -> list[Picture]:
    """Frames with one palette; with `clear` its last number is transparent."""
    colors = [Image.fromarray(np.ascontiguousarray(frame[..., :3])) for frame in frames]
    if not clear:
        return share_palette(colors, COLORS)
    pictures = []
    for frame, shared in zip(frames, share_palette(colors, COLORS - 1), strict=True):
        numbers = np.array(shared)
        if frame.shape[2] == 4:
            numbers[frame[..., 3] < HALF] = CLEAR
        picture = Image.fromarray(numbers)
        palette = list(shared.getpalette() or [])[: 3 * CLEAR]
        picture.putpalette([*palette, *[0] * (3 * COLORS - len(palette))])
        pictures.append(picture)
    return pictures
