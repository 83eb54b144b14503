"""Where translated files go: names that are new, short enough and different, and never the input itself."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from ganvas.data.images import UnreadableError
from ganvas.data.input_files import InputFile, InputFiles, require_other
from ganvas.data.whole_picture import find_ending
from ganvas.errors import DataError, UsageError
from ganvas.media.film_stream import CONTAINERS
from ganvas.media.picture_folder import require_new_folder
from ganvas.utils.files import disk_errors, make_folder
from ganvas.utils.parsing import printable

PICTURE_ENDINGS = (".png", ".jpg", ".jpeg", ".webp")
MOST_NAME = 240  # bytes of a file name
OR_FOLDER = "or an existing folder; a new folder ends in /"


def is_file(found: InputFiles, target: Path) -> bool:
    """Whether `target` is the file for the only input, and no folder."""
    return found.alone and target.suffix.lower() in (*PICTURE_ENDINGS, ".gif", *CONTAINERS) and not target.is_dir()


def choose_out(found: InputFiles, inputs: Sequence[str | Path], out: str | Path | None, made: str) -> Path:
    """The file or folder to write; `made` is what the user calls the output.

    Raises:
        UsageError: it would replace something, is inside an input, or has an ending that does not fit.
    """
    named, stem = Path(out or ""), Path(inputs[0]).resolve().stem
    tag = re.sub(r"[^\w.-]+", "_", made).strip("._")[:60] or "out"
    if found.alone:
        ending = default_ending(found.files[0])
        if (folder := open_folder(out)) is not None:
            return find_free(folder / f"{shorten(stem, len(tag) + 20)}-{tag}{ending}")
        fits = (*CONTAINERS, ".gif", ".webp", ".png") if found.files[0].is_film else (*PICTURE_ENDINGS, ".gif")
        if named.suffix.lower() not in fits:
            raise UsageError(
                f"cannot write to {printable(named.name)!r}: expected a name ending in {', '.join(fits)}, {OR_FOLDER}"
            )
        require_other(named, {"the input": inputs[0]})
        return named
    target = (
        named
        if out is not None
        else find_free(Path(f"{shorten(stem if len(inputs) == 1 else 'translated', len(tag) + 20)}-{tag}"))
    )
    for path in map(Path, inputs):
        if path.is_dir() and target.resolve().is_relative_to(path.resolve()):
            raise UsageError(f"{printable(target)} is inside the input {printable(path)}; choose another --out")
    require_new_folder(target)
    return target


def open_folder(out: str | Path | None) -> Path | None:
    """The folder for a file whose name is not given: this one, one that exists, or a new one if a slash ends its name.

    None: `out` is the name of the file itself.

    Raises:
        ResourceError: the folder cannot be made.
    """
    folder = Path(out or "")
    if folder.is_dir():
        return folder
    if not str(out).endswith(("/", "\\")):
        return None
    with disk_errors(f"cannot write {printable(folder)}"):
        make_folder(folder)
    return folder


def default_ending(file: InputFile) -> str:
    """Of what is made of a file: an animation stays of its kind. Files that cannot be read have that of a picture."""
    if file.is_film or file.name.lower().endswith(".gif"):
        return ".mp4" if file.is_film else ".gif"
    try:
        with file.open() as stream:
            return find_ending(stream) or ".png"
    except UnreadableError:
        return ".png"


def shorten(stem: str, other: int) -> str:
    """A name that leaves `other` bytes of the longest possible one."""
    while len(stem.encode(errors="surrogateescape")) > MOST_NAME - other:
        stem = stem[:-1]
    return stem


def find_free(path: Path) -> Path:
    """`path`, or with -2, -3, ... before its ending, if there is something."""
    number, free = 1, path
    while free.exists() or free.is_symlink():
        number += 1
        free = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return free


class FolderNames:
    """Names in a new folder for what is made of some files: each only once, also where capitals do not count."""

    def __init__(self, names: Iterable[str] = (), taken: Iterable[str] = ()) -> None:
        self.own = {name.casefold() for name in names}  # a.png stays a.png, though a.jpg comes before it
        self.taken = {name.casefold() for name in taken}

    def choose(self, name: str, ending: str) -> str:
        """The name of the file with this ending; if another file has or gets it, the ending comes after the whole name,
        and a file that has this ending gets a number: a.png, a-2.png.

        Raises:
            DataError: the name is too long.
        """
        path = PurePosixPath(name)
        if any(len(part.encode(errors="surrogateescape")) > MOST_NAME for part in path.parts):
            raise DataError("its name is too long; rename it")
        number, place = 1, path.with_name(f"{path.stem}{ending}")
        while not self._take(place, name):
            number += 1
            if path.suffix == ending:
                place = path.with_name(f"{path.stem}-{number}{ending}")
            else:
                place = path.with_name(f"{path.name}{ending}" if number == 2 else f"{path.name}-{number - 1}{ending}")
        return str(place)

    def choose_beside(self, name: str, tag: str) -> str:
        """A name for a second file made of the one that became `name`: with -tag, or -tag-2, -tag-3, ... before its ending."""
        path, number = PurePosixPath(name), 1
        place = path.with_name(f"{path.stem}-{tag}{path.suffix}")
        while not self._take(place):
            number += 1
            place = path.with_name(f"{path.stem}-{tag}-{number}{path.suffix}")
        return str(place)

    def _take(self, place: PurePosixPath, name: str | None = None) -> bool:
        """Take a name, unless it belongs to another file than the one of this `name`."""
        wanted = str(place).casefold()
        if wanted in self.taken or (wanted in self.own and (name is None or wanted != name.casefold())):
            return False
        self.taken.add(wanted)
        return True
