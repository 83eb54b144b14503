"""The data order: permutations, independent of how it is cut into batches."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ganvas.data import flips, rows
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
