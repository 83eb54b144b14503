"""Sheets of a model's latent space: pictures above their reconstructions, and the map of a latent of two dimensions."""

from __future__ import annotations

from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from ganvas.config import DataConfig
from ganvas.core.capabilities import Encodes, require_pictures
from ganvas.core.modality import IMAGES
from ganvas.data.open import open_source
from ganvas.data.table import TableDataset
from ganvas.errors import DataError, UsageError
from ganvas.inference import encoding
from ganvas.inference.batches import sample_chunks
from ganvas.inference.model import Model, load
from ganvas.media.cloud import draw_cloud
from ganvas.media.grid import legible_scale, make_grid
from ganvas.media.image_files import PAPER, png_name, save_png

COLUMNS = 10
MAPPED = 5_000  # pictures, at most


def reconstruct(
    target: str | Path,
    out: str | Path = "reconstruction.png",
    *,
    data: str | None = None,
    count: int = 30,
    seed: int = 0,
    device: str = "auto",
) -> Path:
    """A sheet of pictures, each above what the model draws from its code.

    `data` is a data source (default: what the model was trained on), its test split where there is one; `seed` chooses the
    pictures.

    Raises:
        UsageError: the model has no encoder, draws points or text, or no picture is asked for.
        DataError: no such model, or no such pictures.
    """
    model, out = load(target, device), png_name(out)
    if count < 1:
        raise UsageError(f"the number of pictures must be at least 1, got {count}")
    source, split = pictures(model, data)
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
    """The whole latent plane in the unit square: on the left what is drawn at each place, on the right where pictures lie.

    A place (u, v) of the square stands for z = (inverse normal distribution function of u, of v), so that equal areas are
    equally likely. `side` pictures a row. Only a model with an encoder can say where pictures of `data` lie: up to 5,000
    of the test split, where there is one, coloured by class. Source: arXiv:1312.6114 app. A, fig. 4.

    Raises:
        UsageError: the latent has other than two dimensions, the model draws points or text, or no picture is asked for.
        DataError: no such model or data.
    """
    model, out = load(target, device), png_name(out)
    require_pictures(model.game)
    if model.drawer.latent_dim != 2 or model.modality is not IMAGES:
        kind = (
            f"this model has {model.drawer.latent_dim}" if model.modality is IMAGES else "and pictures; this model draws points"
        )
        raise UsageError(f"a map needs a latent of 2 dimensions, {kind}; train vae-mnist-2d or --set config.latent_dim=2")
    side = max(5, 560 // model.shape[-1]) if side is None else side
    if side < 1:
        raise UsageError(f"--side: expected at least 1, got {side}")
    z = torch.special.ndtri(places(side)).float()
    c = torch.zeros(len(z), dtype=torch.int64) if model.classes else None
    left = make_grid(sample_chunks(model.drawer, z, c), side, 1, 0).convert("RGB")
    text = model.provenance("none: every place of the latent plane")
    if isinstance(model.game, Encodes):
        source, split = pictures(model, data)
        rows = torch.randperm(len(source), generator=torch.Generator().manual_seed(0))[:MAPPED]
        batch = source.samples(rows)
        found = torch.special.ndtr(encoding.encode(model.game, batch["real"]))
        right = draw_cloud(found, batch.get("label"), source.classes, left.height)
        left = _beside(left, right)
        text["data"] = f"{source.name}, {split}"
    save_png(out, left, text)
    return out


def places(side: int) -> Tensor:
    """The middles [side^2, 2] of a grid over the unit square, float64, as pictures of a sheet: row by row, the top first."""
    middles = (torch.arange(side, dtype=torch.float64) + 0.5) / side
    v, u = torch.meshgrid(middles.flip(0), middles, indexing="ij")
    return torch.stack([u.flatten(), v.flatten()], 1)


def pictures(model: Model, data: str | None) -> tuple[TableDataset, str]:
    """The samples to show, in the model's size and colours, and their split: test, where there is one.

    Raises:
        UsageError: the model draws points or text.
        DataError: no such data.
    """
    require_pictures(model.game)
    name, shape = model.data_source(data, "--data"), model.shape
    if model.modality is not IMAGES:
        raise UsageError("this model draws points; sheets need pictures")
    fit = str(model.card["recipe"]["data"]["fit"])
    settings = {"resolution": shape[-1], "channels": shape[0]}
    try:
        return open_source(DataConfig(source=name, split="test", fit=fit), **settings), "test split"  # type: ignore[arg-type]
    except DataError:
        return open_source(DataConfig(source=name, fit=fit), **settings), "all of it"  # type: ignore[arg-type]


def _beside(left: Image.Image, right: Image.Image, gap: int = 16) -> Image.Image:
    whole = Image.new("RGB", (left.width + gap + right.width, max(left.height, right.height)), PAPER)
    whole.paste(left)
    whole.paste(right, (left.width + gap, 0))
    return whole
