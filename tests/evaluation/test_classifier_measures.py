"""The measures of a classifier: how often it is right, on real samples, and on those of each class."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from support import save_untrained

from ganvas.errors import DataError, UsageError
from ganvas.evaluation.classifier_measures import measure_classifier
from ganvas.evaluation.evaluate import evaluate
from ganvas.inference.model import load


@pytest.fixture
def classifier(tmp_path: Path) -> Path:
    """A bundle of a classifier of digits, before any training."""
    return save_untrained("classifier-mnist", tmp_path)


def test_the_accuracy_is_the_share_that_is_right(classifier: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that always answers 7 is right on the sevens: 1,028 of the 10,000 test digits of MNIST (LeCun et al. 1998)."""
    model = load(classifier)
    monkeypatch.setattr(type(model.game), "classify", lambda _, x: (torch.arange(10) == 7).float().expand(len(x), 10))
    measures, reference = measure_classifier(model, "mnist")
    assert reference == "10,000 real samples of the test split of mnist"
    assert measures["accuracy10k"].value == pytest.approx(0.1028)
    assert measures["accuracy10k"].baseline == pytest.approx(0.1135)  # the ones
    assert measures["accuracy10k:7"].value == 1
    assert measures["accuracy10k:1"].value == 0


def test_the_report_has_the_weakest_class_and_the_baseline(classifier: Path) -> None:
    text = evaluate(classifier, samples=500).text()
    assert "classifier-mnist after 0 images against 500 real samples" in text
    assert "commonest class" in text
    assert "  accuracy, the weakest first: " in text
    assert set(evaluate(classifier, samples=500, metrics=["accuracy"]).measures) == {"accuracy500"}


def test_what_does_not_fit_is_told(classifier: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"unknown metric of a classifier 'fd'"):
        evaluate(classifier, metrics=["fd"])
    with pytest.raises(DataError, match=r"fashion: expected the classes .*'7'.*, got .*shirt|fashion"):
        evaluate(classifier, against="fashion")
    with pytest.raises(DataError, match="emoji-shading: expected"):
        evaluate(classifier, against="emoji-shading")
