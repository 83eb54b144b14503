"""Stacked-MNIST: three random digits in one picture, 1,000 classes, nearly even."""

from __future__ import annotations

import pytest
import torch

from ganvas.config import DataConfig
from ganvas.data.builtin.stacked_mnist import COUNTS
from ganvas.data.open import open_source
from ganvas.evaluation.model_measures import stacked_measures
from ganvas.inference.feature_extractors import load_extractor


def test_each_colour_is_the_whole_of_mnist_in_an_order_of_its_own() -> None:
    digits = open_source(DataConfig(source="mnist", split="test")).fields["real"]
    stacks = open_source(DataConfig(source="stacked", split="test")).fields["real"]
    assert {"train": 120_000, "test": len(stacks)} == COUNTS
    assert stacks.shape[1:] == (3, 28, 28)
    assert stacks.dtype == torch.uint8
    total = digits.sum(dtype=torch.int64)
    for colour in stacks.split(1, 1):
        assert colour[:10_000].sum(dtype=torch.int64) == colour[10_000:20_000].sum(dtype=torch.int64) == total
    assert not torch.equal(stacks[:10_000, 0], stacks[:10_000, 1])
    assert not torch.equal(stacks[:10_000, 0], stacks[10_000:20_000, 0])


@pytest.mark.slow
def test_real_stacks_show_all_1000_classes_at_the_known_floor() -> None:
    """26,000 real stacks: 1,000 modes, KL 0.0238 = 999 / 52,000 of sampling and three times 0.00143 of uneven digits."""
    test = open_source(DataConfig(source="stacked", split="test")).fields["real"]
    found = stacked_measures(load_extractor("digits"), test, test[:100])
    assert found["captured"].value == 1000
    assert abs(found["reverse_kl"].value - 0.0238) < 0.004
    assert found["reverse_kl"].samples == 26_000


def test_the_extractor_reads_each_colour_by_itself() -> None:
    test = open_source(DataConfig(source="stacked", split="test")).fields["real"][:5]
    whole, one = load_extractor("digits-each").features(test), load_extractor("digits").features(test[:, 1:2])
    assert whole.shape == (5, 3 * one.shape[1])
    torch.testing.assert_close(whole[:, one.shape[1] : 2 * one.shape[1]], one)
