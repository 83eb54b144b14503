"""The names of data sources: those that are built in, and paths."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ganvas.data.builtin.point_sets import POINTS
from ganvas.data.computed_domains import split_name
from ganvas.data.readers import text_lines
from ganvas.errors import DataError, UsageError
from ganvas.utils.parsing import compose, printable

TEXTS = (*text_lines.SHA256, "oracle")  # built-in sources of text
PICTURE_PAIRS = ("emoji-shading", "emoji-styles", "earth")  # built-in sources of pairs
CLIP_SETS = ("emoji-clips", "puppets", "puppets-turning")  # built-in sources of clips
BUILT_IN = ("mnist", "fashion", "stacked", "shapes", *PICTURE_PAIRS, *CLIP_SETS, *TEXTS, *POINTS)


@contextmanager
def naming(source: str) -> Iterator[None]:
    """Errors inside have the path in front, if they do not name it yet."""
    try:
        yield
    except DataError as error:
        path = find_path(split_name(source)[1])
        known = any(printable(each) in str(error) for each in (source, path))
        if known or source in BUILT_IN or not os.path.lexists(path):
            raise
        raise DataError(f"{printable(source)}: {error}") from None


def doubt_name(source: str) -> tuple[str, ...]:
    """A sentence if a built-in name is also that of a file or a folder here."""
    inner = split_name(source)[1]
    if inner not in BUILT_IN or not os.path.lexists(inner):
        return ()
    return (
        f"{source} is the built-in source; write {source.removesuffix(inner)}./{inner} for the path {inner} in this folder",
    )


def split_two(source: str) -> tuple[str, str] | None:
    """The two paths of `A::B`; None for every other source, also for a path with such a name."""
    first, mark, second = source.partition("::")
    return (first, second) if mark and first and second and not os.path.lexists(find_path(source)) else None


def is_here(source: str) -> bool:
    """Whether a source is built in, or its path, or both its paths, exist on this machine."""
    if two := split_two(source):
        return all(map(is_here, two))
    inner = split_name(source)[1]
    return inner in BUILT_IN or find_path(inner).exists()


def is_inside(path: Path, source: str) -> bool:
    """Whether a path is in a folder of this source: a picture that is written there becomes data."""
    inner = [split_name(each)[1] for each in split_two(source) or (source,)]
    folders = [find_path(each) for each in inner if each and each not in BUILT_IN]
    return any(folder.is_dir() and path.resolve().is_relative_to(folder.resolve()) for folder in folders)


def require_outside(out: Path, source: str) -> None:
    """Raises: UsageError: `out` is in a folder of this source, of which it would become a part."""
    if is_inside(out, source):
        raise UsageError(f"{printable(out)} is inside the data {printable(source)}; choose another --out")


def absolute_source(source: str) -> str:
    """A path as an absolute path, valid in every working folder; names and paths that do not exist do not change."""
    if two := split_two(source):
        return "::".join(map(absolute_source, two))
    change, inner = split_name(source)
    if change:
        return f"{change}:{absolute_source(inner)}"
    path = find_path(source)
    return source if not source or source in BUILT_IN or not os.path.lexists(path) else str(path.absolute())


def shorten_path(source: str) -> str:
    """An absolute path without its parent folders: `photos` for `/home/me/photos`. Names and relative paths do not change."""
    if two := split_two(source):
        return "::".join(map(shorten_path, two))
    change, inner = split_name(source)
    if change:
        return f"{change}:{shorten_path(inner)}"
    return Path(source).name if Path(source).is_absolute() else source


def is_text(source: str) -> bool:
    """Whether a name or a path is a source of text."""
    return source in TEXTS or (source not in BUILT_IN and Path(source).suffix.lower() in text_lines.ENDINGS)


def text_file(source: str) -> Path:
    """The path of a text file. Raises: DataError: no such file."""
    path = find_path(source)
    if not path.is_file():
        raise DataError(f"{printable(source)}: no such file; check the path")
    return path


def find_path(source: str) -> Path:
    """The path that `source` spells; one in another Unicode form if there is no other, as on disks written by macOS."""
    path = Path(source)
    with suppress(RuntimeError):  # "~stranger" stays as it is
        path = path.expanduser()
    if source.isascii() or os.path.lexists(path):
        return path
    found = Path(path.anchor)
    for part in path.relative_to(path.anchor).parts:
        if not os.path.lexists(found / part):
            with suppress(OSError):
                names = sorted(entry.name for entry in found.iterdir())
                part = next((name for name in names if compose(name) == compose(part)), part)
        found /= part
    return found if os.path.lexists(found) else path
