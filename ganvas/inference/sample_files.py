"""Samples of a model as files: one file a sample."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganvas.core.modality import POINTS, TEXT
from ganvas.data.sanitize_zip import safe_names
from ganvas.errors import UsageError
from ganvas.inference.batches import as_pictures
from ganvas.media.grid import make_grid
from ganvas.media.picture_folder import NamedPicture, require_new_folder, save_pictures
from ganvas.utils.parsing import printable

if TYPE_CHECKING:
    from ganvas.inference.model import Model


def is_folder(out: str | Path) -> bool:
    """Whether samples go into a folder: a name that ends in "/", has no ending, or is that of a folder."""
    return str(out).endswith(("/", "\\")) or not Path(out).suffix or Path(out).is_dir()


def save_folder(model: Model, out: Path, n: int, seed: int, **options: Any) -> Path:
    """n samples as PNG files in the new folder `out`, named by seed and class, with labels.csv; options as of `Model.stream`.

    Raises:
        UsageError: the samples are no pictures, or the folder has something in it.
        ResourceError: it cannot be written.
    """
    if model.modality in (POINTS, TEXT):
        ending = ".txt" if model.modality is TEXT else ".npz"
        expected = f"expected pictures for a folder, and this model makes {model.modality.name}"
        raise UsageError(f"{printable(out)}: {expected}; choose a name ending in {ending}")
    require_new_folder(out)
    return save_pictures(out, _list_pictures(model, n, seed, options))


def _list_pictures(model: Model, n: int, seed: int, options: dict[str, Any]) -> Iterator[NamedPicture]:
    classes, share = model.classes, model.together(options.get("label"))
    files = safe_names(classes)
    done = 0
    for part, c in model.stream(n, seed, **options):
        for i in range(len(part)):
            of, number = seed + done // share, None if c is None else int(c[i])
            name = f"{of:05d}" if number is None else f"{of:05d}-{files[number]}"
            label = None if number is None else classes[number]
            yield NamedPicture(name, make_grid(as_pictures(part[i : i + 1]), 1, 1, 0), of, label, model.provenance(str(of)))
            done += 1
