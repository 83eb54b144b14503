"""Invert pictures of files: the code of each, its picture beside what was looked for, and the error beside its floor."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import torch
from torch import Tensor

from ganvas.core.game import Game
from ganvas.data.table import Skipped
from ganvas.editing import tuning
from ganvas.editing.code_search import require_images
from ganvas.editing.floors import Floors, find_limit
from ganvas.editing.inversion import Inversion, invert
from ganvas.inference import model_file
from ganvas.inference.aligned_inputs import LOOKED_AT, read_aligned
from ganvas.inference.alignment import Ground
from ganvas.inference.codes import NAME, Codes
from ganvas.inference.loaded_game import Label
from ganvas.inference.model import Model
from ganvas.inference.output_names import FolderNames, find_free, shorten
from ganvas.inference.sample_files import safe_stem
from ganvas.media.grid import legible_scale, make_grid
from ganvas.media.image_files import Picture, encode_gif, encode_png
from ganvas.media.picture_folder import make_new_folder, require_new_folder
from ganvas.runtime.exits import interrupted_before
from ganvas.utils.files import disk_errors, require_writable, write_new
from ganvas.utils.parsing import printable, require_count

SHEET, FILM = "sheet.png", "search.gif"
SHOWN = 20  # pictures in the film, at most
COLUMNS = 10  # of the sheet


@dataclass(frozen=True)
class Inverted:
    """The folder that was written; the names of the pictures, their errors in levels of 255, and their classes if any.

    `own` and `held_out` are what the errors are compared with: the median of the model's own samples and of held-out pictures
    of its data; None: not measured. `aligned` says what was done to a picture first, or why nothing. `untuned` are the errors
    before the generator was tuned; () if it was not. `files` are the names of the pictures in codes.npz, and of their PNG files
    without the ending. `stopped`: Ctrl-C ended the search or the tuning, and these are the best codes until then.
    """

    out: Path
    names: tuple[str, ...]
    errors: tuple[float, ...]
    classes: tuple[str, ...]
    own: float | None
    held_out: float | None
    skipped: tuple[Skipped, ...]
    aligned: tuple[str, ...] = ()
    untuned: tuple[float, ...] = ()
    files: tuple[str, ...] = ()
    stopped: bool = False

    @property
    def far(self) -> tuple[str, ...]:
        """The pictures that the model can hardly make: their errors are far above the floor; () if it was not measured."""
        limit = find_limit(self.own, self.held_out)
        return tuple(name for name, error in zip(self.names, self.errors, strict=True) if error > limit)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        classes = self.classes or (None,) * len(self.names)
        rows: list[dict[str, Any]] = [
            {"name": name, "error": round(error, 3), "aligned": aligned} | ({} if label is None else {"class": label})
            for name, error, label, aligned in zip(self.names, self.errors, classes, self.aligned, strict=True)
        ]
        for row, error in zip(rows, self.untuned, strict=False):
            row["error_before_tuning"] = round(error, 3)
        for row, file in zip(rows, self.files, strict=False):
            row["file"] = f"{file}.png"
        floors = {"own_samples": self.own, "held_out": self.held_out, "far_above": list(self.far)}
        skipped = [each._asdict() for each in self.skipped]
        return {"out": str(self.out), "pictures": rows, **floors, "skipped": skipped, "stopped": self.stopped}


def invert_files(
    model: Model,
    inputs: Sequence[str | Path],
    out: str | Path | None = None,
    *,
    label: Label = None,
    floor: bool = True,
    align: bool = True,
    tune: int = 0,
    tell: Callable[[str], None] = lambda _: None,
    **search: Any,
) -> Inverted:
    """Find the codes of all pictures in `inputs` (files, folders, zips), each made square and small as the training data were.

    `align` first makes them as the data were (`alignment.py`). With `tune` steps a copy of the model is trained around the
    codes (`tuning.py`); the folder then has it too, so that it is a model, for which the codes are.

    The new folder `out` has codes.npz, which the commands of the latent space take in place of seeds; a PNG for each picture,
    of its code; and a sheet, each picture as the model was shown it above that of its code. Without `out` it is NAME-inverted
    in this folder. `floor`: also invert samples of the model and held-out pictures of its data, to compare the errors.
    `tell` gets a line before or after each search.
    `search` as of `inversion.invert`. Ctrl-C writes the best codes so far, if the search has begun.

    Raises:
        UsageError: see `inversion.invert`; `out` is not new.
        DataError: no picture can be read.
        ResourceError: a file cannot be written.
    """
    stem = Path(inputs[0]).resolve().stem if len(inputs) == 1 else "pictures"
    target = find_free(Path(f"{stem[:100]}-inverted")) if out is None else Path(out)
    require_new_folder(target)
    require_writable(target)
    require_images(model)
    if tune:
        require_count("tuning steps", tune, 1, tuning.MOST_STEPS)
    with interrupted_before("the search"):
        ground = Ground.of_samples(torch.cat([part for part, _ in model.stream(LOOKED_AT)])) if align else None
        read = read_aligned(model, inputs, ground)
    names, targets, aligned, skipped = read.names, read.pictures, read.aligned, read.skipped
    parts: list[Inversion] = []
    films: list[list[Tensor]] = []
    stopped = False
    for number, each in enumerate(targets, 1):
        films.append([])
        try:
            with interrupted_before("the search"):
                parts.append(invert(model, each[None], label, watch=films[-1].append, **search))
        except KeyboardInterrupt:  # before the first step: this picture has no code yet
            if not parts:
                raise
            films.pop()
            stopped = True
        stopped = stopped or parts[-1].stopped
        if stopped:
            skipped += [Skipped(name, "stopped before it") for name in names[len(parts) :]]
            break
        if number < len(targets):
            tell(f"{number:,} of {len(targets):,} pictures")
    found, names, targets = replace(_join(parts), stopped=stopped), names[: len(parts)], targets[: len(parts)]
    own, held_out = _measure_floors(model, search, tell) if floor and not stopped else (None, None)
    before: tuple[float, ...] = ()
    tuned: Game | None = None
    if tune and not found.stopped:
        before = tuple(map(float, found.errors))
        tuned, found = tuning.tune(model, found, targets, tune, seed=search.get("seed", 0))
    labels = () if found.classes is None else tuple(model.classes[int(k)] for k in found.classes)
    files = _name_files(names)
    _write(model, target, files, targets, found, films, tuned)
    errors = tuple(map(float, found.errors))
    done = tuple(aligned[: len(names)])
    told = (own, held_out, tuple(skipped), done, before, tuple(files), found.stopped)
    return Inverted(target, tuple(names), errors, labels, *told)


def _name_files(names: Sequence[str]) -> list[str]:
    """A name for what is made of each picture, without .png: all in one folder, and as `ganvas translate` names equal ones."""
    paths = [PurePosixPath(name.replace("/", "-")) for name in names]
    flat = [shorten(safe_stem(path.stem), 50) + re.sub(r"[^\w.]", "-", path.suffix)[:20] for path in paths]
    chosen = FolderNames(flat, (SHEET, Path(NAME).with_suffix(".png").name))
    return [chosen.choose(name, ".png").removesuffix(".png") for name in flat]


def _measure_floors(model: Model, search: dict[str, Any], tell: Callable[[str], None]) -> tuple[float | None, float | None]:
    """The floors as `Floors.measure` has them; Ctrl-C leaves them out, so that the codes are written all the same."""
    try:
        return Floors(model).measure(tell, **search)
    except KeyboardInterrupt:
        return None, None


def _join(parts: Sequence[Inversion]) -> Inversion:
    classes = [part.classes for part in parts if part.classes is not None]
    return Inversion(
        parts[0].space,
        torch.cat([part.codes for part in parts]),
        torch.cat(classes) if classes else None,
        torch.cat([part.pictures for part in parts]),
        torch.cat([part.errors for part in parts]),
        parts[-1].stopped,
    )


def _write(
    model: Model,
    target: Path,
    files: Sequence[str],
    targets: Tensor,
    found: Inversion,
    films: Sequence[Sequence[Tensor]],
    tuned: Game | None,
) -> None:
    text = model.provenance("none: found by inversion") | {"space": found.space}
    columns = min(COLUMNS, len(targets))
    blank = torch.ones(-len(targets) % columns, *targets.shape[1:])  # white, as the sheet
    rows = [torch.cat([x, blank]).unflatten(0, (-1, columns)) for x in (targets, found.pictures)]
    sheet = make_grid(torch.stack(rows, 1).flatten(0, 2), columns, legible_scale(targets.shape[-1]))
    with make_new_folder(target) as folder:
        identity = model.identity
        if tuned is not None:
            card = model.card | {"tuned_from": model.identity, "tuned_to": list(files)}
            model_file.save(folder / model_file.NAME, tuned, card)
            identity = model_file.identify(folder / model_file.NAME)
        Codes(found.space, found.codes, found.classes, tuple(files), identity).save(folder / NAME)
        with disk_errors(f"cannot write {printable(target)}"):
            for name, picture, error in zip(files, found.pictures, found.errors, strict=True):
                about = text | {"picture": name, "error": f"{float(error):.3f} of 255"}
                write_new(folder / f"{name}.png", encode_png(make_grid(picture[None], 1, 1, 0), about))
            if frames := _arrange_film(targets[:SHOWN], films[:SHOWN]):
                write_new(folder / FILM, encode_gif(frames, 120, text))
            write_new(folder / SHEET, encode_png(sheet, text | {"pictures": ", ".join(files)[:2_000]}))


def _arrange_film(targets: Tensor, films: Sequence[Sequence[Tensor]]) -> list[Picture]:
    """A frame for each step: the pictures, each beside the best one so far."""
    length = max(map(len, films))
    scale = legible_scale(targets.shape[-1])
    frames = []
    for step in range(length):
        best = [film[min(step, len(film) - 1)] if film else target for film, target in zip(films, targets, strict=True)]
        both = torch.stack([targets, torch.stack(best)], 1).flatten(0, 1)
        frames.append(make_grid(both, 2 * min(len(targets), COLUMNS // 2), scale, 2))
    return frames
