"""Pictures of files as a model takes them: square and small as its training data, and aligned with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ganvas.data.images import decode, fit_to_side, silence_pillow
from ganvas.data.input_files import InputFile, find_inputs
from ganvas.data.levels import Span, choose_levels
from ganvas.data.table import Skipped
from ganvas.errors import DataError
from ganvas.inference.alignment import LARGEST, Ground
from ganvas.inference.encoding import as_samples
from ganvas.inference.loaded_game import LoadedGame
from ganvas.utils.parsing import printable

LOOKED_AT = 128  # pictures of the data, or samples, that say how the data were aligned


@dataclass(frozen=True)
class AlignedInputs:
    """Pictures [N, C, H, W] in [-1, 1], the names of their files, and what was done to each, or why nothing was."""

    names: list[str]
    pictures: Tensor
    aligned: list[str]
    skipped: list[Skipped]


def read_aligned(model: LoadedGame, inputs: Sequence[str | Path], ground: Ground | None) -> AlignedInputs:
    """All pictures in `inputs` (files, folders, zips); with `ground`, aligned with the data of the model.

    Raises:
        DataError: none of them can be read.
    """
    with silence_pillow():
        found = find_inputs(inputs, films=False)
        names, pictures, aligned, skipped = list[str](), list[Tensor](), list[str](), list(found.skipped)
        for file in found.files:
            try:
                picture, done = _read_one(file, model, ground)
                pictures.append(picture)
                aligned.append(done)
                names.append(file.name)
            except DataError as error:
                if found.alone:
                    raise DataError(f"{printable(inputs[0])}: {error}") from None
                skipped.append(Skipped(printable(file.name), str(error)))
    if not pictures:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in skipped[:3])
        raise DataError(f"none of {len(skipped)} files is a picture that can be read ({reasons})")
    return AlignedInputs(names, torch.cat(pictures), aligned, skipped)


def _read_one(file: InputFile, model: LoadedGame, ground: Ground | None) -> tuple[Tensor, str]:
    channels, _, side = model.shape
    with file.open() as opened:
        values = decode(opened, max(2 * side, LARGEST if ground else 0))
    if values.dtype.name != "uint8":
        values = choose_levels(Span.of(values), model.white).to_bytes(values)
    values, done = ground.align(values.astype(np.uint8), side) if ground else (values, "")
    fit = model.data_config("").fit
    return as_samples(fit_to_side(values, side, channels, fit).transpose(1, 2, 0)[None], model.shape), done
