"""The curve of a held-out measure while a run trains, and the best model so far by it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganvas.core.capabilities import Conditional, Samples, Writes
from ganvas.core.game import Game
from ganvas.core.modality import VOXELS, modality_of
from ganvas.data.table import TableDataset
from ganvas.evaluation.sample_sets import labels_of, read_rows, to_kept
from ganvas.inference import model_file
from ganvas.inference.batches import sample_chunks
from ganvas.inference.feature_extractors import choose_extractor
from ganvas.latents.seed_latents import latents
from ganvas.metrics.frechet import frechet_distance
from ganvas.metrics.sliced_wasserstein import sliced_wasserstein
from ganvas.runtime import placement
from ganvas.utils.files import write_durably

LEAST = 50  # held-out samples: fewer say nothing


def measure(game: Game, held_out: TableDataset) -> tuple[str, float] | None:
    """The name and value of a distance from as many samples of the game to the held-out reals; None for few, or solids.

    Of text: nats a symbol of the held-out lines.

    Fréchet distance in the features made for the data, or of the points themselves; without features, sliced Wasserstein.
    """
    if not isinstance(game, Samples) or len(held_out) < LEAST or modality_of(held_out.table) is VOXELS:
        return None
    if isinstance(game, Writes):
        return f"nats{len(held_out)}", nats_per_symbol(game, held_out)
    rows = torch.arange(len(held_out))
    c = labels_of(held_out, rows) if isinstance(game, Conditional) else None
    fake = sample_chunks(game, latents(range(len(held_out)), game.latent_dim), c, keep=to_kept)
    return _distance(fake, read_rows(held_out, rows), held_out, placement.device_of(game))


def floor(data: TableDataset, held_out: TableDataset) -> float | None:
    """The floor: the score of as many training samples in the same measure. A perfect model reaches it.

    None of text: how many nats its lines cost at best, nobody knows.
    """
    if held_out.is_text:
        return None
    rows = torch.randperm(len(data), generator=torch.Generator().manual_seed(4))[: len(held_out)]
    return _distance(read_rows(data, rows), read_rows(held_out, torch.arange(len(held_out))), held_out)[1]


def _distance(fake: Tensor, real: Tensor, held_out: TableDataset, device: torch.device = placement.CPU) -> tuple[str, float]:
    """Between samples as they are kept: bytes or points."""
    if not modality_of(real).grid:
        return f"fd{len(real)}-points", frechet_distance(fake, real)
    network = choose_extractor(held_out.name, held_out.channels, device)
    if network is None:
        return f"swd{len(real)}", 1000 * sliced_wasserstein(real, fake, patches=32)
    return f"fd{len(real)}-{network.name}", frechet_distance(network.features(fake), network.features(real))


def nats_per_symbol(game: Writes, data: TableDataset) -> float:
    """-log p of each symbol of all lines of the data, the ends of lines included: their mean."""
    nats = torch.cat([nats_of(game, read_rows(data, rows)) for rows in torch.arange(len(data)).split(500)])
    return float(nats.sum() / (nats > 0).sum())


@torch.no_grad()
def nats_of(game: Writes, text: Tensor) -> Tensor:
    """text int64 [N, L] -> -log p of each symbol [N, L], float64 on the CPU; 0 after the end of a line."""
    return placement.to_cpu(game.nll(text.to(placement.device_of(game)))).double()


def keep_best(folder: Path, game: Game, card: dict[str, Any], metric: str, value: float) -> bool:
    """Save the game as best.safetensors where it has the lowest value of the run up to its images; best.json says which."""
    path, items = folder / "best.json", int(card["items"])
    found = json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
    if found and found["items"] < items and found["value"] <= value:
        return False
    model_file.save(folder / "best.safetensors", game, card)
    write_durably(path, json.dumps({"items": items, "metric": metric, "value": value}).encode())
    return True
