"""Rewrite an uploaded zip of images as a safe one: every image is decoded, and encoded again under a new name.

Only pixels and the names of classes are kept: no metadata, no unusual encodings, no paths.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from ganvas.data.collection import ImageCollection, Progress, as_bytes, map_images, no_readable_image
from ganvas.data.folder_layout import drop_hidden_files
from ganvas.data.images import UnreadableError
from ganvas.data.readers.zip_archive import MAX_RATIO, check_bombs, load, open_archive
from ganvas.data.split_names import TEST_FOLDERS
from ganvas.data.table import Skipped
from ganvas.errors import DataError
from ganvas.utils.files import disk_errors
from ganvas.utils.parsing import printable

SIDE = 512  # pixels: images with a longer shorter side are downsampled to it
MEMBERS = 200_000
UNPACKED = 8 << 30  # bytes


def repack(path: Path, out: Path, progress: Progress | None = None) -> tuple[tuple[Skipped, ...], tuple[str, ...]]:
    """Write the images of the zip at `path` to a new zip at `out`; returns the skipped files, and what is doubtful.

    Classes stay folders, and splits stay splits. The shorter side of an image is at most 512 pixels afterwards.

    Raises:
        DataError: the zip is damaged, a zip bomb or hostile in another way, or has no readable image.
        ResourceError: the new zip cannot be written.
    """
    check_zip(path)
    parts = {"": as_bytes(load(path, "train"))}
    try:
        tests = as_bytes(load(path, "test"))
        parts = {"train/": parts[""], f"{TEST_FOLDERS[0]}/": tests}
    except DataError:
        pass  # no test split
    skipped: list[Skipped] = []
    with disk_errors(f"cannot write {out}"), zipfile.ZipFile(out, "x", zipfile.ZIP_STORED) as target:
        for prefix, pictures in parts.items():
            skipped += [*pictures.skipped, *_copy(pictures, target, prefix, progress)]
    return tuple(skipped), parts["train/" if "train/" in parts else ""].warnings


def check_zip(path: Path) -> None:
    """Check the central directory of the zip at `path`, without unpacking.

    Raises:
        DataError: it is damaged, a zip bomb or hostile in another way, or has no image.
    """
    with open_archive(path) as archive:
        infos = [info for info in archive.infolist() if not info.is_dir()]
    total, size = sum(info.file_size for info in infos), path.stat().st_size
    shown = printable(path.name)
    if len(infos) > MEMBERS:
        raise DataError(f"{shown}: refused, {len(infos):,} files; expected at most {MEMBERS:,}")
    if total > UNPACKED or total > MAX_RATIO * max(size, 1 << 20):
        raise DataError(f"{shown}: refused, {size:,} bytes unpack to {total:,}, like a zip bomb; pack pictures as they are")
    check_bombs(path, infos)
    try:
        drop_hidden_files([info.filename for info in infos], lambda _name: True)
    except DataError as error:
        raise DataError(f"{shown}: {error}") from None


def _copy(pictures: ImageCollection, target: zipfile.ZipFile, prefix: str, progress: Progress | None) -> list[Skipped]:
    """Raises: DataError: none can be read."""
    folders = safe_names(pictures.classes)
    skipped: list[Skipped] = []
    total = len(pictures.names)

    def encode(i: int) -> bytes:
        pixels = pictures.read(i, SIDE)
        image = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
        if (shorter := min(image.size)) > SIDE:
            size = (round(image.width * SIDE / shorter), round(image.height * SIDE / shorter))
            image = image.resize(size, Image.Resampling.LANCZOS)
        file = io.BytesIO()
        try:
            image.save(file, "PNG", compress_level=1)
        except (OSError, ValueError) as error:
            raise UnreadableError(f"cannot be encoded: {printable(error, 100)}") from None
        return file.getvalue()

    for i, data in map_images(encode, total):
        if isinstance(data, str):
            skipped.append(Skipped(pictures.names[i], data))
            continue
        folder = "" if pictures.labels is None else f"{folders[pictures.labels[i]]}/"
        target.writestr(f"{prefix}{folder}{i:06d}.png", data)
        if progress and ((i + 1) % 256 == 0 or i + 1 == total):
            progress(i + 1, total)
    if len(skipped) == total:
        raise no_readable_image(skipped)
    return skipped


def safe_names(classes: Sequence[str]) -> list[str]:
    """Class names -> safe folder names in a zip, in the same order: all different, none with a path."""
    names: list[str] = []
    for name in classes:
        plain = re.sub(r"[/\\:\x00-\x1f]", "_", name)[:100].strip(" .") or "class"
        plain = f"_{plain}" if plain.startswith("__MACOSX") else plain
        count = 2
        unique = plain
        while unique in names:
            unique, count = f"{plain} ({count})", count + 1
        names.append(unique)
    return names
