"""Measure a model, or a folder of pictures, against real data: every number with its interval, its counts and its floor.

The floor is what as many other real samples score against the same reference: a perfect model would score it, and no
less. Reals are the test split where there is one. Images are rounded to bytes first, except for the path length.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganvas.config import DataConfig
from ganvas.core.capabilities import Couples, Writes
from ganvas.core.modality import IMAGES, POINTS, VOXELS, modality_of
from ganvas.data.builtin.point_sets import MODES
from ganvas.data.computed_domains import CHANGES, split_name
from ganvas.data.open import open_source
from ganvas.data.table import TableDataset
from ganvas.errors import DataError, UsageError, unknown_name
from ganvas.evaluation import classification_accuracy
from ganvas.evaluation.measures import COMPARE, DISTANCES, FEW, JUDGED, PIXELS, SOLIDS, Measurement, each_class
from ganvas.evaluation.sample_sets import UNSEEN, Draws, SampleSet, fake_sample_set, picture_set, real_sample_sets, same_kind
from ganvas.evaluation.text import measure
from ganvas.inference.batches import as_pictures
from ganvas.inference.feature_extractors import Extractor, choose_extractor, load_extractor
from ganvas.inference.model import Model, load
from ganvas.latents.seed_latents import latents
from ganvas.media.grid import legible_scale, make_grid
from ganvas.media.image_files import save_png
from ganvas.metrics.confidence import wilson
from ganvas.metrics.memorization import Memorization, memorization
from ganvas.metrics.modes import mixture_modes, stacked_modes
from ganvas.metrics.nearest_neighbours import nearest
from ganvas.metrics.perceptual_path_length import step_lengths, trimmed_mean
from ganvas.metrics.pixel_agreement import pixel_agreement
from ganvas.runtime.device import find_device

OTHERS = ("each", "ppl", "memorisation", "modes", "agreement", "cas")
DEFAULT = (*COMPARE, "each", "memorisation", "modes", "agreement")


@dataclass(frozen=True)
class Report:
    """All that was measured of one model, and against what."""

    subject: str
    items: int  # images the model had seen; 0 for a set of pictures
    reference: str
    measures: Mapping[str, Measurement]
    memorisation: Memorization | None
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """For --json: name -> value, interval, floor, samples, extractor."""
        return {name: asdict(measured) for name, measured in self.measures.items()}

    def text(self) -> str:
        """A short table."""
        width = max((len(name) for name in self.measures if ":" not in name), default=10)
        lines = [f"{self.subject} against {self.reference}", f"  {'':{width}}  {'value':>9}  {'± 95 %':>9}  {'floor':>9}"]
        classes = {name.partition(":")[2]: m.value for name, m in self.measures.items() if ":" in name}
        for name, m in self.measures.items():
            if ":" not in name:
                lines.append(f"  {name:{width}}  {_digits(m.value)}  {_digits(m.interval)}  {_digits(m.floor)}")
        if classes:
            worst = sorted(classes, key=lambda name: classes[name])[:10]
            lines.append(f"  requested, the weakest first: {', '.join(f'{name} {classes[name]:.1%}' for name in worst)}")
        if self.memorisation:
            lines.append(f"  {self.memorisation.verdict}")
        return "\n".join([*lines, *(f"  {note}" for note in self.notes)])


def _digits(value: float | None) -> str:
    return f"{'-':>9}" if value is None else f"{value:>9.4g}"


def evaluate(
    target: str | Path,
    *,
    against: str | None = None,
    metrics: Sequence[str] | None = None,
    samples: int = 10_000,
    seed: int = 0,
    network: str | Extractor | None = None,
    split: str | None = None,
    temperature: float = 1.0,
    device: str = "auto",
) -> Report:
    """Measure the model in a run folder or bundle, or a set of pictures, against real data.

    `against` is a data source (default: what the model was trained on); `split` train or test (default: test where there
    is one); `samples` of each side, or as many as there are; `temperature` is that of a model of text; the networks compute
    on `device`.

    Raises:
        UsageError: an unknown measure, or one that does not fit.
        DataError: nothing to measure or to measure against.
    """
    if samples < 100:
        raise UsageError(f"--samples: expected at least 100, got {samples}: fewer say nothing")
    where = find_device(device)
    model, subject = _subject(Path(target), where)
    if model and isinstance(model.game, Writes):
        subject += f" at temperature {temperature:g}" if temperature != 1 else ""
        return _read(model, subject, against, metrics, samples=samples, seed=seed, split=split, temperature=temperature)
    if temperature != 1:
        raise UsageError("only a model of text has a temperature; leave --temperature out")
    chosen = tuple(DEFAULT if metrics is None else metrics)
    for name in chosen:
        if name not in COMPARE and name not in OTHERS:
            raise unknown_name("metric", name, (*COMPARE, *OTHERS))
    source = model.data_source(against, "--against") if model else against
    if source is None:
        raise UsageError(f"{target} holds pictures, no model: say what to measure them against with --against DATA")
    shape = model.shape if model else None
    real, others, train, reference = real_sample_sets(source, shape, samples, split)
    other = others.first
    network = load_extractor(network, where) if isinstance(network, str) else network
    if network is None and real.modality is IMAGES:
        network = choose_extractor(source, real.data.shape[1], where)
    fake = fake_sample_set(model, len(real.data), seed, other.labels) if model else picture_set(str(target), len(real.data))
    for side in (real, other, others, fake):
        side.extractor, side.classes = network, train.classes
    fake = same_kind(fake, real)
    explicit = metrics is not None
    measures, notes = _compare(chosen, fake, real, others, explicit)
    if "each" in chosen and (explicit or any(name.startswith("requested") for name in measures)):
        whole = check_metrics("requested", len(fake.data), network.name if network else "none")
        measures |= {f"{whole}:{name}": measured for name, measured in each_class(fake, other).items()}
    if model and "ppl" in chosen:
        measures["ppl"] = perceptual_path(model, network, seed)
    if source in MODES and "modes" in chosen:
        measures |= mixture_measures(source, fake.data, other.data)
    if network is not None and network.of_each is not None and "modes" in chosen:
        measures |= stacked_measures(network.of_each, fake.data, other.data)
    if "agreement" in chosen and (explicit or (model and isinstance(model.game, Couples) and split_name(source)[0])):
        measures |= pixel_agreement_of(model, source, len(real.data), seed)
    if "cas" in chosen:
        measures["cas"] = classify_samples(model, train, network, source, seed)
    copies = None
    if "memorisation" in chosen and modality_of(fake.data).grid and not explicit and UNSEEN not in reference:
        notes += ("left out: memorisation (no test split that the model never saw)",)
    elif "memorisation" in chosen and modality_of(fake.data).grid:
        copies = measure_memorization(
            fake.data, train.fields["real"], real.data, Path(target) if model and Path(target).is_dir() else None
        )
    return Report(subject, int(model.card["items"]) if model else 0, reference, measures, copies, notes)


def _read(model: Model, subject: str, against: str | None, metrics: Sequence[str] | None, **options: Any) -> Report:
    """The report on a model of text."""
    source = model.data_source(against, "--against")
    found, reference = measure(model, source, chosen=metrics, **options)
    measures = {check_metrics(name, values[3], "none"): Measurement(*values, "none") for name, values in found.items()}
    return Report(subject, int(model.card["items"]), reference, measures, None, ())


def _compare(
    chosen: Iterable[str], fake: SampleSet, real: SampleSet, others: Draws, explicit: bool
) -> tuple[dict[str, Measurement], tuple[str, ...]]:
    """The chosen comparisons that fit the data; one that was asked for and does not fit is an error."""
    measures: dict[str, Measurement] = {}
    notes: dict[str, None] = {}
    floors = _Floors([name for name in chosen if name in DISTANCES], real, others)
    for name in (name for name in chosen if name in COMPARE):
        if not explicit and not _fits(name, fake):
            continue
        tag = "points" if real.modality is POINTS else real.extractor.name if real.extractor else ""
        tag = "none" if name in (*PIXELS, *SOLIDS) else tag
        try:
            if name in PIXELS and real.modality is not IMAGES:
                raise UsageError(f"{name} compares pictures, and these are {real.modality.name}")
            if name in SOLIDS and real.modality is not VOXELS:
                raise UsageError(f"{name} looks at solids: measure a model of a voxel-... recipe")
            if name in JUDGED and (real.modality is POINTS or (real.extractor and real.extractor.classify is None)):
                raise UsageError(f"{name} needs a classifier of the data: give --extractor RUN of a classifier-... recipe")
            value, interval = COMPARE[name](fake, real)
            if name in DISTANCES:
                floor: float | None = floors[name]
            elif name == "requested" and real.labels is None:
                floor = None
            else:
                floor = COMPARE[name](others.first, real)[0]
        except UsageError as misfit:
            if explicit:
                raise
            notes[f"left out: {name} ({misfit})"] = None
            continue
        count = min(len(fake.data), len(real.data), FEW if name == "swd" else len(fake.data))
        measures[check_metrics(name, count, tag)] = Measurement(value, interval, floor, count, tag)
    return measures, tuple(notes)


class _Floors(dict[str, float]):
    """The distances of other reals to the reference: a distance depends on the mix of a draw, so the mean of several draws.

    All distances are computed when the first is asked for, one draw at a time: the features of all would fill gigabytes.
    """

    def __init__(self, names: Sequence[str], real: SampleSet, others: Draws) -> None:
        super().__init__()
        self.names, self.real, self.others = names, real, others

    def __missing__(self, name: str) -> float:
        totals = dict.fromkeys(self.names, 0.0)
        for side in self.others:
            for each in self.names:
                totals[each] += DISTANCES[each](side, self.real)
        self.update({each: total / len(self.others) for each, total in totals.items()})
        return self[name]


def _fits(name: str, fake: SampleSet) -> bool:
    """Whether a measure has a meaning for such data at all."""
    if name in (*PIXELS, *SOLIDS):
        return fake.modality is (IMAGES if name in PIXELS else VOXELS)
    return name not in JUDGED or (modality_of(fake.data).grid and (name != "requested" or fake.labels is not None))


def check_metrics(metric: str, samples: int, tag: str) -> str:
    """fd10k-digits: the metric, how many samples, in whose features."""
    count = f"{samples // 1000}k" if samples % 1000 == 0 else str(samples)
    return f"{metric}{count}" + (f"-{tag}" if tag != "none" else "")


def _subject(path: Path, device: torch.device) -> tuple[Model | None, str]:
    if (path / "model.safetensors").exists() or path.suffix == ".safetensors":
        model = load(path, device)
        return model, f"{model.card['recipe']['name']} after {model.card['items']:,} images"
    if (path / "recipe.json").exists():
        raise DataError(f"{path} has saved no model yet; let it train on, or name another run")
    return None, str(path)


def mixture_measures(source: str, fake: Tensor, other: Tensor) -> dict[str, Measurement]:
    """Modes, high-quality share, spread and reverse KL of points against the mixture they should follow; 2,500 samples."""
    found, floor = (mixture_modes(x[:2500], MODES[source].centres, MODES[source].sd) for x in (fake, other))
    n = min(2500, len(fake))
    return {
        name: Measurement(float(getattr(found, name)), None, float(getattr(floor, name)), n, "none")
        for name in ("captured", "high_quality", "spread", "reverse_kl")
    }


def stacked_measures(digits: Extractor, fake: Tensor, other: Tensor) -> dict[str, Measurement]:
    """Of the 1,000 triples of digits, how many there are and how evenly, as a classifier of digits reads each colour."""
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
        found[check_metrics(name, n, "none")] = Measurement(
            float(values.mean()), float(1.96 * values.std() / n**0.5), floor, n, "none"
        )
    return found


def perceptual_path(model: Model, network: Extractor | None, seed: int, pairs: int = FEW) -> Measurement:
    """Perceptual path length in z of a model, in the extractor's features, without rounding to bytes."""
    if network is None:
        raise UsageError("the path length needs an extractor: pip install 'ganvas[photos]', or give --extractor RUN")
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
    """Classification accuracy score: as many samples as the training set has, asked for its classes. Takes minutes.

    The floor is the accuracy of the extractor, which was trained on real samples.
    """
    if model is None or not model.classes or "label" not in train.fields:
        raise UsageError("cas needs a model with classes: only then can a classifier learn from its samples")
    test = open_source(DataConfig(source=source, split="test"), resolution=model.shape[-1], channels=model.shape[0])
    side = fake_sample_set(model, len(train), seed, train.fields["label"])
    asked = side.labels if side.labels is not None else train.fields["label"]
    value = classification_accuracy.classification_accuracy_score(side.data, asked, test, seed, device=str(model.device))
    floor = None
    if network and network.classify:
        floor = float((network.logits(test.fields["real"]).argmax(1) == test.fields["label"]).double().mean())
    return Measurement(value, wilson(value, len(test)), floor, len(train), network.name if network and floor else "none")


def measure_memorization(fake: Tensor, train: Tensor, real: Tensor, folder: Path | None) -> Memorization:
    """Test whether fakes are nearer to training images than held-out reals are, in pixels; save the closest pairs."""
    few = fake[torch.randperm(len(fake), generator=torch.Generator().manual_seed(3))[:FEW]]
    if folder is not None:
        distances, which = nearest(few, train)
        closest = distances.argsort()[:20]
        pairs = as_pictures(torch.stack([few[closest], train[which[closest]]], 1).flatten(0, 1).float() / 127.5 - 1)
        picture = make_grid(pairs, 10, legible_scale(pairs.shape[-1]))
        save_png(folder / "closest.png", picture, {"what": "samples, each beside the nearest training picture"})
    return memorization(few, train, real[:FEW])


def record(run: Path, report: Report, seed: int) -> None:
    """Append the report to the metrics.jsonl of a run folder; elsewhere nothing is written."""
    if not (run / "recipe.json").exists():
        return
    row = {"items": report.items, "seed": seed, "reference": report.reference, "metrics": report.to_dict()}
    with (run / "metrics.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")
