"""Drag and write: the picture, the film of how it came about, or a folder with both and a sheet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ganvas.data.images import decode, fit_to_side, silence_pillow
from ganvas.data.input_files import require_other
from ganvas.data.levels import Span, choose_levels
from ganvas.editing.drag import REASONS, STEPS, Drag, Point, Watch, drag
from ganvas.errors import DataError, UsageError
from ganvas.inference.codes import NAME, Codes, name_places
from ganvas.inference.loaded_game import Label
from ganvas.inference.model import Model
from ganvas.media.grid import arrange_pictures, legible_scale, make_grid
from ganvas.media.image_files import PICTURES, Picture, encode_gif, encode_png, save_picture
from ganvas.media.marks import mark_ways
from ganvas.media.picture_folder import make_new_folder, require_new_folder
from ganvas.media.video import FILMS, save_film
from ganvas.utils.files import disk_errors, open_regular, require_writable, write_new
from ganvas.utils.parsing import printable

PICTURE, SHEET, FILM = "picture.png", "sheet.png", "drag.gif"
FRAMES, HELD, MILLISECONDS = 60, 10, 60  # of a film: at most so many, and the last one stays so long
LARGER = 4  # times a legible size: a picture with marks


@dataclass(frozen=True)
class Dragged:
    """What was written, and the drag."""

    out: Path
    drag: Drag
    notes: tuple[str, ...] = ()  # what was done to the mask

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        one = self.drag
        ends = zip(*(each.tolist() for each in (one.paths[0], one.targets, one.paths[-1])), strict=True)
        handles = [
            {"from": start, "to": target, "end": [round(each, 2) for each in end]}
            | {"distance": round(distance, 2), "distance_by_pixels": round(seen, 2)}
            for (start, target, end), distance, seen in zip(ends, one.distances, one.seen_distances, strict=True)
        ]
        return {
            "out": str(self.out),
            "reason": self.drag.reason,
            "about": REASONS[self.drag.reason],
            "steps": self.drag.steps,
            "handles": handles,
            "notes": list(self.notes),
        }


def drag_file(
    model: Model,
    place: int | Codes,
    handles: Sequence[Point],
    targets: Sequence[Point],
    out: str | Path,
    mask: str | Path | None = None,
    *,
    label: Label = None,
    steps: int = STEPS,
    watch: Watch | None = None,
) -> Dragged:
    """Drag as `drag.drag` does, with a mask from a picture file, and write the result.

    `out` .png or .jpg is the picture in the end, .gif, .apng and .mp4 are the film, in which dots are handles and rings are
    targets. A name without an ending is a new folder for both, and for a sheet of the first and the last picture with marks.

    Raises:
        UsageError: see `drag.drag`; `out` is of another kind, or the mask; the mask is black at a handle, so that nothing can
            move.
        DataError: the mask cannot be read, or is not square.
        ResourceError: the file cannot be written.
    """
    target = Path(out)
    ending = target.suffix.lower()
    if ending and ending not in (*PICTURES, *FILMS):
        expected = f"expected a name ending in {', '.join(dict.fromkeys((*PICTURES, *FILMS)))}, or none for a folder"
        raise UsageError(f"cannot write a drag to {printable(target.name)!r}: {expected}")
    if not ending:
        require_new_folder(target)
    if mask is not None:
        require_other(target, {"the mask": mask})
    require_writable(target)
    values, notes = (None, ()) if mask is None else read_mask(mask, model)
    found = drag(model, place, handles, targets, values, label=label, steps=steps, watch=watch)
    if found.reason == "frozen" and not found.steps:
        raise UsageError(f"{printable(mask)}: it is black at a handle, which then cannot move; make it white there")
    seeds = place if isinstance(place, Codes) else [place]
    text = model.provenance(name_places(seeds)) | _describe(found)
    if not ending:
        _write_folder(target, found, text)
    elif ending in PICTURES:
        save_picture(target, make_grid(found.film[-1:], 1, 1, 0), text)
    else:
        save_film(target, _make_frames(found), MILLISECONDS, text)
    return Dragged(target, found, notes)


def read_mask(path: str | Path, model: Model) -> tuple[npt.NDArray[np.uint8], tuple[str, ...]]:
    """The mask in a picture file, grey at the size of the model's pictures, uint8 [H, W], and a note if it had another.

    Raises:
        DataError: no such file, or no picture that can be read, or one that is not square.
    """
    file, side = Path(path), model.shape[-1]
    if not file.is_file():
        raise DataError(f"{printable(file)}: no such file; check the path of the mask")
    with silence_pillow(), open_regular(file) as opened:
        try:
            values = decode(opened, 2 * side)
        except DataError as error:
            raise DataError(f"{printable(file)}: {error}") from None
    height, width = values.shape[:2]
    if height != width:
        raise DataError(f"{printable(file)}: expected a square mask, as the pictures are, got {width} x {height}; cut it")
    if values.dtype.name != "uint8":
        values = choose_levels(Span.of(values), None).to_bytes(values)
    mask: npt.NDArray[np.uint8] = fit_to_side(values, side, 1, "stretch")[0]
    if (height, width) == (side, side):
        return mask, ()
    how = "got a black border" if np.array_equal(mask[2:-2, 2:-2], values[..., 0]) else "was resized"
    return mask, (f"{printable(file)}: it {how} to have the {side} x {side} pixels of the model's pictures",)


def _describe(found: Drag) -> dict[str, str]:
    ways = zip(found.paths[0].tolist(), found.targets.tolist(), strict=True)
    return {
        "dragged": "; ".join(f"{x:g},{y:g} to {u:g},{v:g}" for (x, y), (u, v) in ways),
        "ended": f"{found.reason}, after {found.steps} steps",
    }


def _write_folder(target: Path, found: Drag, text: dict[str, str]) -> None:
    sheet = arrange_pictures([_mark(found, 0), _mark(found, found.steps)], 2)
    with make_new_folder(target) as folder:
        Codes("w+", found.codes[-1:], found.classes, (target.name,), text["model"]).save(folder / NAME)
        with disk_errors(f"cannot write {printable(target)}"):
            write_new(folder / PICTURE, encode_png(make_grid(found.film[-1:], 1, 1, 0), text))
            write_new(folder / SHEET, encode_png(sheet, text))
            write_new(folder / FILM, encode_gif(_make_frames(found), MILLISECONDS, text))


def _make_frames(found: Drag) -> list[Picture]:
    """At most `FRAMES` frames with marks, evenly spaced in steps, and the last one again and again."""
    count = min(FRAMES, found.steps + 1)
    steps = torch.linspace(0, found.steps, count).round().int().tolist()
    return [_mark(found, step) for step in steps + HELD * steps[-1:]]


def _mark(found: Drag, step: int) -> Picture:
    scale = LARGER * legible_scale(found.film.shape[-1])
    picture = make_grid(found.film[step][None], 1, scale, 0)
    return mark_ways(picture, scale, found.paths[step].tolist(), found.targets.tolist())
