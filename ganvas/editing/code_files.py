"""Save the pictures of codes, as `Model.save` saves samples of seeds: a sheet, an archive, or a folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ganvas.errors import UsageError
from ganvas.inference.code_pictures import draw_codes
from ganvas.inference.codes import Codes, list_names, name_places
from ganvas.inference.loaded_game import Label
from ganvas.inference.model import Model
from ganvas.inference.sample_files import is_folder, name_files, require_folder_of_pictures
from ganvas.inference.shown_model import MOST_SHOWN
from ganvas.media.grid import make_grid
from ganvas.media.image_files import PICTURES, save_picture
from ganvas.media.npz import save_npz, to_arrays
from ganvas.media.picture_folder import NamedPicture, save_pictures
from ganvas.utils.parsing import printable, require_count


def save_codes(
    model: Model, out: str | Path, codes: Codes, *, label: Label = None, columns: int | None = None, psi: float = 1.0
) -> Path:
    """The pictures of codes into a file: .png, .jpg and .npz as of `Model.save`; a name without an ending is a folder.

    In the folder each PNG is named as its code. `label` and `psi` as of `code_pictures.draw_codes`.

    Raises:
        UsageError: another kind of file, a folder with something in it, or a label or psi that the model does not take.
        ResourceError: it cannot be written.
    """
    target, ending = Path(out), Path(out).suffix.lower()
    if columns is not None:
        require_count("columns", columns, 1, MOST_SHOWN)
    if is_folder(out):
        require_folder_of_pictures(target, model.modality)
    elif ending not in (*PICTURES, ".npz"):
        known = f"{', '.join((*PICTURES, '.npz'))}, or none for a folder"
        raise UsageError(f"cannot write pictures of codes to {printable(target.name)!r}: expected a name ending in {known}")
    pictures, c = draw_codes(model, codes, label=label, psi=psi)
    names = list_names(codes)
    if is_folder(out):
        labels = [None] * len(codes) if c is None else [model.classes[int(k)] for k in c]
        rows = zip(name_files(names), names, pictures, labels, strict=True)
        return save_pictures(
            target,
            (
                NamedPicture(file, make_grid(picture[None], 1, 1, 0), name, of, model.provenance(name))
                for file, name, picture, of in rows
            ),
        )
    if ending == ".npz":
        save_npz(target, len(codes), [to_arrays(pictures, c)], {"classes": np.array(model.classes)} if model.classes else {})
        return target
    square = max(1, round(len(codes) ** 0.5))
    save_picture(target, model.file_picture(pictures, columns or square), model.provenance(name_places(codes)))
    return target
