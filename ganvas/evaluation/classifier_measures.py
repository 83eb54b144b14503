"""How often a classifier is right, on real samples that it has not seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch

from ganvas.core.capabilities import Classifies
from ganvas.data.open import open_source
from ganvas.data.table import TableDataset
from ganvas.errors import DataError, UsageError, unknown_name
from ganvas.evaluation.measure_names import CLASSIFIERS
from ganvas.evaluation.measures import Measurement, name_measure
from ganvas.evaluation.sample_sets import Reference, require_no_text
from ganvas.inference.model import Model
from ganvas.metrics.confidence import wilson
from ganvas.runtime import placement

COMMONEST = "commonest class"  # the baseline: the accuracy of always naming it
CHUNK = 500


def measure_classifier(
    model: Model, source: str, chosen: Sequence[str] | None = None, samples: int = 10_000, split: str | None = None
) -> tuple[dict[str, Measurement], str]:
    """The measures of a classifier by name, and the reference in words. The accuracy on one class is the recall of that class.

    Raises:
        UsageError: an unknown measure, or a model that is no classifier.
        DataError: the source has no classes, others than the model, or too few samples.
    """
    game = model.game
    if not isinstance(game, Classifies):
        raise UsageError(f"{model.name} is no classifier")
    for name in chosen or ():
        if name not in CLASSIFIERS:
            raise unknown_name("metric of a classifier", name, CLASSIFIERS)
    config, shape = model.data_config(source), model.shape

    def open_split(part: str) -> TableDataset:
        how = replace(config, split=part)  # type: ignore[arg-type]
        return require_no_text(open_source(how, resolution=shape[-1], channels=shape[0]))

    found = Reference.choose(source, open_split, samples, split, "samples")
    classes = list(model.card["classes"])
    if "label" not in found.source.modalities:
        raise DataError(
            f"{source}: expected samples with classes, and these have none; put each class into a folder of its own"
        )
    if list(found.source.classes) != classes:
        raise DataError(f"{source}: expected the classes {classes}, got {list(found.source.classes)}")
    right, labels = [], []
    with torch.no_grad():
        for rows in found.rows.split(CHUNK):
            batch = found.source.samples(rows)
            right.append(placement.to_cpu(game.classify(batch["real"].to(model.device)).argmax(1)) == batch["label"])
            labels.append(batch["label"])
    truth, correct = torch.cat(labels), torch.cat(right)
    commonest = float(truth.bincount().max() / len(truth))
    measures = {}
    whole = name_measure("accuracy", len(truth), "none")
    asked = chosen or tuple(CLASSIFIERS)
    if "accuracy" in asked:
        value = float(correct.double().mean())
        measures[whole] = Measurement(value, wilson(value, len(truth)), None, len(truth), "none", commonest)
    if "each" in asked:
        for number, name in enumerate(classes):
            if len(mine := correct[truth == number]):
                value = float(mine.double().mean())
                measures[f"{whole}:{name}"] = Measurement(value, wilson(value, len(mine)), None, len(mine), "none")
    return measures, found.words
