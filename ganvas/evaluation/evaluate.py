"""Evaluate a model, or a folder of images, against real data: every number with its interval, its counts and its floor.

The floor is the score of as many other real samples against the same reference: a perfect model reaches it. The reference
is the test split, if there is one. Images are rounded to bytes first, except for the perceptual path length. Models of text
are measured in `text.py`, models that take inputs in `output_measures.py`, classifiers in `classifier_measures.py`.
"""

from __future__ import annotations

import html
import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from ganvas.core.capabilities import Classifies, Couples, Samples, TakesInputs, Writes
from ganvas.core.modality import IMAGES, POINTS, modality_of
from ganvas.data.builtin.point_sets import MODES
from ganvas.data.computed_domains import split_name
from ganvas.data.open import BUILT_IN
from ganvas.data.units import choose_units
from ganvas.errors import DataError, GanvasWarning, UsageError, unknown_name
from ganvas.evaluation.classifier_measures import COMMONEST, measure_classifier
from ganvas.evaluation.measures import (
    COMPARE,
    Measurement,
    measure_each_class,
    name_measure,
)
from ganvas.evaluation.model_measures import (
    classify_samples,
    measure_memorization,
    mixture_measures,
    perceptual_path,
    pixel_agreement_of,
    stacked_measures,
)
from ganvas.evaluation.output_measures import measure_outputs
from ganvas.evaluation.sample_sets import (
    UNSEEN,
    fake_sample_set,
    picture_set,
    real_sample_sets,
    require_same_shape,
)
from ganvas.evaluation.set_measures import compare_sets
from ganvas.evaluation.text import measure
from ganvas.inference.feature_extractors import Extractor, choose_extractor, load_extractor
from ganvas.inference.model import Model, load
from ganvas.inference.picture_translation import list_ways, require_strength
from ganvas.inference.shipped_models import find_model
from ganvas.metrics.memorization import Memorization
from ganvas.runtime.device import find_device
from ganvas.utils.files import append
from ganvas.utils.parsing import printable

OTHERS = ("each", "ppl", "memorisation", "modes", "agreement", "cas")
DEFAULT = (*COMPARE, "each", "memorisation", "modes", "agreement")


@dataclass(frozen=True)
class Report:
    """All measures of one model, and the reference."""

    subject: str
    items: int  # images the model was trained on; 0 for a set of images
    reference: str
    measures: Mapping[str, Measurement]
    memorisation: Memorization | None
    notes: tuple[str, ...]
    baseline: str = ""  # what the baseline of the measures is: "copied input"; "": there is none

    def to_dict(self) -> dict[str, Any]:
        """For --json: name -> value, interval, floor, samples, extractor, baseline."""
        return {name: asdict(measured) for name, measured in self.measures.items()}

    def _repr_html_(self) -> str:
        """A notebook shows the table."""
        return f"<pre>{html.escape(self.text())}</pre>"

    def text(self) -> str:
        """A short table."""
        width = max((len(name) for name in self.measures if ":" not in name), default=10)
        heading = f"  {'':{width}}  {'value':>9}  {'± 95 %':>9}  {'floor':>9}"
        lines = [f"{self.subject} against {self.reference}", heading + (f"  {self.baseline}" if self.baseline else "")]
        classes = {name.partition(":")[2]: m.value for name, m in self.measures.items() if ":" in name}
        of = next((name.partition(":")[0].rstrip("0123456789k-") for name in self.measures if ":" in name), "")
        for name, m in self.measures.items():
            if ":" not in name:
                line = f"  {name:{width}}  {_digits(m.value)}  {_digits(m.interval)}  {_digits(m.floor)}"
                lines.append(line + (f"  {_digits(m.baseline)}" if self.baseline else ""))
        if classes:
            worst = sorted(classes, key=lambda name: classes[name])[:10]
            lines.append(f"  {of}, the weakest first: {', '.join(f'{name} {classes[name]:.1%}' for name in worst)}")
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
    strength: float = 1.0,
    device: str = "auto",
) -> Report:
    """Measure the model in a run folder or bundle, or a set of images, against real data.

    `against` is a data source; the default is the training data. `split` is train or test; the default is test, if there is
    one. `samples` is the number in each set; there may be fewer. `temperature` is for a model of text, `strength` for one that
    translates or enlarges: see `Model.translate` and `Model.upscale`. The networks compute on `device`.

    Raises:
        UsageError: an unknown measure, or one that does not fit.
        DataError: nothing to measure, or nothing to measure against.
    """
    if samples < 100:
        raise UsageError(f"--samples: expected at least 100, got {samples}; use more: fewer give no reliable number")
    where = find_device(device)
    model, subject = _subject(Path(target), where)
    if model and isinstance(model.game, Writes):
        subject += f" at temperature {temperature:g}" if temperature != 1 else ""
        options: dict[str, Any] = {"samples": samples, "seed": seed, "split": split, "temperature": temperature}
        return _evaluate_text(model, subject, against, metrics, **options)
    if temperature != 1:
        raise UsageError("only a model of text has a temperature; leave --temperature out")
    if strength != 1:
        require_strength(strength)
        if model is None or not any(not way.of_maps for way in list_ways(model.game)):
            raise UsageError("only a model that translates or enlarges pictures has a strength; leave --strength out")
        subject += f" at strength {strength:g}"
    if model and isinstance(model.game, TakesInputs):
        chosen_network = load_extractor(network, where) if isinstance(network, str) else network
        options = {"samples": samples, "split": split, "network": chosen_network, "strength": strength}
        return _evaluate_outputs(model, subject, against, metrics, **options)
    if model and isinstance(model.game, Classifies) and not isinstance(model.game, Samples):
        return _evaluate_classifier(model, subject, against, metrics, samples, split)
    chosen = tuple(DEFAULT if metrics is None else metrics)
    for name in chosen:
        if name not in COMPARE and name not in OTHERS:
            raise unknown_name("metric", name, (*COMPARE, *OTHERS))
    source = model.data_source(against, "--against") if model else against
    if source is None:
        raise UsageError(f"{target} holds pictures, no model: say what to measure them against with --against DATA")
    shape = model.shape if model else None
    data = model.data_config(source) if model else source
    real, others, train, reference = real_sample_sets(data, shape, samples, split)
    network = load_extractor(network, where) if isinstance(network, str) else network
    if network is None and real.modality is IMAGES:
        network = choose_extractor(source, real.data.shape[1], where)
    resized: tuple[str, ...] = ()
    if model:
        fake = fake_sample_set(model, len(real.data), seed, others.first.labels)
    else:
        fake, resized = picture_set(str(target), len(real.data), real)
        others = others.resize(len(fake.data))
    other = others.first
    units = choose_units(train.table) if real.modality is POINTS else None
    if units is not None:
        resized = ("points are compared in standard deviations of each coordinate",)
    for side in (real, other, others, fake):
        side.extractor, side.classes, side.units = network, train.classes, units
    fake = require_same_shape(fake, real)
    explicit = metrics is not None
    measures, notes = compare_sets(chosen, fake, real, others, explicit)
    notes = (*resized, *notes)
    if "each" in chosen and (explicit or any(name.startswith("requested") for name in measures)):
        whole = name_measure("requested", len(fake.data), network.name if network else "none")
        measures |= {f"{whole}:{name}": measured for name, measured in measure_each_class(fake, other).items()}
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
        try:
            run = Path(target) if model and Path(target).is_dir() else None
            copies = measure_memorization(fake.data, train, real.data, run)
        except UsageError as misfit:  # too few held-out samples, or most of them are training samples too
            if explicit:
                raise
            notes += (f"left out: memorisation ({misfit})",)
    return Report(subject, int(model.card["items"]) if model else 0, reference, measures, copies, notes)


def _evaluate_outputs(model: Model, subject: str, against: str | None, metrics: Sequence[str] | None, **options: Any) -> Report:
    """The report on a model that takes inputs."""
    source = model.data_source(against, "--against")
    measures, reference, notes, baseline = measure_outputs(model, source, chosen=metrics, **options)
    return Report(subject, int(model.card["items"]), reference, measures, None, notes, baseline)


def _evaluate_classifier(
    model: Model, subject: str, against: str | None, metrics: Sequence[str] | None, samples: int, split: str | None
) -> Report:
    """The report on a classifier."""
    measures, reference = measure_classifier(model, model.data_source(against, "--against"), metrics, samples, split)
    return Report(subject, int(model.card["items"]), reference, measures, None, (), COMMONEST)


def _evaluate_text(model: Model, subject: str, against: str | None, metrics: Sequence[str] | None, **options: Any) -> Report:
    """The report on a model of text."""
    source = model.data_source(against, "--against")
    found, reference = measure(model, source, chosen=metrics, **options)
    measures = {name_measure(name, values[3], "none"): Measurement(*values, "none") for name, values in found.items()}
    return Report(subject, int(model.card["items"]), reference, measures, None, ())


def _subject(path: Path, device: torch.device) -> tuple[Model | None, str]:
    path = find_model(path)
    if (path / "model.safetensors").exists() or path.suffix == ".safetensors":
        model = load(path, device)
        return model, f"{model.card['recipe']['name']} after {model.card['items']:,} images"
    if (path / "recipe.json").exists():
        raise DataError(f"{path} has saved no model yet; let it train on, or name another run")
    if split_name(str(path))[1] not in BUILT_IN and not path.expanduser().exists():
        raise DataError(f"{path}: no such run folder, bundle or set of images; check the path")
    return None, str(path)


def record(run: Path, report: Report, seed: int) -> None:
    """Append the report to metrics.jsonl, of a run folder only. If the disk refuses, that is a warning."""
    if not (run / "recipe.json").exists():
        return
    row = {"items": report.items, "seed": seed, "reference": report.reference, "metrics": report.to_dict()}
    path = run / "metrics.jsonl"
    try:
        append(path, (json.dumps(row) + "\n").encode())
    except OSError as refused:  # such as the run of another user
        warnings.warn(f"the measures are not kept in {printable(path)}: {refused.strerror}", GanvasWarning, stacklevel=2)
