"""Name the class of pictures of files, with a classifier or a conditional VAE."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganvas.core.capabilities import Classifies
from ganvas.core.modality import IMAGES
from ganvas.data.open import open_source
from ganvas.data.table import Skipped
from ganvas.errors import DataError, UsageError
from ganvas.inference.aligned_inputs import LOOKED_AT, read_aligned
from ganvas.inference.alignment import Ground
from ganvas.inference.batches import class_shares
from ganvas.inference.loaded_game import LoadedGame


@dataclass(frozen=True)
class Classified:
    """The names of pictures, P(class | picture) [N, classes], the classes, and what was done to each first, or why nothing.

    `doubts`: a sentence if they could not be aligned with the data, because these are not here.
    """

    names: tuple[str, ...]
    shares: Tensor
    classes: tuple[str, ...]
    aligned: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    doubts: tuple[str, ...] = ()

    def rank(self, number: int) -> list[tuple[str, float]]:
        """The classes of a picture and their probabilities, the likeliest first."""
        shares = self.shares[number]
        return [(self.classes[int(k)], float(shares[k])) for k in shares.argsort(descending=True, stable=True)]

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        rows = []
        for i, (name, aligned) in enumerate(zip(self.names, self.aligned, strict=True)):
            shares = {one: round(float(p), 6) for one, p in zip(self.classes, self.shares[i], strict=True)}
            rows.append({"name": name, "class": self.rank(i)[0][0], "probabilities": shares, "aligned": aligned})
        return {"pictures": rows, "skipped": [each._asdict() for each in self.skipped]}


def classify_files(model: LoadedGame, inputs: Sequence[str | Path], *, align: bool = True) -> Classified:
    """The classes of all pictures in `inputs` (files, folders, zips), each made square and small as the training data were.

    `align` first makes them as the data were (`alignment.py`), if these are on this machine.

    Raises:
        UsageError: the model names no classes, or those of other things than pictures.
        DataError: no picture can be read.
    """
    if not isinstance(model.game, Classifies):
        raise UsageError(f"{model.name} does not classify; choose a model of a classifier-... or vae-...-conditional recipe")
    if model.modality is not IMAGES:
        raise UsageError(f"{model.name} classifies {model.modality.name}, not pictures; use Model.classify in Python")
    ground, doubts = _find_ground(model) if align else (None, ())
    read = read_aligned(model, inputs, ground)
    shares = class_shares(model.game, read.pictures)
    return Classified(tuple(read.names), shares, tuple(model.named_classes), tuple(read.aligned), tuple(read.skipped), doubts)


def _find_ground(model: LoadedGame) -> tuple[Ground | None, tuple[str, ...]]:
    """How the data of the model were placed; None: they have no plain ground, or are not here, as a sentence says."""
    try:
        config = model.data_config(model.data_source(None, "--data"))
        source = open_source(config, resolution=model.shape[-1], channels=model.shape[0])
    except DataError:  # such as: a bundle from another machine
        what = "pictures are not made light on dark, or dark on light, and placed as in the data of this model"
        return None, (f"{what}: these are not on this machine",)
    rows = torch.randperm(len(source), generator=torch.Generator().manual_seed(0))[:LOOKED_AT]
    return Ground.of_samples(source.samples(rows)["real"]), ()
