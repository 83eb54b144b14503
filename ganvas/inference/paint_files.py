"""Paint a drawn label map: one picture into a file, or several for one map into a folder."""

from __future__ import annotations

from pathlib import Path

from ganvas.data.input_files import require_other
from ganvas.errors import UsageError
from ganvas.inference.drawn_maps import read_map_for
from ganvas.inference.loaded_game import LoadedGame
from ganvas.inference.output_names import OR_FOLDER, PICTURE_ENDINGS, find_free, open_folder
from ganvas.inference.picture_translation import paint_one
from ganvas.latents.seed_latents import SEEDS
from ganvas.media.image_files import encode_picture
from ganvas.media.picture_folder import require_new_folder
from ganvas.utils.files import disk_errors, make_folder, require_writable, write_durably
from ganvas.utils.parsing import printable, require_count

MOST = 10_000  # pictures of one map
LARGER = 2  # times the side of the training: the side of a picture, if the user names none


def paint_file(
    model: LoadedGame,
    drawn: str | Path,
    out: str | Path | None = None,
    *,
    seed: int = 0,
    count: int = 1,
    side: int | None = None,
) -> tuple[Path, ...]:
    """Paint the map in the file `drawn` with the noise of the seeds seed .. seed + count - 1; returns the files.

    One picture becomes `out`, by default NAME-painted.png in this folder; several become PNG files in a new folder, named by
    their seeds. `side`: pixels of the longer side; None: twice the side of the training.

    Raises:
        UsageError: the model does not paint maps, or `out` has another ending, is the map itself, or a folder with files.
        DataError: the map cannot be read, or has other colors than the classes.
        ResourceError: a file cannot be written.
    """
    require_count("count", count, 1, MOST)
    require_count("seed", seed, 0, SEEDS - count)
    ids, stem = read_map_for(model, drawn), Path(drawn).stem[:100]
    target = _choose_out(stem, out, Path(drawn), count)
    trained = getattr(model.game.config, "resolution", None)
    side = side if side is not None or not trained else LARGER * int(trained)
    if count > 1:
        with disk_errors(f"cannot write {printable(target)}"):
            make_folder(target)
    else:
        require_writable(target)
    written, digits = [], len(str(seed + count - 1))  # numbers of one length, so that the files sort by their seeds
    for number in range(seed, seed + count):
        picture = paint_one(model, ids, seed=number, side=side)
        path = target / f"{stem}-seed{number:0{digits}}.png" if count > 1 else target
        write_durably(
            path, encode_picture(picture, path.suffix.lower(), model.provenance(str(number)) | {"direction": "painted"})
        )
        written.append(path)
    return tuple(written)


def _choose_out(stem: str, out: str | Path | None, drawn: Path, count: int) -> Path:
    named = Path(out or "")
    if count > 1:
        target = named if out is not None else find_free(Path(f"{stem}-painted"))
        require_new_folder(target)
        return target
    if (folder := open_folder(out)) is not None:
        return find_free(folder / f"{stem}-painted.png")
    if named.suffix.lower() not in PICTURE_ENDINGS:
        expected = f"expected a name ending in {', '.join(PICTURE_ENDINGS)}, {OR_FOLDER}"
        raise UsageError(f"cannot write a picture to {printable(named.name)!r}: {expected}")
    require_other(named, {"the map": drawn})
    return named
