"""Rewrite an uploaded zip of images as a safe one: every image is decoded, and encoded again under a safe name.

Only pixels, and what folders and names say, are kept: no metadata, no unusual encodings, no paths. A zip with two sides, as
pair_layout.py finds them, keeps its folders and names, by which pairs are found, and its label maps with their legend. In any
other zip classes stay folders, splits stay splits, and images are numbered.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from ganvas.data.collection import ImageCollection, Progress, as_bytes, map_images, no_readable_image
from ganvas.data.folder_layout import Layout, drop_hidden_files, take_all
from ganvas.data.images import UnreadableError
from ganvas.data.label_tables import is_table
from ganvas.data.legend import NAME as LEGEND
from ganvas.data.legend import Legend, find_legend, read_legend, write_legend
from ganvas.data.member_names import rename_members
from ganvas.data.pair_layout import Sides, find_sides
from ganvas.data.picture_copies import SIDE, copy_halves, copy_if_few_colors, copy_map, copy_picture
from ganvas.data.readers.zip_archive import MAX_RATIO, check_bombs, load, open_archive
from ganvas.data.split_names import TEST_FOLDERS
from ganvas.data.table import Skipped
from ganvas.data.two_sides import TwoSides, are_side_by_side
from ganvas.errors import DataError
from ganvas.media.film_stream import FILM_SUFFIXES
from ganvas.utils.files import disk_errors
from ganvas.utils.parsing import printable

MEMBERS = 200_000
UNPACKED = 8 << 30  # bytes
MOST_WHOLE = 16_000_000  # pixels: such pictures fit into the memory, one for each thread


@dataclass
class Contents:
    """What a zip has: `arrange` notes it while the zip is opened."""

    members: tuple[str, ...] = ()  # the names of the pictures as they are
    tables: tuple[str, ...] = ()  # of labels
    legend: Legend | None = None
    skipped: list[Skipped] = field(default_factory=list)

    def arrange(
        self,
        names: Sequence[str],
        split: str,
        read_file: Callable[[str], bytes],
        read_head: Callable[[str], bytes] = lambda _name: b"",
    ) -> Layout:
        """As `take_all`. A legend that cannot be read is skipped."""
        seen = [name for name in names if not any(part.startswith((".", "__MACOSX")) for part in name.split("/"))]
        self.tables = tuple(filter(is_table, seen))
        if legend := find_legend(seen):
            seen.remove(legend)
            try:
                self.legend = read_legend(read_file(legend))
            except DataError as error:
                self.skipped.append(Skipped(printable(legend), str(error).removeprefix(f"{LEGEND}: ")))
        layout = take_all(seen, split, read_file, read_head)
        self.members = layout.members
        return layout


def repack(path: Path, out: Path, progress: Progress | None = None) -> tuple[tuple[Skipped, ...], tuple[str, ...]]:
    """Write the images of the zip at `path` to a new zip at `out`; returns the skipped files, and what is doubtful.

    The shorter side of an image is at most 512 pixels afterwards, unless the zip has two sides and the image few colors.

    Raises:
        DataError: the zip is damaged, a zip bomb or hostile in another way, or has no readable image.
        ResourceError: the new zip cannot be written.
    """
    check_zip(path)
    contents = Contents()
    pictures = load(path, "train", contents.arrange)
    if (found := _find_sides(pictures, contents)) is not None:
        return _repack_sides(pictures, contents, found[0], found[1].map_side, out, progress)
    parts = {"": as_bytes(load(path, "train"))}
    try:
        tests = as_bytes(load(path, "test"))
        parts = {"train/": parts[""], f"{TEST_FOLDERS[0]}/": tests}
    except DataError:
        pass  # no test split
    skipped: list[Skipped] = []
    with disk_errors(f"cannot write {out}"), zipfile.ZipFile(out, "x", zipfile.ZIP_STORED) as target:
        for prefix, part in parts.items():
            skipped += [*part.skipped, *_copy(part, target, prefix, progress)]
    return tuple(skipped), parts["train/" if "train/" in parts else ""].warnings


def check_zip(path: Path) -> None:
    """Check the central directory of the zip at `path`, without unpacking.

    Raises:
        DataError: it is damaged, a zip bomb or hostile in another way, or has no image and no film.
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
    names = [info.filename for info in infos]
    try:
        if not any(name.lower().endswith(FILM_SUFFIXES) for name in names):
            drop_hidden_files(names, lambda _name: True)
    except DataError as error:
        raise DataError(f"{shown}: {error}") from None


def _find_sides(pictures: ImageCollection, contents: Contents) -> tuple[Sides, TwoSides] | None:
    """The two sides of a zip; None: it has not two, or has a table of labels, so that these may be two classes."""
    try:
        sides = find_sides(pictures.names)
    except DataError:  # a split has only one of them
        return None
    if sides is None:
        return None
    at = {name: i for i, name in enumerate(pictures.names)}
    first, second = (pictures.pick([at[name] for name in side]) for side in sides.train)
    two = TwoSides(sides.text, sides.names, (first, second), sides.train, (), lettered=sides.lettered)
    return (sides, two) if two.certain or not contents.tables else None


def _repack_sides(
    pictures: ImageCollection, contents: Contents, sides: Sides, map_side: int | None, out: Path, progress: Progress | None
) -> tuple[tuple[Skipped, ...], tuple[str, ...]]:
    """Raises: DataError: no picture can be read."""
    names = rename_members(contents.members)
    at = {name: i for i, name in enumerate(pictures.names)}
    groups = [[at[name] for name in side] for keys in (sides.train, sides.test) if keys for side in keys]
    groups.append(sorted(set(range(len(names))) - {i for group in groups for i in group}))  # beside the two sides
    skipped = [*pictures.skipped, *contents.skipped]
    skipped += [Skipped(printable(name), "not used: the pictures have two sides") for name in contents.tables]
    unread: list[Skipped] = []
    warnings: list[str] = []
    with disk_errors(f"cannot write {out}"), zipfile.ZipFile(out, "x", zipfile.ZIP_STORED) as target:
        if contents.legend:
            target.writestr(LEGEND, write_legend(contents.legend))
        for k, group in enumerate(groups):
            side = as_bytes(pictures.pick(group))
            encode = _encode_map if map_side is not None and k < len(groups) - 1 and k % 2 == map_side else _encode_side
            unread += _write(side, [names[i] for i in group], encode, target, progress)
            warnings += side.warnings
    if len(unread) == len(names):
        raise no_readable_image(unread)
    return (*skipped, *unread), tuple(dict.fromkeys(warnings))


def _copy(pictures: ImageCollection, target: zipfile.ZipFile, prefix: str, progress: Progress | None) -> list[Skipped]:
    """Raises: DataError: none can be read."""
    folders = safe_names(pictures.classes)
    names = [
        f"{prefix}{'' if pictures.labels is None else f'{folders[pictures.labels[i]]}/'}{i:06d}.png"
        for i in range(len(pictures.names))
    ]
    encode = _encode_halves if are_side_by_side(pictures) else _encode_picture
    skipped = _write(pictures, names, encode, target, progress)
    if len(skipped) == len(names):
        raise no_readable_image(skipped)
    return skipped


def _write(
    pictures: ImageCollection,
    names: Sequence[str | None],
    encode: Callable[[ImageCollection, int], bytes],
    target: zipfile.ZipFile,
    progress: Progress | None,
) -> list[Skipped]:
    """Write each picture under its new name; returns those that cannot be read. None: it has no name that can be used."""
    skipped: list[Skipped] = []
    total = len(names)
    for i, data in map_images(lambda i: encode(pictures, i), total):
        if not isinstance(data, str) and (name := names[i]) is not None:
            target.writestr(name, data)
        else:
            skipped.append(Skipped(pictures.names[i], data if isinstance(data, str) else "its name is too long"))
        if progress and ((i + 1) % 256 == 0 or i + 1 == total):
            progress(i + 1, total)
    return skipped


def _encode_picture(pictures: ImageCollection, i: int) -> bytes:
    return copy_picture(pictures.read(i, SIDE))


def _encode_halves(pictures: ImageCollection, i: int) -> bytes:
    header = pictures.peek(i)
    whole = header.width * header.height <= MOST_WHOLE  # a larger one is averaged while it is read, which mixes colors
    return copy_halves(pictures.read(i, header.height if whole else SIDE))


def _encode_side(pictures: ImageCollection, i: int) -> bytes:
    """A picture of a side that may have label maps under any name."""
    with _open(pictures, i) as file:
        kept = copy_if_few_colors(file)
    return kept or _encode_picture(pictures, i)


def _encode_map(pictures: ImageCollection, i: int) -> bytes:
    with _open(pictures, i) as file:
        return copy_map(file)


def _open(pictures: ImageCollection, i: int) -> IO[bytes]:
    if pictures.open is None:
        raise UnreadableError("expected a file in the zip")
    return pictures.open(i)


def safe_names(classes: Sequence[str]) -> list[str]:
    """Names of classes or clips -> safe folder names in a zip, in the same order: all different, none with a path."""
    names: dict[str, None] = {}  # in their order
    for name in classes:
        plain = re.sub(r"[/\\:\x00-\x1f]", "_", name)[:100].strip(" .") or "class"
        plain = f"_{plain}" if plain.startswith("__MACOSX") else plain
        count = 2
        unique = plain
        while unique in names:
            unique, count = f"{plain} ({count})", count + 1
        names[unique] = None
    return list(names)
