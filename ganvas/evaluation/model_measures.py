"""Measures of one model that are no comparison of two sample sets: modes, path length, memorization, agreement, CAS."""

from __future__ import annotations

import warnings
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from ganvas.core.capabilities import Couples
from ganvas.data.builtin.point_sets import MODES
from ganvas.data.computed_domains import CHANGES, split_name
from ganvas.data.open import open_source
from ganvas.data.table import TableDataset
from ganvas.errors import GanvasWarning, ResourceError, UsageError
from ganvas.evaluation import classification_accuracy
from ganvas.evaluation.measures import PIXEL_SAMPLES, Measurement, name_measure
from ganvas.evaluation.sample_sets import fake_sample_set
from ganvas.inference.batches import as_pictures
from ganvas.inference.feature_extractors import Extractor
from ganvas.inference.model import Model
from ganvas.latents.seed_latents import latents
from ganvas.media.grid import legible_scale, make_grid
from ganvas.media.image_files import save_png
from ganvas.metrics.confidence import mean_interval, wilson
from ganvas.metrics.memorization import Memorization, memorization
from ganvas.metrics.modes import mixture_modes, stacked_modes
from ganvas.metrics.nearest_neighbours import nearest
from ganvas.metrics.perceptual_path_length import step_lengths, trimmed_mean
from ganvas.metrics.pixel_agreement import pixel_agreement


def mixture_measures(source: str, fake: Tensor, other: Tensor) -> dict[str, Measurement]:
    """Modes, high-quality share, spread and reverse KL of points against the mixture they should follow; 2,500 samples."""
    found, floor = (mixture_modes(x[:2500], MODES[source].centres, MODES[source].sd) for x in (fake, other))
    n = min(2500, len(fake))
    return {
        name: Measurement(float(getattr(found, name)), None, float(getattr(floor, name)), n, "none")
        for name in ("captured", "high_quality", "spread", "reverse_kl")
    }


def stacked_measures(digits: Extractor, fake: Tensor, other: Tensor) -> dict[str, Measurement]:
    """Of the 1,000 triples of digits, how many there are and how evenly, as a classifier of digits reads each color."""
    found, floor = (stacked_modes(digits.logits(x.flatten(0, 1)[:, None]).argmax(1).view(-1, 3)) for x in (fake, other))
    return {
        name: Measurement(float(getattr(found, name)), None, float(getattr(floor, name)), len(fake), digits.name)
        for name in ("captured", "reverse_kl")
    }


def pixel_agreement_of(model: Model | None, source: str, n: int, seed: int) -> dict[str, Measurement]:
    """Pixel agreement of n pairs of a model, and of as many pairs from different noise (the baseline).

    Raises:
        UsageError: the model draws no couples, or nobody knows how one domain is computed from the other.
    """
    change = split_name(source)[0]
    if model is None or not isinstance(model.game, Couples) or not change:
        raise UsageError("agreement needs couples: a model trained on a source such as edges:mnist")
    first, second = (fake_sample_set(model, n, seed, torch.full((n,), domain)).data for domain in (0, 1))
    found = {}
    for name, other, floor in (("agreement", second, 1.0), ("strangers", second.roll(1, 0), None)):
        values = pixel_agreement(first, other, CHANGES[change])
        found[name_measure(name, n, "none")] = Measurement(*mean_interval(values), floor, n, "none")
    return found


def perceptual_path(model: Model, network: Extractor | None, seed: int, pairs: int = PIXEL_SAMPLES) -> Measurement:
    """Perceptual path length in z of a model, in the extractor's features, without rounding to bytes."""
    if network is None:
        raise UsageError("the path length needs an extractor: give --extractor RUN of a classifier")
    z0, z1 = latents(range(seed, seed + 2 * pairs), model.drawer.latent_dim).chunk(2)
    c = model.classes_in_turn(None, len(z0))

    @torch.no_grad()
    def draw(z: Tensor, rows: Tensor) -> Tensor:
        both = None if c is None else c[rows].repeat(2).to(model.device)  # the start and the end of a path
        return model.drawer.sample(z.to(model.device), both)

    # The same features as `fd`, a few paths at a time: all of them at 224 pixels need gigabytes.
    lengths = [
        step_lengths(partial(draw, rows=rows), network.embed, z0[rows], z1[rows])
        for rows in torch.arange(len(z0)).split(max(1, network.chunk // 2))
    ]
    return Measurement(trimmed_mean(torch.cat(lengths)), None, None, pairs, network.name)


def classify_samples(
    model: Model | None, train: TableDataset, network: Extractor | None, source: str, seed: int
) -> Measurement:
    """Classification accuracy score: as many samples as the training set has, of the same classes. Takes minutes.

    The floor is the accuracy of the extractor, which was trained on real samples.
    """
    if model is None or not model.classes or "label" not in train.fields:
        raise UsageError("cas needs a model with classes: only then can a classifier learn from its samples")
    test = open_source(model.data_config(source, "test"), resolution=model.shape[-1], channels=model.shape[0])
    side = fake_sample_set(model, len(train), seed, train.fields["label"])
    labels = side.labels if side.labels is not None else train.fields["label"]
    value = classification_accuracy.classification_accuracy_score(side.data, labels, test, seed, device=str(model.device))
    floor = None
    if network and network.classify:
        floor = float((network.logits(test.fields["real"]).argmax(1) == test.fields["label"]).double().mean())
    return Measurement(value, wilson(value, len(test)), floor, len(train), network.name if network and floor else "none")


def measure_memorization(fake: Tensor, source: TableDataset, real: Tensor, folder: Path | None) -> Memorization:
    """Whether fakes are nearer to training images than held-out reals of their class, in pixels; save the closest pairs."""
    train = source.fields["real"]
    few = fake[torch.randperm(len(fake), generator=torch.Generator().manual_seed(3))[:PIXEL_SAMPLES]]
    if folder is not None:
        distances, which = nearest(few, train)
        closest = distances.argsort()[:20]
        pairs = as_pictures(torch.stack([few[closest], train[which[closest]]], 1).flatten(0, 1).float() / 127.5 - 1)
        picture = make_grid(pairs, 10, legible_scale(pairs.shape[-1]))
        try:
            save_png(folder / "closest.png", picture, {"what": "samples, each beside the nearest training picture"})
        except ResourceError as refused:  # such as the run of another user: no reason to lose the measures
            warnings.warn(f"no picture of the closest pairs: {refused}", GanvasWarning, stacklevel=2)
    return memorization(few, train, real[: 2 * PIXEL_SAMPLES], labels=source.fields.get("label"))
