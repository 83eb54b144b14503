"""Nearest neighbours are exact, and a generator that replays its training set is named."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
import torch
from torch import Tensor

from ganvas.config import DataConfig
from ganvas.data.open import open_source
from ganvas.errors import UsageError
from ganvas.metrics.memorization import Memorization, _add, _chances, memorization
from ganvas.metrics.nearest_neighbours import BLOCK_BYTES, CHUNK, k_nearest, nearest, rows_at_a_time


def normal(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def bytes_of(seed: int, *shape: int) -> Tensor:
    return torch.randint(0, 256, shape, generator=torch.Generator().manual_seed(seed), dtype=torch.uint8)


def test_nearest_is_what_a_search_finds() -> None:
    queries, bank = normal(0, 40, 5), normal(1, 700, 5)
    distances, index = nearest(queries, bank)
    expected = torch.cdist(queries, bank, compute_mode="donot_use_mm_for_euclid_dist").min(1)
    assert torch.equal(index, expected.indices)
    torch.testing.assert_close(distances, expected.values, rtol=1e-6, atol=0)


@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_a_copy_is_at_distance_zero(offset: float) -> None:
    """Expanding |x - y|^2 in float32 would put a copy among numbers near 10,000 at a distance of about 10."""
    bank = (offset + normal(0, 900, 64)).float()
    which = torch.tensor([3, 899, 500, 0])
    distances, index = nearest(bank[which], bank)
    assert distances.tolist() == [0, 0, 0, 0]
    assert torch.equal(index, which)


def test_distances_of_bytes_are_exact() -> None:
    """The squared distance of two images is a whole number, and comes out as one."""
    queries, bank = bytes_of(0, 20, 3, 8, 8), bytes_of(1, 60, 3, 8, 8)
    distances, index = nearest(queries, bank)
    squared = (queries.long() - bank[index].long()).square().sum((1, 2, 3))
    assert torch.equal(distances, squared.double().sqrt())


def test_chunks_change_no_bit() -> None:
    queries, bank = normal(0, 30, 9).float(), normal(1, 333, 9).float()
    whole = nearest(queries, bank, chunk=333)
    for chunk in (1, 10, 332, 1000):
        found = nearest(queries, bank, chunk=chunk)
        assert torch.equal(found[0], whole[0])
        assert torch.equal(found[1], whole[1])


def test_some_rows_of_a_bank_are_searched_in_parts() -> None:
    """As if the rows were a bank of their own, but never copied as a whole."""
    queries, bank = bytes_of(0, 7, 1, 5, 5), bytes_of(1, 90, 1, 5, 5)
    rows = torch.randperm(90, generator=torch.Generator().manual_seed(2))[:40]
    expected, found = nearest(queries, bank[rows]), nearest(queries, bank, chunk=6, rows=rows)
    assert all(torch.equal(a, b) for a, b in zip(expected, found, strict=True))
    expected, found = k_nearest(queries, bank[rows], 3), k_nearest(queries, bank, 3, chunk=6, rows=rows)
    assert all(torch.equal(a, b) for a, b in zip(expected, found, strict=True))
    floats, table = normal(3, 7, 4), normal(4, 90, 4)
    assert torch.equal(nearest(floats, table, rows=rows)[1], nearest(floats, table[rows])[1])


def test_large_samples_are_compared_in_smaller_blocks() -> None:
    assert rows_at_a_time(784) == CHUNK
    assert rows_at_a_time(3 * 256 * 256) * 3 * 256 * 256 * 8 <= BLOCK_BYTES
    assert rows_at_a_time(10**9) == 1


# Digits stand-in: samples of a law in 20 dimensions.
TRAIN, HELD_OUT = normal(0, 2000, 20), normal(1, 1000, 20)


def test_a_healthy_generator_is_cleared() -> None:
    found = memorization(normal(2, 1500, 20), TRAIN, HELD_OUT)
    assert found.share == pytest.approx(0.01, abs=0.008)
    assert found.expected == pytest.approx(10 / 1001)
    assert found.median_ratio == pytest.approx(1, abs=0.02)
    assert not found.copies
    assert "no sign of copying" in found.verdict


@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_a_generator_that_replays_training_samples_is_named(noise: float) -> None:
    fakes = TRAIN[:1500] + noise * normal(2, 1500, 20)
    found = memorization(fakes, TRAIN, HELD_OUT)
    assert found.share > 0.99
    assert found.median_ratio < 0.2
    assert found.p_value < 1e-9
    assert found.copies
    assert "the generator repeats training samples" in found.verdict


def test_a_few_replays_among_fresh_samples_are_named() -> None:
    """One fake in ten is a copy: the median does not see it, the near tail does."""
    found = memorization(torch.cat([normal(2, 1350, 20), TRAIN[:150]]), TRAIN, HELD_OUT)
    assert found.share == pytest.approx(0.11, abs=0.01)
    assert found.median_ratio == pytest.approx(1, abs=0.05)
    assert found.copies


def test_replaying_held_out_samples_is_no_memorisation() -> None:
    """What the generator cannot have seen it cannot have learnt by heart."""
    assert not memorization(HELD_OUT.flip(0), TRAIN, HELD_OUT).copies


def test_a_generator_off_the_data_is_no_copier() -> None:
    found = memorization(5 + normal(2, 500, 20), TRAIN, HELD_OUT)
    assert found.share == 0
    assert found.median_ratio > 2
    assert not found.copies


def test_images_are_compared_as_they_are() -> None:
    train, held_out = bytes_of(0, 200, 1, 6, 6), bytes_of(1, 200, 1, 6, 6)
    assert memorization(train, train, held_out).share == 1
    assert not memorization(bytes_of(2, 200, 1, 6, 6), train, held_out).copies


def test_the_expected_share_is_exact() -> None:
    """Fresh fakes and held-out reals are exchangeable: on average j / (H + 1) of the fakes are among the near ones."""
    found: list[Memorization] = [
        memorization(normal(3 * i, 100, 3), normal(3 * i + 1, 50, 3), normal(3 * i + 2, 60, 3)) for i in range(300)
    ]
    shares = torch.tensor([each.share for each in found])
    assert found[0].expected == 1 / 61
    assert abs(shares.mean().item() - 1 / 61) < 4 * shares.std().item() / 300**0.5
    assert sum(each.p_value < 0.05 for each in found) <= 27  # 15 expected; 27 is 3 standard deviations more
    assert not any(each.copies for each in found)


def test_the_p_value_is_the_beta_binomial_tail() -> None:
    found = memorization(normal(2, 700, 20), TRAIN, HELD_OUT)
    expected = scipy.stats.betabinom.sf(round(700 * found.share) - 1, 700, 10, 991)
    assert 0.01 < found.p_value < 0.99
    assert found.p_value == pytest.approx(expected, rel=1e-6)
    for count, n, alpha, beta in ((0, 10, 1, 60), (3, 100, 1, 60), (150, 10_000, 100, 9901), (10_000, 10_000, 5, 3)):
        expected = scipy.stats.betabinom.sf(count - 1, n, alpha, beta)
        assert _chances(n, alpha, beta)[count:].sum().item() == pytest.approx(expected, rel=1e-6)


def test_the_counts_of_classes_add_up() -> None:
    one, other = scipy.stats.betabinom.pmf(range(21), 20, 1, 30), scipy.stats.betabinom.pmf(range(9), 8, 2, 5)
    assert _add(_chances(20, 1, 30), _chances(8, 2, 5)).tolist() == pytest.approx(np.convolve(one, other).tolist(), rel=1e-6)


def two_classes(seed: int, n: int, share: float) -> Tensor:
    """The share of the simple class, whose samples are near to each other, and the others: [n, 6]."""
    simple = int(share * n)
    return torch.cat([8 + 0.1 * normal(seed, simple, 6), normal(seed + 1, n - simple, 6)])


def test_a_generator_of_one_simple_class_is_compared_within_the_class() -> None:
    """New samples of it are nearer to the training set than most held-out samples are, which all are nearer than others."""
    train, held_out, fakes = two_classes(0, 600, 0.5), two_classes(2, 300, 0.1), two_classes(4, 300, 1)
    assert memorization(fakes, train, held_out).copies  # nobody knows the classes
    found = memorization(fakes, train, held_out, labels=(torch.arange(600) >= 300).long())
    assert not found.copies
    assert found.p_value > 0.01
    assert "held-out reals of their class" in found.verdict
    copied = torch.cat([fakes[:200], train[:100]])
    assert memorization(copied, train, held_out, labels=(torch.arange(600) >= 300).long()).copies


def test_false_accusations_are_as_rare_as_stated() -> None:
    """200 honest generators of one of two classes: 10 p-values below 0.05 expected, at most 19 (3 standard deviations)."""
    labels = (torch.arange(300) >= 150).long()
    found = [
        memorization(
            two_classes(6 * i, 100, 1), two_classes(6 * i + 2, 300, 0.5), two_classes(6 * i + 4, 120, 0.5), labels=labels
        )
        for i in range(200)
    ]
    assert sum(each.p_value < 0.05 for each in found) <= 19
    assert not any(each.copies for each in found)


@pytest.mark.parametrize("classes", [1, 10])
@pytest.mark.parametrize("share", [0.02, 0.03])
def test_few_copies_are_found(share: float, classes: int) -> None:
    """2 or 3 copies among 100 fakes, of 1,000, in at least 9 of 10 runs, with and without classes."""
    named = 0
    for i in range(10):
        centres = 20 * normal(99, classes, 20)
        train, held_out, fresh = (
            centres[torch.arange(n) % classes] + normal(3 * i + part, n, 20) for part, n in enumerate((2000, 2000, 1000))
        )
        copies = int(1000 * share)
        fakes = torch.cat([fresh[copies:], train[:copies]])
        found = memorization(fakes, train, held_out, labels=torch.arange(2000) % classes if classes > 1 else None)
        named += found.copies
        assert not memorization(fresh, train, held_out, labels=torch.arange(2000) % classes if classes > 1 else None).copies
    assert named >= 9


def test_a_smooth_generator_is_not_taken_for_few_copies() -> None:
    """All of its samples are a little nearer to the training set; none is a copy."""
    found = memorization(0.93 * normal(2, 1000, 20), TRAIN, HELD_OUT)
    assert found.median_ratio < 0.97
    assert not found.copies


def test_unseen_ones_are_not_taken_for_copies() -> None:
    """All 500 fakes are real digits 1 that no training set holds: a simple class, with small distances."""
    train, test = (open_source(DataConfig(source="mnist", split=split)).fields for split in ("train", "test"))
    ones = test["real"][test["label"] == 1][:500]
    others = torch.cat([(test["label"] != 1).nonzero()[:, 0][:400], (test["label"] == 1).nonzero()[:, 0][500:550]])
    part = slice(0, 2_500)
    found = memorization(ones, train["real"][part], test["real"][others], labels=train["label"][part])
    assert not found.copies
    assert found.p_value > 1e-3
    assert memorization(ones, train["real"][part], test["real"][others]).p_value < 1e-3  # what happened without classes
    with pytest.raises(UsageError, match=r"labels: expected one for each of 2,500 training samples, found \[60000\]"):
        memorization(ones, train["real"][part], test["real"][others], labels=train["label"])


def test_doubles_in_the_data_do_not_hide_copies() -> None:
    """A tenth of the held-out samples are in the training set: then as many fakes at distance 0 are no surprise."""
    leaky = torch.cat([HELD_OUT[:900], TRAIN[:100]])
    honest = memorization(torch.cat([normal(2, 900, 20), TRAIN[100:200]]), TRAIN, leaky)
    assert honest.expected == pytest.approx(100 / 1001)
    assert not honest.copies
    assert memorization(TRAIN[:1000], TRAIN, leaky).copies


def test_the_verdict_is_a_sentence_with_its_numbers() -> None:
    fakes = TRAIN[:1000]
    assert memorization(fakes, TRAIN, HELD_OUT).verdict == (
        "100.0% of 1,000 fakes are as near to a training sample as the nearest 1.0% of held-out reals, "
        "median distance 0.00 of theirs: the generator repeats training samples."
    )


def test_the_k_closest_are_what_a_search_finds() -> None:
    queries, bank = normal(0, 12, 5), normal(1, 700, 5)
    distances, index = k_nearest(queries, bank, 4, chunk=90)
    expected = torch.cdist(queries, bank, compute_mode="donot_use_mm_for_euclid_dist").topk(4, largest=False)
    assert torch.equal(index, expected.indices)
    torch.testing.assert_close(distances, expected.values, rtol=1e-6, atol=0)
    nearby = nearest(queries, bank)
    assert torch.equal(distances[:, 0], nearby[0])
    assert torch.equal(index[:, 0], nearby[1])


def test_of_equals_the_earlier_is_closer() -> None:
    bank = bytes_of(0, 5, 1, 4, 4).repeat(3, 1, 1, 1)
    _, index = k_nearest(bank[:5], bank, 3, chunk=4)
    assert index.tolist() == [[row, row + 5, row + 10] for row in range(5)]
    for k in (0, 16):
        with pytest.raises(UsageError, match="expected from 1 to 15, the size of the bank"):
            k_nearest(bank[:5], bank, k)
