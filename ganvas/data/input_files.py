"""The pictures and films that a user names: files, folders and zips, in the order of their names, with their subfolders."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ganvas.data.images import SUFFIXES, UnreadableError
from ganvas.data.readers.folder import walk
from ganvas.data.readers.zip_archive import check_bombs, open_archive, open_packed
from ganvas.data.source_names import find_path
from ganvas.data.table import Skipped
from ganvas.errors import DataError, UsageError
from ganvas.media.film_stream import FILM_SUFFIXES
from ganvas.utils.files import open_regular
from ganvas.utils.parsing import printable

ZIP = ".zip"


@dataclass(frozen=True)
class InputFile:
    """One picture or film."""

    name: str  # with "/" between folders: "cats/tom.jpg"
    open: Callable[[], IO[bytes]]  # raises UnreadableError

    @property
    def is_film(self) -> bool:
        """Whether it is a film, by its ending."""
        return self.name.lower().endswith(FILM_SUFFIXES)


@dataclass(frozen=True)
class InputFiles:
    """What was found."""

    files: tuple[InputFile, ...]
    skipped: tuple[Skipped, ...]
    alone: bool  # whether the user named one picture or film, and not a folder or a zip


def find_inputs(inputs: Sequence[str | Path], *, films: bool = True) -> InputFiles:
    """The pictures and films in `inputs`. With several of them, names begin with those of the folders and zips.

    A file that is named itself is taken whatever its ending. In folders and zips the ending decides, and without `films` only
    pictures are taken; hidden files are left out.

    Raises:
        DataError: no such file, a zip that is damaged or hostile, or nothing to read in all of them.
    """
    files: list[InputFile] = []
    skipped: list[Skipped] = []
    several = len(inputs) > 1
    endings = (*SUFFIXES, *FILM_SUFFIXES) if films else SUFFIXES
    for given in inputs:
        path = find_path(str(given))
        if path.is_dir():
            found, others = _list_folder(path, f"{path.resolve().name}/" if several else "", endings)
        elif is_zip(path):
            found, others = _list_zip(path, f"{path.stem}/" if several else "", endings)
        else:
            found, others = [_name_file(path, given)], []
        files += found
        skipped += others
    if not files:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in skipped[:3])
        nothing = "no picture and no film in it" if films else "no picture in it"
        named = ", ".join(printable(each, 80) for each in inputs[:3])
        raise DataError(f"{named}: {nothing}" + f" ({reasons})" * bool(reasons))
    alone = not several and not find_path(str(inputs[0])).is_dir() and find_path(str(inputs[0])).suffix.lower() != ZIP
    return InputFiles(tuple(files), tuple(skipped), alone)


def is_zip(path: Path) -> bool:
    """Whether a path is a zip file, by its ending."""
    return path.suffix.lower() == ZIP and path.is_file()


def list_inside(path: Path) -> tuple[list[InputFile], list[Skipped]]:
    """The pictures and films in a folder or a zip, which may be none, and the other files.

    Raises:
        DataError: a zip that is damaged or hostile.
    """
    list_all = _list_zip if is_zip(path) else _list_folder
    return list_all(path, "", (*SUFFIXES, *FILM_SUFFIXES))


def _name_file(path: Path, given: str | Path) -> InputFile:
    if not path.exists():
        raise DataError(f"{printable(given)}: no such file; check the path")
    return InputFile(path.name, lambda: open_input(path))


def require_other(out: Path, inputs: Mapping[str, str | Path], option: str = "--out") -> None:
    """Check that writing `out` replaces none of the `inputs`, {what it is called: its path}; of a folder none of its files.

    Raises:
        UsageError: it would; the user chooses another `option`.
    """
    for what, given in inputs.items():
        path = find_path(str(given))
        there = out.exists() and path.exists()
        if out.samefile(path) if there else out.resolve() == path.resolve():
            raise UsageError(f"{printable(out)} is {what} itself; choose another {option}")
        if there and path.is_dir() and out.resolve().is_relative_to(path.resolve()):
            raise UsageError(f"{printable(out)} is a file of {what}; choose another {option}")


def open_input(path: Path) -> IO[bytes]:
    """A file to read. Raises: UnreadableError: it is missing, no regular file, or may not be read."""
    try:
        return open_regular(path)
    except FileNotFoundError:
        raise UnreadableError("no such file; check the path") from None
    except OSError as error:
        raise UnreadableError(error.strerror or "cannot be opened") from None
    except DataError:
        raise UnreadableError("is a folder; name one file" if path.is_dir() else "not a regular file") from None


def _list_folder(path: Path, prefix: str, endings: tuple[str, ...]) -> tuple[list[InputFile], list[Skipped]]:
    found, skipped, _ = walk(path)
    names, others = _choose(list(found), endings)

    def opener(name: str) -> Callable[[], IO[bytes]]:
        return lambda: open_input(path / name)

    inputs = [InputFile(prefix + name, opener(name)) for name in names]
    return inputs, [Skipped(printable(prefix) + name, why) for name, why in [*others, *skipped]]


def _list_zip(path: Path, prefix: str, endings: tuple[str, ...]) -> tuple[list[InputFile], list[Skipped]]:
    archive = open_archive(path)
    infos = [info for info in archive.infolist() if not info.is_dir()]
    check_bombs(path, infos)
    by_name = {info.filename: info for info in infos}
    names, others = _choose(list(by_name), endings)

    def opener(name: str) -> Callable[[], IO[bytes]]:
        return lambda: open_packed(archive, by_name[name])

    return [InputFile(prefix + name, opener(name)) for name in names], [
        Skipped(printable(prefix) + name, why) for name, why in others
    ]


def _choose(names: Sequence[str], endings: tuple[str, ...]) -> tuple[list[str], list[Skipped]]:
    """Those of the names that have one of the endings, and the other files, without hidden ones."""
    seen = sorted(name for name in names if not any(part.startswith((".", "__MACOSX")) for part in name.split("/")))
    chosen = [name for name in seen if name.lower().endswith(endings)]
    others = set(seen) - set(chosen)
    kinds = "a picture or a film" if any(each in endings for each in FILM_SUFFIXES) else "a picture"
    return chosen, [Skipped(printable(name), f"not {kinds}, by its ending") for name in sorted(others)]
