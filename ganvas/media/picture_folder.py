"""Pictures as one file each in a new folder, with labels.csv beside them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from ganvas.errors import UsageError
from ganvas.media.film_stream import CONTAINERS
from ganvas.media.image_files import Picture, encode_png
from ganvas.utils.files import disk_errors, fsync_dir, publish, remove_tree, temporary_path, write_new
from ganvas.utils.parsing import printable

TABLE = "labels.csv"
FILE_ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".gif", *CONTAINERS)  # of pictures and films: no folder is meant


class NamedPicture(NamedTuple):
    """A picture to be written, its file name without the ending, and what its file says about it."""

    name: str
    picture: Picture
    seed: int | str  # or what its code is called
    label: str | None  # the name of its class
    text: Mapping[str, str]


def require_new_folder(path: Path) -> None:
    """Raises: UsageError: `path` is, or is called like, one file; or there is something that the new folder would replace."""
    ending = path.suffix.lower()
    if ending in FILE_ENDINGS and not path.exists():
        raise UsageError(f"{printable(path)}: expected a folder for several files; choose a name without {ending}")
    if path.exists() and not path.is_dir():
        raise UsageError(f"{printable(path)}: expected a new or an empty folder, found a file; choose another one")
    if path.is_dir() and any(path.iterdir()):
        raise UsageError(f"{printable(path)}: expected a new or an empty folder, found files in it; choose another one")


def require_own_files(folder: Path, mark: str, names: Sequence[str]) -> None:
    """Check that files of these names may be replaced in `folder`: `mark`, which is written before them, is beside them.

    Raises:
        UsageError: there is such a file, and no `mark`: it is another's.
    """
    for name in names:
        if (folder / name).exists() and not (folder / mark).exists():
            raise UsageError(f"{printable(folder / name)}: found a file that would be replaced; choose another --out")


@contextmanager
def make_new_folder(path: Path) -> Iterator[Path]:
    """A folder to write into, which becomes `path` at the end of the block: it is complete or does not exist.

    Raises:
        UsageError: there is such a folder, with something in it.
        ResourceError: it cannot be written.
    """
    require_new_folder(path)
    temporary, doing = temporary_path(path.parent), f"cannot write {printable(path)}"
    try:
        with disk_errors(doing):
            temporary.mkdir()
        yield temporary
        with disk_errors(doing):
            fsync_dir(temporary)
            publish(temporary, path)
    finally:
        if temporary.exists():
            with suppress(OSError):
                remove_tree(temporary)


def save_pictures(path: Path, pictures: Iterable[NamedPicture]) -> Path:
    """Write pictures as PNG files into the new folder `path`, and, if they have classes, a labels.csv: file, seed, label.

    Raises: as `make_new_folder`.
    """
    rows: list[tuple[str, int | str, str]] = []
    with make_new_folder(path) as folder:
        for each in pictures:
            data, file = encode_png(each.picture, each.text), f"{each.name}.png"
            with disk_errors(f"cannot write {printable(path)}"):
                (folder / file).write_bytes(data)
            if each.label is not None:
                rows.append((file, each.seed, each.label))
        if rows:
            table = io.StringIO(newline="")
            csv.writer(table, lineterminator="\n").writerows([("file", "seed", "label"), *rows])
            with disk_errors(f"cannot write {printable(path)}"):
                write_new(folder / TABLE, table.getvalue().encode())
    return path
