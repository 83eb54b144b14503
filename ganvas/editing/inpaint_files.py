"""Fill the hole in a picture file by a mask file: with a model that inpaints, or by inversion with one that samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy.typing as npt

from ganvas.core.capabilities import Inpaints, Samples
from ganvas.data.images import UnreadableError, silence_pillow
from ganvas.data.input_files import open_input, require_other
from ganvas.data.source_names import find_path
from ganvas.data.whole_picture import WholePicture, read_picture
from ganvas.editing.hole_inversion import fill_by_inversion
from ganvas.errors import DataError, UsageError
from ganvas.inference.holes import Hole, describe_hole, mark_hole, read_hole, require_hole
from ganvas.inference.loaded_game import Label, LoadedGame
from ganvas.inference.output_names import PICTURE_ENDINGS, find_free, open_folder
from ganvas.inference.picture_inpainting import inpaint_one
from ganvas.inference.tiles import Progress
from ganvas.latents.seed_latents import SEEDS
from ganvas.media.image_files import encode_picture
from ganvas.utils.files import require_writable, write_durably
from ganvas.utils.parsing import printable, require_count

LOSSLESS = ".png"


@dataclass(frozen=True)
class Inpainted:
    """What was written."""

    out: Path
    preview: Path | None
    about: str  # how much was filled
    error: float | None  # of an inversion: see `hole_inversion.Filled`
    notes: tuple[str, ...]
    stopped: bool = False  # an inversion, by Ctrl-C: this is the best until then

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        preview = None if self.preview is None else str(self.preview)
        facts: dict[str, Any] = {"out": str(self.out), "preview": preview, "filled": self.about, "notes": list(self.notes)}
        facts["stopped"] = self.stopped
        return facts if self.error is None else {**facts, "error": round(self.error, 3)}


def inpaint_file(
    model: LoadedGame,
    picture: str | Path,
    mask: str | Path,
    out: str | Path | None = None,
    *,
    preview: str | Path | None = None,
    label: Label = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Inpainted:
    """Fill what is white in `mask`, a picture of the same size; the other pixels keep their bits in a PNG.

    The result becomes `out`, by default NAME-inpainted.png in this folder. `preview`: a PNG of the picture with the hole
    marked. `label`: the classes that a search tries, of a model that samples. `seed`: of the noise, or of the search.

    Raises:
        UsageError: the model does neither; a mask that does not fit, or has no hole; `out` does not fit.
        DataError: a file cannot be read.
        ResourceError: a file cannot be written.
    """
    game = model.game
    if not isinstance(game, (Inpaints, Samples)):
        raise UsageError(f"{model.name} fills no holes; choose a model of an inpaint-... recipe, or one that samples pictures")
    if label is not None and isinstance(game, Inpaints):
        raise UsageError(f"{model.name} has no classes; leave --label out")
    require_count("seed", seed, 0, SEEDS - 1)
    given, marked = _read(picture), _read(mask)
    if any("16 bits" in note for note in given.notes):
        raise DataError(
            f"{printable(picture)}: colors of 16 bits; expected 8, so that pixels outside the hole keep their bits; convert it"
        )
    hole = read_hole(marked.values)
    require_hole(hole, given.values.shape[:2], str(mask), str(picture))
    inputs = {"the picture": picture, "the mask": mask}
    target = _choose_out(Path(picture), out, inputs)
    shown = None
    if preview is not None:
        shown = _check(Path(preview), (LOSSLESS,), {**inputs, "the output": target}, "--preview")
    filled, error, notes, stopped = _fill(model, given, hole, label, seed, progress)
    if target.suffix.lower() != LOSSLESS:
        notes = (*notes, f"{target.suffix} changes all pixels a little; a .png keeps those outside the hole")
    text = model.provenance(str(seed)) | {"direction": "inpainted"}
    if shown is not None:
        write_durably(shown, encode_picture(mark_hole(given.values, hole), LOSSLESS, {}, None))
    write_durably(target, encode_picture(filled, target.suffix.lower(), text, given.profile))
    return Inpainted(target, shown, describe_hole(hole), error, (*given.notes, *notes), stopped)


def _fill(
    model: LoadedGame, given: WholePicture, hole: Hole, label: Label, seed: int, progress: Progress | None
) -> tuple[npt.NDArray[Any], float | None, tuple[str, ...], bool]:
    if isinstance(model.game, Inpaints):
        return inpaint_one(model.game, given.values, hole, seed=seed, progress=progress), None, (), False
    found = fill_by_inversion(model, given.values, hole, label=label, seed=seed)
    return found.picture, found.error, found.notes, found.stopped


def _read(path: str | Path) -> WholePicture:
    try:
        with silence_pillow(), open_input(find_path(str(path))) as stream:
            return read_picture(stream)
    except UnreadableError as error:
        raise DataError(f"{printable(path)}: {error}") from None


def _choose_out(picture: Path, out: str | Path | None, inputs: Mapping[str, str | Path]) -> Path:
    """The file to write. Raises: UsageError, ResourceError: it does not fit."""
    folder = open_folder(out)
    named = Path(out or "") if folder is None else find_free(folder / f"{picture.stem[:100]}-inpainted.png")
    return _check(named, PICTURE_ENDINGS, inputs, "--out")


def _check(path: Path, endings: tuple[str, ...], others: Mapping[str, str | Path], option: str) -> Path:
    if path.suffix.lower() not in endings:
        raise UsageError(f"cannot write a picture to {printable(path.name)!r}: expected a name ending in {', '.join(endings)}")
    require_other(path, others, option)
    require_writable(path)
    return path
