"""Samples of a model and their nearest training images."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from ganvas.core.capabilities import require_pictures
from ganvas.core.modality import POINTS
from ganvas.data.input_files import require_other
from ganvas.data.open import open_source, shorten_path
from ganvas.errors import UsageError
from ganvas.inference.batches import as_pictures
from ganvas.inference.code_pictures import draw_codes
from ganvas.inference.codes import Codes, list_names, name_places
from ganvas.inference.feature_extractors import load_extractor
from ganvas.inference.loaded_game import Label
from ganvas.inference.model import Model
from ganvas.media.grid import legible_scale, make_grid
from ganvas.media.image_files import png_name, save_png, to_bytes
from ganvas.metrics.nearest_neighbours import k_nearest
from ganvas.utils.parsing import require_count


@dataclass(frozen=True)
class Neighbour:
    """A training image: its row in the training data, its distance, and its class, if it has one."""

    index: int
    distance: float
    label: str | None = None


@dataclass(frozen=True)
class Neighbours:
    """The file of the sheet, and for each seed the nearest training images, the nearest first."""

    out: Path
    within: str
    found: tuple[tuple[int | str, tuple[Neighbour, ...]], ...]  # seed, or name of a code, and its neighbours

    def rows(self) -> list[dict[str, object]]:
        """For JSON."""
        return [{"seed": seed, "nearest": [vars(each) for each in row]} for seed, row in self.found]

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return {"out": str(self.out), "in": self.within, "neighbours": self.rows()}

    def text(self) -> str:
        """A line for each seed."""
        lines = []
        for seed, row in self.found:
            near = ", ".join(f"{n.index}{f' ({n.label})' if n.label else ''} at {n.distance:.4g}" for n in row)
            lines.append(f"{'seed ' if isinstance(seed, int) else ''}{seed}: {near}")
        return "\n".join(lines)


def neighbours(
    model: Model,
    out: str | Path,
    count: int = 8,
    k: int = 4,
    *,
    within: str = "pixels",
    seed: int = 0,
    label: Label = None,
    psi: float = 1.0,
    truncate: float | None = None,
    latents: Codes | None = None,
    data: str | None = None,
) -> Neighbours:
    """Save a sheet with a row for each sample: the sample, then its k nearest images of the training split.

    Distances are Euclidean, `within` pixels (levels 0 to 255) or the features of an extractor, as in `ganvas eval`. `data`
    names another source than that of the training. `latents` are codes in place of
    seeds. Seeds and rows of the data are written into the PNG too.

    Raises:
        UsageError: no such extractor or class, a model of points or text, k beyond the data, or another kind of file.
        DataError: the data is not there.
    """
    out = png_name(out)
    require_count("the number of samples", count, 1, 10_000)
    require_count("k", k, 1, 10_000)
    require_pictures(model.game)
    if model.modality is POINTS:
        raise UsageError("this model generates points; neighbours need images or voxels")
    if data is not None:
        require_other(out, {"the data": data})
    network = None if within == "pixels" else load_extractor(within, model.device)
    config = replace(model.data_config(model.data_source(data, "--data")), white=model.white)
    source = open_source(config, resolution=model.shape[-1], channels=model.shape[0])
    bank = source.fields["real"]
    if latents is None:
        samples = torch.cat([to_bytes(part) for part, _ in model.stream(count, seed, label, psi, truncate)])
    else:
        samples = to_bytes(draw_codes(model, latents, label=label, psi=psi)[0])
    measured: tuple[Tensor, Tensor] = (samples, bank)
    if network is not None:
        measured = (network.features(samples), network.features(bank))
    distances, which = k_nearest(*measured, k)
    sheets = torch.cat([samples[:, None], bank[which.flatten()].unflatten(0, which.shape)], 1).flatten(0, 1)
    picture = make_grid(as_pictures(sheets.float() / 127.5 - 1), k + 1, legible_scale(sheets.shape[-1]))
    labels = source.fields.get("label")

    def label_of(row: int) -> str | None:
        return None if labels is None or not source.classes else source.classes[int(labels[row])]

    share, found = model.together(label) if latents is None else 1, list[tuple[int | str, tuple[Neighbour, ...]]]()
    places: list[int | str] = [seed + i // share for i in range(count)] if latents is None else [*list_names(latents)]
    for i, place in enumerate(places):
        near = zip(which[i].tolist(), distances[i].tolist(), strict=True)
        found.append((place, tuple(Neighbour(row, far, label_of(row)) for row, far in near)))
    neighbours_of_seeds = Neighbours(out, within, tuple(found))
    text = model.provenance(f"{places[0]}-{places[-1]}" if latents is None else name_places(latents))
    save_png(
        out,
        picture,
        text | {"data": shorten_path(source.name), "in": within, "neighbours": json.dumps(neighbours_of_seeds.rows())},
    )
    return neighbours_of_seeds
