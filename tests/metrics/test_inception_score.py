"""The Inception score's closed forms."""

from __future__ import annotations

import math
import warnings

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torchmetrics.image.inception import InceptionScore

from ganvas.metrics.inception_score import inception_score


def sure(labels: Tensor, classes: int = 10) -> Tensor:
    """Logits of a classifier that is certain."""
    return 100 * torch.nn.functional.one_hot(labels, classes).double()


@pytest.mark.parametrize("classes", [2, 10, 100])
def test_balanced_sure_classes_score_their_number(classes: int) -> None:
    """Source: arXiv:1801.01973 sec. 2: the maximum is the number of classes."""
    mean, spread = inception_score(sure(torch.arange(10 * classes) % classes, classes))
    assert mean == pytest.approx(classes, rel=1e-12)
    assert spread == pytest.approx(0, abs=1e-9)


def test_a_classifier_that_never_changes_its_mind_scores_one() -> None:
    mean, _ = inception_score(torch.tensor([[3.0, 1.0, -2.0]]).expand(100, 3))
    assert mean == pytest.approx(1, abs=1e-12)


def test_bias_of_splits() -> None:
    """K exp(-(K - 1) / (2 N / splits)) for random sure labels: 9.56 of 10, torchmetrics 9.58 on one draw of 1,000."""
    generator = torch.Generator().manual_seed(0)
    scores = [inception_score(sure(torch.randint(10, (1000,), generator=generator)))[0] for _ in range(20)]
    assert 10 * math.exp(-9 / 200) == pytest.approx(9.56, abs=5e-3)
    assert sum(scores) / 20 == pytest.approx(9.56, abs=0.02)


def test_rows_sorted_by_class_score_as_if_there_were_one_class() -> None:
    labels = torch.arange(1000) // 100
    assert inception_score(sure(labels))[0] == pytest.approx(1)
    assert inception_score(sure(labels), splits=1)[0] == pytest.approx(10)


def test_agrees_with_torchmetrics() -> None:
    logits = 3 * torch.randn(500, 10, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it keeps all features, and that one split has no deviation
        theirs = InceptionScore(feature=nn.Identity(), splits=1)
        theirs.update(logits)
        expected = theirs.compute()[0].item()
    assert inception_score(logits, splits=1)[0] == pytest.approx(expected, rel=1e-6)


def test_the_deviation_is_that_of_the_splits() -> None:
    """The divisor is the number of splits. Source: openai/improved-gan, inception_score/model.py (np.std)."""
    logits = torch.randn(101, 5, generator=torch.Generator().manual_seed(0))
    parts = [inception_score(logits[start:stop], splits=1)[0] for start, stop in ((0, 33), (33, 67), (67, 101))]
    mean, spread = inception_score(logits, splits=3)
    assert mean == pytest.approx(sum(parts) / 3)
    assert spread == pytest.approx(math.sqrt(sum((part - mean) ** 2 for part in parts) / 3))


@given(st.integers(0, 1000), st.floats(-1000, 1000), st.floats(0, 300))
def test_bounds_and_invariance(seed: int, shift: float, scale: float) -> None:
    """Between 1 and K, whatever the logits' common shift, the order of the rows or of the classes."""
    logits = scale * torch.randn(20, 4, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    score, _ = inception_score(logits, splits=1)
    assert 1 - 1e-9 <= score <= 4 + 1e-9
    assert inception_score(logits.flip(0, 1) + shift, splits=1)[0] == pytest.approx(score)
