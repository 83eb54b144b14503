"""Image files: PNG with metadata, GIF and animated PNG; samples as bytes."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, PngImagePlugin
from torch import Tensor

from ganvas.errors import DataError, UsageError
from ganvas.runtime import placement
from ganvas.utils.files import write_durably

Picture = Image.Image
Array = npt.NDArray[np.floating[Any]]
PAPER, INK = "white", "#282828"
COLORS = 256  # of a GIF's palette
JPEG_QUALITY = 95
DESCRIPTION = 0x010E  # the field of EXIF for text
PICTURES = (".png", ".jpg", ".jpeg")  # the endings that `save_picture` knows


def to_bytes(images: Tensor) -> Tensor:
    """images [N, C, H, W] in [-1, 1] -> uint8 on the CPU: -1 becomes 0, 1 becomes 255; rounded and clamped.

    Raises:
        DataError: there is a NaN.
    """
    levels = (placement.to_cpu(images.detach().float()) + 1) * 127.5
    if levels.isnan().any():
        raise DataError("the images hold NaN: the model has diverged")
    return levels.clamp(0, 255).round().to(torch.uint8)


def png_name(out: str | Path, what: str = "a sheet") -> Path:
    """The file to write `what` to. Raises: UsageError: its name does not end in .png."""
    path = Path(out)
    if path.suffix.lower() != ".png":
        raise UsageError(f"cannot write {what} to {path.name!r}: expected a name ending in .png")
    return path


def save_png(path: str | Path, image: Picture, text: Mapping[str, str]) -> None:
    """Write a PNG with `text` as metadata: recipe, seed, model, and that it is synthetic. The write is atomic.

    Raises:
        ResourceError: the file cannot be written.
    """
    write_durably(Path(path), encode_png(image, text))


def encode_png(image: Picture, text: Mapping[str, str]) -> bytes:
    """The bytes of a PNG with `text` as metadata."""
    file = io.BytesIO()
    image.save(file, "PNG", pnginfo=png_text(text), optimize=True)
    return file.getvalue()


def save_picture(path: str | Path, image: Picture, text: Mapping[str, str]) -> None:
    """Write a PNG, or for .jpg and .jpeg a JPEG of high quality, with `text` as its comment. The write is atomic.

    Raises:
        ResourceError: the file cannot be written.
    """
    if Path(path).suffix.lower() == ".png":
        save_png(path, image, text)
        return
    file, note = io.BytesIO(), json.dumps(text).encode()
    image.save(file, "JPEG", quality=JPEG_QUALITY, subsampling=0, comment=note)
    write_durably(Path(path), file.getvalue())


def to_image(values: npt.NDArray[Any]) -> Picture:
    """uint8 or uint16 [H, W, 1 to 4] -> grey, color, or either with transparency; only grey alone keeps 16 bits."""
    if values.dtype == np.uint16 and values.shape[2] > 1:
        values = _to_8_bits(values)
    return Image.fromarray(np.ascontiguousarray(values[..., 0] if values.shape[2] == 1 else values))


def encode_picture(values: npt.NDArray[Any], ending: str, text: Mapping[str, str], profile: bytes | None = None) -> bytes:
    """A picture as of `to_image` -> the bytes of a file ".png", ".jpg", ".jpeg" or ".webp", with `text` and an ICC profile.

    A JPEG has no transparency: it is on white. JPEG and WebP have 8 bits.
    """
    file, note = io.BytesIO(), json.dumps(dict(text))
    if ending != ".png" and values.dtype == np.uint16:
        values = _to_8_bits(values)
    image, more = to_image(values), {"icc_profile": profile} if profile else {}
    if ending == ".png":
        image.save(file, "PNG", pnginfo=png_text(text), **more)
    elif ending == ".webp":
        exif = Image.Exif()
        exif[DESCRIPTION] = note
        image.save(file, "WEBP", quality=JPEG_QUALITY, exif=exif.tobytes(), **more)
    else:
        if image.has_transparency_data:
            rgba = image.convert("RGBA")
            image = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert(image.mode[:-1])
        image.save(file, "JPEG", quality=JPEG_QUALITY, subsampling=0, comment=note.encode(), **more)
    return file.getvalue()


def _to_8_bits(values: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    return np.rint(values / 257.0).astype(np.uint8)


def save_gif(path: str | Path, frames: Sequence[Picture], milliseconds: int, text: Mapping[str, str] | None = None) -> None:
    """Write an animation in a loop with `milliseconds` for each frame: a GIF, or an animated PNG for .png and .apng.

    A GIF has one palette for all frames and no dithering, so it does not flicker: it is exact up to 256 colors, and so for
    grey images. Its time unit is 10 ms, and browsers slow down frames below 20 ms: the time is rounded to these.

    Raises:
        UsageError: another suffix, or a time that is not positive.
        DataError: no frame, or frames of different sizes.
        ResourceError: the file cannot be written.
    """
    path, text = Path(path), text or {}
    if path.suffix.lower() not in (".gif", ".png", ".apng"):
        raise UsageError(f"{path}: expected a name that ends in .gif, .png or .apng")
    if path.suffix.lower() == ".gif":
        write_durably(path, encode_gif(frames, milliseconds, text))
        return
    _check_frames(frames, milliseconds)
    first, *others = frames
    file, chunks = io.BytesIO(), png_text(text)
    first.save(file, "PNG", save_all=True, append_images=others, duration=milliseconds, loop=0, pnginfo=chunks)
    write_durably(path, file.getvalue())


def encode_gif(
    frames: Sequence[Picture], milliseconds: int, text: Mapping[str, str] | None = None, colors: int = COLORS
) -> bytes:
    """The bytes of a GIF in a loop with a palette of at most `colors` for all frames, as `save_gif` writes it.

    Raises:
        UsageError: a time that is not positive.
        DataError: no frame, or frames of different sizes.
    """
    _check_frames(frames, milliseconds)
    first, *others = share_palette([frame.convert("RGB") for frame in frames], colors)
    file, ticks, note = io.BytesIO(), max(2, round(milliseconds / 10)), json.dumps(text).encode() if text else b""
    first.save(file, "GIF", save_all=True, append_images=others, duration=10 * ticks, loop=0, optimize=False, comment=note)
    return file.getvalue()


def _check_frames(frames: Sequence[Picture], milliseconds: int) -> None:
    if milliseconds <= 0:
        raise UsageError(f"milliseconds: expected more than 0, got {milliseconds}")
    if len({frame.size for frame in frames}) != 1:
        raise DataError(f"an animation needs frames of one size, got {sorted({frame.size for frame in frames})}")


def png_text(text: Mapping[str, str]) -> PngImagePlugin.PngInfo:
    """`text` as the metadata of a PNG."""
    chunks = PngImagePlugin.PngInfo()
    for key, value in text.items():
        chunks.add_text(key, value)
    return chunks


def share_palette(frames: Sequence[Picture], most: int) -> list[Picture]:
    """RGB frames -> frames with one palette: their exact colors if there are at most `most`, else the median cut of all.

    The most frequent color, such as a white ground, stays exact: the median cut has the mean of white and its neighbours.
    """
    pixels = np.stack([np.asarray(frame) for frame in frames])
    codes = pixels.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)
    colors = np.empty(0, np.uint32)
    for code in codes:
        colors = np.union1d(colors, code)
        if len(colors) > most:
            every = pixels.reshape(1, -1, 3)
            palette = Image.fromarray(every[:, :: 1 + every.shape[1] // 2**20]).quantize(most, Image.Quantize.MEDIANCUT)
            indexed = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
            _keep_commonest(indexed, codes)
            return indexed
    table = np.stack([colors >> 16, colors >> 8 & 255, colors & 255], 1).astype(np.uint8).tobytes()
    indexed = [Image.fromarray(np.searchsorted(colors, code).astype(np.uint8)) for code in codes]
    for frame in indexed:
        frame.putpalette(table)
    return indexed


def _keep_commonest(indexed: Sequence[Picture], codes: npt.NDArray[np.uint32]) -> None:
    """Give the number of the most frequent color in the palette of all frames exactly this color; codes [T, H, W] of RGB."""
    found, counts = np.unique(codes.reshape(-1)[:: 1 + codes.size // 2**20], return_counts=True)
    commonest = found[counts.argmax()]
    k, row, column = np.unravel_index(int((codes == commonest).argmax()), codes.shape)
    number = int(indexed[int(k)].getpixel((int(column), int(row))))  # type: ignore[arg-type]
    palette = list(indexed[0].getpalette() or [])
    palette[3 * number : 3 * number + 3] = [int(commonest) >> shift & 255 for shift in (16, 8, 0)]
    for frame in indexed:
        frame.putpalette(palette)
