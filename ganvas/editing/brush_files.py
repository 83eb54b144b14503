"""Paint on a sample, or on the picture of a code, and write the nearest picture that the model makes (arXiv:1609.03552)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ganvas.data.images import UnreadableError, silence_pillow
from ganvas.data.input_files import open_input, require_other
from ganvas.data.source_names import find_path
from ganvas.data.whole_picture import read_picture
from ganvas.editing.edits import Editor
from ganvas.errors import DataError, UsageError
from ganvas.inference.codes import NAME, Codes, name_places
from ganvas.inference.loaded_game import Label
from ganvas.inference.model import Model
from ganvas.media.grid import legible_scale, make_grid
from ganvas.media.image_files import PICTURES, encode_png, save_picture
from ganvas.media.picture_folder import make_new_folder, require_new_folder
from ganvas.utils.files import disk_errors, require_writable, write_new
from ganvas.utils.parsing import printable

PICTURE, SHEET = "picture.png", "sheet.png"
LEVELS, CLEAR, CHOICES = 127.5, 0.5, 4  # levels in one unit; coverage from which a pixel counts as painted; channels with alpha


@dataclass(frozen=True)
class Brushed:
    """What was written, and how far the painted pixels are from the paint, before and after, in levels of 255."""

    out: Path
    before: float
    after: float
    painted: int  # pixels of the model's picture
    stopped: bool = False  # by Ctrl-C: this is the best until then

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        errors = {"before": round(self.before, 2), "after": round(self.after, 2)}
        return {"out": str(self.out), **errors, "painted": self.painted, "stopped": self.stopped}


def brush_file(model: Model, place: int | Codes, strokes: str | Path, out: str | Path, *, label: Label = None) -> Brushed:
    """Change a sample, or the picture of one code, so that it comes near to what is painted in the file `strokes`.

    That file is a square picture with transparency: its colors where something is painted, transparent elsewhere; there the
    picture changes little. `out` .png or .jpg is the picture in the end; a name without an ending is a new folder for it, for
    codes.npz, and for a sheet: before, with the paint, after. `label`: the class of a seed, by default the first. Ctrl-C keeps
    the best so far.

    Raises:
        UsageError: the model makes no pictures from noise, no such class, or not one code; `out` is of another kind, or the
            strokes.
        DataError: the strokes cannot be read, are not square, or nothing is painted, or everything.
        ResourceError: the file cannot be written.
    """
    target, ending = Path(out), Path(out).suffix.lower()
    if ending and ending not in PICTURES:
        expected = f"expected a name ending in {', '.join(PICTURES)}, or none for a folder"
        raise UsageError(f"cannot write a picture to {printable(target.name)!r}: {expected}")
    if not ending:
        require_new_folder(target)
    require_other(target, {"the picture of the strokes": strokes})
    require_writable(target)
    editor = Editor(model)
    if isinstance(place, Codes):
        if len(place) != 1:
            raise UsageError(f"brush: expected one code, got {len(place)}; name one, as in codes.npz#{place.names[0]}")
        if label is not None:
            raise UsageError("brush: a code has its class; leave --label out")
        start, classes = editor.of_codes(place), place.classes
    else:
        chosen = model.choose_classes(label)[:1]
        start, classes = editor.of_seed(place, *chosen), torch.tensor(chosen) if chosen else None
    color, covered = read_strokes(strokes, model)
    step, stopped = editor.brush(start, color, covered)
    end = editor.apply(start, step)
    before, after = editor.draw([start, end]).clamp(-1, 1)
    painted = covered > CLEAR

    def far(picture: Tensor) -> float:
        return LEVELS * float((picture - color).square().mean(0)[painted].mean().sqrt())

    text = model.provenance(name_places(place if isinstance(place, Codes) else [place])) | {"edited": "brush"}
    if ending:
        save_picture(target, make_grid(after[None], 1, 1, 0), text)
    else:
        shown = torch.stack([before, torch.lerp(before, color, covered), after])
        sheet = make_grid(shown, 3, legible_scale(shown.shape[-1]))
        with make_new_folder(target) as folder:
            Codes("w+" if editor.styles else "z", end.code[None], classes, (target.name,), model.identity).save(folder / NAME)
            with disk_errors(f"cannot write {printable(target)}"):
                write_new(folder / PICTURE, encode_png(make_grid(after[None], 1, 1, 0), text))
                write_new(folder / SHEET, encode_png(sheet, text))
    return Brushed(target, far(before), far(after), int(painted.sum()), stopped)


def read_strokes(path: str | Path, model: Model) -> tuple[Tensor, Tensor]:
    """The colors [C, H, W] in [-1, 1] of the strokes in a file, and how much of each pixel they cover [H, W], 0 to 1.

    Raises:
        DataError: it cannot be read, or is no such picture.
    """
    what, (channels, _, side) = printable(path), model.shape
    try:
        with silence_pillow(), open_input(find_path(str(path))) as stream:
            values = read_picture(stream).values
    except UnreadableError as error:
        raise DataError(f"{what}: {error}") from None
    height, width, found = values.shape
    if values.dtype != np.uint8:
        values = (values // 257).astype(np.uint8)
    if found not in (2, CHOICES):
        advice = "paint on an empty layer, and save it as PNG with transparency"
        raise DataError(f"{what}: expected a picture that is transparent where nothing is painted, found none; {advice}")
    if height != width:
        raise DataError(f"{what}: expected a square picture, as those of the model are, got {width} x {height}; cut it")
    image = Image.fromarray(values, "LA" if found == 2 else "RGBA").convert("RGBA")
    # Colors times their alpha, so that those of transparent pixels, which nobody sees, do not get into the others.
    small = image.convert("RGBa").resize((side, side), Image.Resampling.BOX).convert("RGBA")
    if channels == 1:
        small = small.convert("LA")
    pixels = torch.from_numpy(np.array(small)).permute(2, 0, 1).float()
    color, covered = pixels[:-1] / LEVELS - 1, pixels[-1] / (2 * LEVELS)
    if not bool((covered > CLEAR).any()) or bool((covered > CLEAR).all()):
        found_words = "everything" if bool(covered.min() > CLEAR) else "nothing"
        raise DataError(f"{what}: expected some pixels painted and the others transparent, found {found_words} painted")
    return color, covered
