"""Reconstructions of images by a model with an encoder, and the map of a latent space of two dimensions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from ganvas.core.capabilities import Encodes, require_pictures
from ganvas.core.modality import IMAGES
from ganvas.data.input_files import require_other
from ganvas.data.open import open_source
from ganvas.data.table import TableDataset
from ganvas.errors import DataError, UsageError
from ganvas.inference import encoding
from ganvas.inference.batches import sample_chunks
from ganvas.inference.model import MOST_SIDE, Model, load
from ganvas.inference.shown_model import MOST_SHOWN
from ganvas.media.cloud import draw_cloud
from ganvas.media.font import explain_names, warn_of_numbers
from ganvas.media.grid import legible_scale, make_grid
from ganvas.media.image_files import PAPER, png_name, save_png
from ganvas.utils.parsing import require_count

COLUMNS = 10
MAPPED = 5_000  # images in a map, at most


def reconstruct(
    target: str | Path,
    out: str | Path = "reconstruction.png",
    *,
    data: str | None = None,
    count: int = 30,
    seed: int = 0,
    device: str = "auto",
) -> Path:
    """Save a sheet of images, each above its reconstruction.

    `data` is a data source (default: that of the model), its test split if there is one; `seed` chooses the images.

    Raises:
        UsageError: the model has no encoder, makes points or text, or `count` is below 1.
        DataError: no such model or data.
    """
    model, out = load(target, device), png_name(out)
    require_count("the number of pictures", count, 1, MOST_SHOWN)
    _require_apart(out, data)
    source, split = open_pictures(model, data)
    rows = torch.randperm(len(source), generator=torch.Generator().manual_seed(seed))[:count]
    originals = source.samples(rows)["real"]
    again = encoding.reconstruct(model.game, originals)
    columns = min(COLUMNS, len(originals))
    blank = torch.ones(-len(originals) % columns, *originals.shape[1:])  # white, as the sheet
    pairs = [torch.cat([x, blank]).unflatten(0, (-1, columns)) for x in (originals, again)]
    image = make_grid(torch.stack(pairs, 1).flatten(0, 2), columns, legible_scale(originals.shape[-1]))
    save_png(out, image, {**model.provenance(f"pictures {seed}"), "data": f"{source.name}, {split}"})
    return out


def latent_map(
    target: str | Path,
    out: str | Path = "map.png",
    *,
    data: str | None = None,
    side: int | None = None,
    device: str = "auto",
) -> Path:
    """Save the latent plane as a unit square: on the left the image of each place, on the right the codes of images.

    The place (u, v) stands for z = (inverse normal distribution function of u, of v), so that equal areas are equally likely.
    `side` images a row. The right half needs an encoder: it has up to 5,000 images of `data`, of the test split if there is
    one, colored by class. Source: arXiv:1312.6114 app. A, fig. 4.

    Raises:
        UsageError: z does not have two dimensions, the model makes points or text, or `side` is below 1.
        DataError: no such model or data.
    """
    model, out = load(target, device), png_name(out)
    _require_apart(out, data)
    require_pictures(model.game)
    if model.drawer.latent_dim != 2 or model.modality is not IMAGES:
        kind = (
            f"this model has {model.drawer.latent_dim}" if model.modality is IMAGES else "and images; this model makes points"
        )
        raise UsageError(f"a map needs a latent of 2 dimensions, {kind}; train vae-mnist-2d or --set config.latent_dim=2")
    side = max(5, 560 // model.shape[-1]) if side is None else side
    require_count("side", side, 1, MOST_SIDE)
    z = torch.special.ndtri(grid_middles(side)).float()
    c = torch.zeros(len(z), dtype=torch.int64) if model.classes else None
    left = make_grid(sample_chunks(model.drawer, z, c), side, 1, 0).convert("RGB")
    text = model.provenance("none: every place of the latent plane")
    if isinstance(model.game, Encodes):
        source, split = open_pictures(model, data)
        rows = torch.randperm(len(source), generator=torch.Generator().manual_seed(0))[:MAPPED]
        batch = source.samples(rows)
        found = torch.special.ndtr(encoding.encode(model.game, batch["real"]))
        right = draw_cloud(found, batch.get("label"), source.classes, left.height)
        left = _join(left, right)
        text |= {"data": f"{source.name}, {split}", **explain_names(source.classes)}
        warn_of_numbers(source.classes)
    save_png(out, left, text)
    return out


def _require_apart(out: Path, data: str | None) -> None:
    """Raises: UsageError: `out` would replace a picture of the data."""
    if data is not None:
        require_other(out, {"the data": data})


def grid_middles(side: int) -> Tensor:
    """The middles of the cells of a grid over the unit square, float64 [side^2, 2], row by row from the top, as in a sheet."""
    middles = (torch.arange(side, dtype=torch.float64) + 0.5) / side
    v, u = torch.meshgrid(middles.flip(0), middles, indexing="ij")
    return torch.stack([u.flatten(), v.flatten()], 1)


def open_pictures(model: Model, data: str | None) -> tuple[TableDataset, str]:
    """Images in the size and channels of the model, and the name of their split: test if there is one.

    Raises:
        UsageError: the model makes points or text.
        DataError: no such data.
    """
    require_pictures(model.game)
    name, shape = model.data_source(data, "--data"), model.shape
    if model.modality is not IMAGES:
        raise UsageError("this model makes points; a sheet needs images")
    how = replace(model.data_config(name), white=model.white)
    try:
        return open_source(replace(how, split="test"), resolution=shape[-1], channels=shape[0]), "test split"
    except DataError:
        return open_source(how, resolution=shape[-1], channels=shape[0]), "all of it"


def _join(left: Image.Image, right: Image.Image, gap: int = 16) -> Image.Image:
    whole = Image.new("RGB", (left.width + gap + right.width, max(left.height, right.height)), PAPER)
    whole.paste(left)
    whole.paste(right, (left.width + gap, 0))
    return whole
