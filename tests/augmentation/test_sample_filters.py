"""The filters of samples: copies, near duplicates and wrong classes are refused, and counted."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ganvas.augmentation.sample_filters import Filter, sum_counts, usual_distance
from ganvas.config import DataConfig
from ganvas.data.open import open_source


def digits(count: int) -> Tensor:
    data = open_source(DataConfig(source="mnist"))
    rows = (data.fields["label"] == 3).nonzero()[:count, 0]
    return data.fields["real"][rows].clone()


def test_copies_of_real_pictures_and_of_samples_are_refused_and_new_digits_are_kept() -> None:
    every = digits(120)
    real, new = every[:100], every[100:110]
    samples = torch.cat([real[:3], new, new[:2]])
    noise = torch.randint(0, 2, samples.shape, dtype=torch.uint8)  # copies need not be exact
    samples = (samples.int() + noise).clamp(max=255).to(torch.uint8)
    filter_ = Filter(real)
    rows = filter_.choose(samples, torch.ones(15, dtype=torch.bool), 15)
    kept = set(rows.tolist())
    assert not kept & {0, 1, 2, 13, 14}
    assert len(kept) >= 8  # of ten real digits that it has not seen
    assert (filter_.counts.near_real, filter_.counts.near_kept) == (15 - len(kept) - 2, 2)
    again = filter_.choose(samples[sorted(kept)], torch.ones(len(kept), dtype=torch.bool), 15)
    assert len(again) == 0  # it remembers those of the call before


def test_samples_of_another_class_are_refused_and_no_more_are_kept_than_asked() -> None:
    every = digits(60)
    agreed = torch.arange(20) % 2 == 0
    filter_ = Filter(every[:40], near=0.0)
    rows = filter_.choose(every[40:], agreed, 4)
    assert rows.tolist() == [0, 2, 4, 6]
    assert vars(filter_.counts) == {"drawn": 7, "kept": 4, "disagree": 3, "near_real": 0, "near_kept": 0}
    assert "4 of 7 kept (refused: 3 another class)" in filter_.counts.text()


@pytest.mark.parametrize("near", [0.0, 0.3, 1.0])
def test_every_drawn_sample_is_kept_or_refused_for_one_reason(near: float) -> None:
    every = digits(90)
    filter_ = Filter(every[:30], near)
    for part in every[30:].split(20):
        filter_.choose(part, torch.rand(len(part)) < 0.8, 100)
    total = sum_counts([filter_.counts, filter_.counts])
    assert filter_.counts.drawn == 60 == filter_.counts.kept + filter_.counts.refused
    assert total.drawn == 120
    assert total.near_real + total.near_kept == 0 or near > 0


def test_a_higher_limit_keeps_fewer() -> None:
    every = digits(200)
    kept = [
        len(Filter(every[:100], near).choose(every[100:], torch.ones(100, dtype=torch.bool), 100)) for near in (0, 0.5, 1.0)
    ]
    assert kept[0] == 100 >= kept[1] > kept[2]
    assert usual_distance(every[:1]) == 0
