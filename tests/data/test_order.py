"""The data order: permutations, independent of how it is cut into batches."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ganvas.data import order
from ganvas.data.order import crops, flips, rows
from ganvas.errors import DataError

seeds = st.integers(0, 2**40)


@given(seed=seeds, n=st.integers(1, 60), epoch=st.integers(0, 1000))
@settings(max_examples=60, deadline=None)
def test_every_epoch_is_a_permutation(seed: int, n: int, epoch: int) -> None:
    assert sorted(rows(seed, epoch * n, n, n).tolist()) == list(range(n))


@given(seed=seeds, n=st.integers(1, 20), start=st.integers(0, 100), cuts=st.lists(st.integers(0, 45), max_size=6))
@settings(max_examples=60, deadline=None)
def test_cutting_into_batches_changes_nothing(seed: int, n: int, start: int, cuts: list[int]) -> None:
    whole = rows(seed, start, sum(cuts), n)
    parts = [rows(seed, start + sum(cuts[:i]), count, n) for i, count in enumerate(cuts)]
    assert torch.equal(whole, torch.cat([torch.empty(0, dtype=torch.int64), *parts]))
    mirrored = [flips(seed, start + sum(cuts[:i]), count) for i, count in enumerate(cuts)]
    assert torch.equal(flips(seed, start, sum(cuts)), torch.cat([torch.empty(0, dtype=torch.bool), *mirrored]))


@given(seed=seeds)
@settings(max_examples=30, deadline=None)
def test_seeds_and_epochs_differ(seed: int) -> None:
    first = rows(seed, 0, 50, 50)
    assert not torch.equal(first, rows(seed + 1, 0, 50, 50))
    assert not torch.equal(first, rows(seed, 50, 50, 50))
    assert not torch.equal(flips(seed, 0, 100), flips(seed + 1, 0, 100))


def test_changing_a_batch_leaves_the_order_alone() -> None:
    before = rows(3, 0, 10, 10)
    rows(3, 0, 10, 10).zero_()
    assert torch.equal(rows(3, 0, 10, 10), before)


def test_flips_are_half_and_uncorrelated() -> None:
    drawn = flips(0, 0, 100_000).float()
    assert abs(float(drawn.mean()) - 0.5) < 0.005
    assert abs(float(((drawn[1:] - 0.5) * (drawn[:-1] - 0.5)).mean())) < 0.003
    assert flips(0, 10**12, 3).shape == (3,)


def test_dtypes_and_empty() -> None:
    assert rows(0, 5, 0, 7).dtype == torch.int64
    assert rows(0, 5, 0, 7).shape == (0,)
    assert flips(0, 5, 0).dtype == torch.bool


@pytest.mark.parametrize(("start", "count", "n"), [(0, 1, 0), (-1, 1, 5), (0, -1, 5)])
def test_impossible_orders_are_refused(start: int, count: int, n: int) -> None:
    with pytest.raises(DataError, match="data order needs"):
        rows(0, start, count, n)


def test_permutations_kept_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four permutations of ten million rows took 320 MB; now they take what `CACHE_BYTES` allows, or two of them."""
    monkeypatch.setattr(order, "CACHE_BYTES", 10_000)
    order._kept.clear()
    for epoch in range(6):
        rows(0, epoch * 2_000, 10, 2_000)
        assert sum(kept.nbytes for kept in order._kept.values()) <= 2 * 4 * 2_000
    assert list(order._kept) == [(0, 4, 2_000), (0, 5, 2_000)]
    for epoch in range(40):
        rows(0, epoch * 5, 5, 5)
    assert len(order._kept) == order.NUMBER


def test_the_order_is_that_of_a_permutation_of_long_numbers() -> None:
    """However the permutation is kept, a run of before goes on as it was."""
    expected = torch.randperm(100, generator=torch.Generator().manual_seed(order.mix("order", 7, 2)))
    assert torch.equal(rows(7, 200, 100, 100), expected)


@given(seed=seeds, start=st.integers(0, 10**12), count=st.integers(0, 40), height=st.integers(0, 40), width=st.integers(0, 40))
@settings(max_examples=60, deadline=None)
def test_crops_stay_inside_and_depend_on_the_position_only(seed: int, start: int, count: int, height: int, width: int) -> None:
    top, left = crops(seed, start, count, (height, width))
    assert top.shape == left.shape == (count,)
    assert bool(((top >= 0) & (top <= height) & (left >= 0) & (left <= width)).all())
    later = crops(seed, start + 1, max(0, count - 1), (height, width))
    assert torch.equal(top[1:], later[0])
    assert torch.equal(left[1:], later[1])


def test_crops_reach_every_place_alike() -> None:
    top, left = crops(0, 0, 40_000, (3, 7))
    assert (top.bincount() / 40_000 - 1 / 4).abs().max() < 0.01
    assert (left.bincount() / 40_000 - 1 / 8).abs().max() < 0.01
    assert abs(float(torch.corrcoef(torch.stack((top, left)).double())[0, 1])) < 0.02
