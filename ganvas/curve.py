"""The curve of a held-out measure while a run trains, and the best model so far by it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganvas import bundle
from ganvas.data.source import Source
from ganvas.edit.latents import latents
from ganvas.export.pictures import to_bytes
from ganvas.extractors import extractor_for
from ganvas.files import write_durably
from ganvas.game import Conditional, Game, Samples, Writes
from ganvas.metrics.distances import frechet
from ganvas.metrics.wasserstein import sliced_wasserstein
from ganvas.show import drawn

LEAST = 50  # held-out samples: fewer say nothing


def measure(game: Game, held_out: Source) -> tuple[str, float] | None:
    """The name and value of a distance from as many samples of the game to the held-out reals; None for few, or solids.

    Of text: nats a symbol of the held-out lines.

    Fréchet distance in the features made for the data, or of the points themselves; without features, sliced Wasserstein.
    """
    if not isinstance(game, Samples) or len(held_out) < LEAST or held_out.table.ndim == 5:
        return None
    if isinstance(game, Writes):
        return f"nats{len(held_out)}", nats_per_symbol(game, held_out)
    batch = held_out.samples(torch.arange(len(held_out)))
    c = batch["label"] if isinstance(game, Conditional) else None
    return _distance(drawn(game, latents(range(len(held_out)), game.latent_dim), c), batch["real"], held_out)


def floor(data: Source, held_out: Source) -> float | None:
    """What as many samples of the training data score by the same measure: a perfect model would, and no less.

    None of text: how many nats its lines cost at best, nobody knows.
    """
    if held_out.is_text:
        return None
    rows = torch.randperm(len(data), generator=torch.Generator().manual_seed(4))[: len(held_out)]
    return _distance(data.samples(rows)["real"], held_out.samples(torch.arange(len(held_out)))["real"], held_out)[1]


def _distance(fake: Tensor, real: Tensor, held_out: Source) -> tuple[str, float]:
    if real.ndim == 2:
        return f"fd{len(real)}-points", frechet(fake, real)
    network = extractor_for(held_out.name, held_out.channels)
    fake, real = to_bytes(fake), to_bytes(real)
    if network is None:
        return f"swd{len(real)}", 1000 * sliced_wasserstein(real, fake, patches=32)
    return f"fd{len(real)}-{network.name}", frechet(network.features(fake), network.features(real))


@torch.no_grad()
def nats_per_symbol(game: Writes, data: Source) -> float:
    """-log p of each symbol of all lines of the data, the ends of lines included: their mean."""
    text = data.samples(torch.arange(len(data)))["text"]
    device = next(game.parameters()).device  # type: ignore[attr-defined]
    nats: Tensor = torch.cat([game.surprise(part.to(device)).double().cpu() for part in text.split(500)])
    return float(nats.sum() / (nats > 0).sum())


def keep_best(folder: Path, game: Game, card: dict[str, Any], metric: str, value: float) -> bool:
    """Save the game as best.safetensors where it has the lowest value of the run up to its images; best.json says which."""
    path, items = folder / "best.json", int(card["items"])
    found = json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
    if found and found["items"] < items and found["value"] <= value:
        return False
    bundle.save(folder / "best.safetensors", game, card)
    write_durably(path, json.dumps({"items": items, "metric": metric, "value": value}).encode())
    return True
