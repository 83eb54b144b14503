"""Samples of a model as files: one file a sample."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from torch import Tensor

from ganvas.core.modality import POINTS, TEXT, Modality
from ganvas.data.sanitize_zip import safe_names
from ganvas.errors import UsageError
from ganvas.inference.batches import as_pictures
from ganvas.media.grid import make_grid
from ganvas.media.picture_folder import NamedPicture, require_new_folder, save_pictures
from ganvas.utils.parsing import printable


def is_folder(out: str | Path) -> bool:
    """Whether samples go into a folder: a name that ends in "/", has no ending, or is that of a folder."""
    return str(out).endswith(("/", "\\")) or not Path(out).suffix or Path(out).is_dir()


def require_folder_of_pictures(out: Path, modality: Modality) -> None:
    """Raises: UsageError: samples of this kind are no pictures, or the folder has something in it."""
    if modality in (POINTS, TEXT):
        ending = ".txt" if modality is TEXT else ".npz"
        expected = f"expected pictures for a folder, and this model makes {modality.name}"
        raise UsageError(f"{printable(out)}: {expected}; choose a name ending in {ending}")
    require_new_folder(out)


def save_folder(
    out: Path,
    parts: Iterable[tuple[Tensor, Tensor | None]],
    seeds: Iterable[int],
    classes: Sequence[str],
    describe: Callable[[str], Mapping[str, str]],
) -> Path:
    """Samples [k, ...] with their classes [k], a part at a time, as PNG files in the new folder `out`, with labels.csv.

    A file is named by the seed and the class. `describe` gives the metadata of a seed.

    Raises:
        UsageError: the folder has something in it.
        ResourceError: it cannot be written.
    """
    files = safe_names(classes)

    def pictures() -> Iterator[NamedPicture]:
        numbers = iter(seeds)
        for part, c in parts:
            for i in range(len(part)):
                seed, of = next(numbers), None if c is None else int(c[i])
                name = f"{seed:05d}" if of is None else f"{seed:05d}-{files[of]}"
                picture = make_grid(as_pictures(part[i : i + 1]), 1, 1, 0)
                yield NamedPicture(name, picture, seed, None if of is None else classes[of], describe(str(seed)))

    return save_pictures(out, pictures())


def safe_stem(name: str) -> str:
    """A name of a picture as one of a file, without an ending."""
    return printable(re.sub(r"[/\\:]", "-", name), 100).strip(" .") or "picture"


def name_files(names: Sequence[str]) -> list[str]:
    """A file name for each picture, without the ending: its own one, with a number where two are equal."""
    found: list[str] = []
    used: set[str] = set()
    for name in names:
        stem = safe_stem(name)
        free, number = stem, 1
        while free.casefold() in used:
            number += 1
            free = f"{stem}-{number}"
        used.add(free.casefold())
        found.append(free)
    return found
