"""Validation: a measure on held-out samples during training, and the best model so far by it."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
from torch import Tensor

from ganvas.core.capabilities import Conditional, Samples, TakesInputs, Writes
from ganvas.core.game import Game
from ganvas.core.modality import IMAGES, LABEL_MAPS, POINTS, TEXT, VOXELS, modality_of
from ganvas.data.dataset import Dataset
from ganvas.data.table import TableDataset
from ganvas.errors import GanvasError
from ganvas.evaluation.baselines import make_baseline
from ganvas.evaluation.sample_sets import labels_of, read_rows, to_kept
from ganvas.evaluation.truth_measures import absolute_error, pixel_accuracy
from ganvas.inference import model_file
from ganvas.inference.batches import sample_chunks
from ganvas.inference.feature_extractors import choose_shipped
from ganvas.inference.inputs import INPUT_MODALITIES, Outputs, has_truth, list_tasks, run_task
from ganvas.latents.seed_latents import latents
from ganvas.metrics.frechet import frechet_distance
from ganvas.metrics.sliced_wasserstein import sliced_wasserstein
from ganvas.runtime import placement
from ganvas.utils.files import read_json, write_durably
from ganvas.utils.settings import convert

LEAST = 50  # held-out samples: fewer give no reliable number


def measure(game: Game, held_out: Dataset) -> tuple[str, float] | None:
    """The name and value of a measure on the held-out samples; lower is better. None: too few samples, or none that fits.

    - of text: nats a symbol of the held-out lines;
    - of outputs whose rows have the truth: the mean absolute error (L1);
    - of other images and of points: the distance of as many samples to the held-out reals, which is a Fréchet distance in
      features made for the data or of the points themselves, else a sliced Wasserstein distance.

    With several directions of a translation it is their mean.
    """
    if len(held_out) < LEAST or held_out.modality is VOXELS:
        return None
    if isinstance(game, TakesInputs):
        return _measure_outputs(game, held_out)
    if not isinstance(game, Samples) or not isinstance(held_out, TableDataset):
        return None
    if isinstance(game, Writes):
        return f"nats{len(held_out)}", nats_per_symbol(game, held_out)
    rows = torch.arange(len(held_out))
    c = labels_of(held_out, rows) if isinstance(game, Conditional) else None
    fake = sample_chunks(game, latents(range(len(held_out)), game.latent_dim), c, keep=to_kept)
    return _distance(fake, read_rows(held_out, rows), held_out.name, placement.device_of(game))


def _measure_outputs(game: TakesInputs, held_out: Dataset) -> tuple[str, float] | None:
    rows = torch.arange(len(held_out))
    all_outputs = (run_task(task, held_out, rows) for task in list_tasks(game))
    found = [score for outputs in all_outputs if (score := _score(outputs, outputs.output, held_out))]
    return None if not found else (found[0][0], fmean(value for _, value in found))


def _score(outputs: Outputs, output: Tensor, held_out: Dataset) -> tuple[str, float] | None:
    """The measure of `output`, of some outputs for all held-out rows or of their baseline, and its name; lower is better."""
    n, kind, target = len(output), modality_of(output, INPUT_MODALITIES), outputs.task.target
    if outputs.truth is not None and kind is LABEL_MAPS:  # lower must be better
        return f"pixel_error{n}", float(1 - pixel_accuracy(output, outputs.truth).mean())
    if outputs.truth is not None:
        return f"mae{n}", float(absolute_error(output, outputs.truth).mean())
    if kind is not IMAGES or target not in held_out.modalities:
        return None
    real = held_out.rows(torch.arange(n))[target]
    return _distance(output, real, held_out.name, placement.device_of(outputs.task.game))


def measure_baseline(game: TakesInputs, data: Dataset, held_out: Dataset) -> tuple[str, float] | None:
    """The name of the trivial baseline of a game (see baselines.py), and the measure of `measure` of it; None: there is none.

    `data` is the training split. With several directions of a translation it is their mean.
    """
    rows, found = torch.arange(len(held_out)), []
    for task in list_tasks(game):
        outputs = run_task(task, held_out, rows)
        baseline = make_baseline(outputs, data)
        score = None if baseline is None else _score(outputs, baseline.output, held_out)
        if baseline is None or score is None:
            return None
        found.append((baseline.name, score[1]))
    return found[0][0], fmean(value for _, value in found)


def floor(data: Dataset, held_out: Dataset, game: Game) -> float | None:
    """The floor of a distance: the score of as many training samples. A perfect model reaches it.

    None of text, whose lowest possible value is not known, of an error against the truth, whose floor is 0, and if there are
    fewer training samples than held-out ones.
    """
    if len(data) < len(held_out):
        return None
    rows = torch.randperm(len(data), generator=torch.Generator().manual_seed(4))[: len(held_out)]
    others, reals = data.rows(rows), held_out.rows(torch.arange(len(held_out)))
    if isinstance(game, TakesInputs):
        targets = [task.target for task in list_tasks(game) if not has_truth(task, held_out)]
    else:
        targets = [] if held_out.modality is TEXT else [next(name for name in reals if name != "label")]
    found = [_distance(others[name], reals[name], held_out.name)[1] for name in targets if name in reals]
    return fmean(found) if found else None


def _distance(fake: Tensor, real: Tensor, source: str, device: torch.device = placement.CPU) -> tuple[str, float]:
    """The distance of samples as kept, images or points of the data `source`, and its name."""
    if modality_of(real) is POINTS:
        return f"fd{len(real)}-points", frechet_distance(fake, real)
    network = choose_shipped(source, real.shape[1], device)  # it is measured often, so it must be fast
    if network is None:
        return f"swd{len(real)}", 1000 * sliced_wasserstein(real, fake, patches=32)
    return f"fd{len(real)}-{network.name}", frechet_distance(network.features(fake), network.features(real))


def nats_per_symbol(game: Writes, data: TableDataset) -> float:
    """The mean of -log p over all symbols of the data, line ends included."""
    nats = torch.cat([nats_of(game, read_rows(data, rows)) for rows in torch.arange(len(data)).split(500)])
    return float(nats.sum() / (nats > 0).sum())


@torch.no_grad()
def nats_of(game: Writes, text: Tensor) -> Tensor:
    """text int64 [N, L] -> -log p of each symbol [N, L], float64 on the CPU; 0 after the end of a line."""
    return placement.to_cpu(game.nll(text.to(placement.device_of(game)))).double()


def keep_best(folder: Path, game: Game, card: dict[str, Any], metric: str, value: float) -> bool:
    """Save the game as best.safetensors if its value is the lowest of the run so far; best.json says which model it is.

    The note comes last: whoever is killed before it has neither file kept for good, and both are written again.
    """
    path, items = folder / "best.json", int(card["items"])
    before = _read_best(path)
    if before and before[0] < items and before[1] <= value:
        return False
    model_file.save(folder / "best.safetensors", game, card)
    write_durably(path, json.dumps({"items": items, "metric": metric, "value": value}).encode())
    return True


def _read_best(path: Path) -> tuple[int, float] | None:
    """The images and the value of the best model so far; None: there is none, or the note of it is damaged."""
    try:
        found = read_json(path)
        return convert(int, found["items"], "items"), convert(float, found["value"], "value")
    except (OSError, KeyError, GanvasError):
        return None
