"""A pool of old fakes: how it fills, what it exchanges, and that a step can be taken back."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from ganvas.core.game import Step
from ganvas.core.memory import Memory


def numbered(first: int, count: int) -> Tensor:
    """Samples [count, 1, 2] that hold their numbers."""
    return torch.arange(first, first + count, dtype=torch.float32)[:, None, None].expand(-1, 1, 2).clone()


def numbers(samples: Tensor | None) -> list[int]:
    assert samples is not None
    return [int(sample.flatten()[0]) for sample in samples]


def test_while_it_fills_fakes_are_kept_and_returned() -> None:
    memory, step = Memory(6), Step()
    assert memory.dump() is None
    for start in (0, 4):
        fresh = numbered(start, 4)
        assert torch.equal(memory.exchange(fresh, step.uniform), fresh)
    assert numbers(memory.dump()) == [0, 1, 2, 3, 4, 5]


def test_a_full_one_exchanges_half_and_loses_nothing() -> None:
    torch.manual_seed(0)
    memory, step = Memory(50), Step()
    memory.exchange(numbered(0, 50), step.uniform)
    old = 0
    for start in range(50, 2050, 20):
        before, fresh = numbers(memory.dump()), numbered(start, 20)
        shown = numbers(memory.exchange(fresh, step.uniform))
        held = numbers(memory.dump())
        assert sorted(shown + held) == sorted(before + numbers(fresh)), "each is shown or kept, and only once"
        old += sum(number < start for number in shown)
    assert 0.4 < old / 2000 < 0.6


def test_a_batch_larger_than_the_pool() -> None:
    memory, step = Memory(3), Step()
    memory.exchange(numbered(0, 3), step.uniform)
    shown = numbers(memory.exchange(numbered(10, 8), step.uniform))
    assert len(shown) == 8
    assert sorted(shown + numbers(memory.dump())) == [0, 1, 2, *range(10, 18)]


def test_a_step_is_taken_back_whole() -> None:
    torch.manual_seed(1)
    memory, step = Memory(6), Step()
    memory.exchange(numbered(0, 4), step.uniform)
    memory.undo()
    assert memory.dump() is None
    memory.exchange(numbered(0, 5), step.uniform)
    memory.keep()
    for start in (10, 20, 30):  # several moves of one step: it fills up, then exchanges
        memory.exchange(numbered(start, 4), step.uniform)
    assert numbers(memory.dump()) != [0, 1, 2, 3, 4]
    memory.undo()
    assert numbers(memory.dump()) == [0, 1, 2, 3, 4]


def test_what_is_dumped_goes_on_the_same() -> None:
    one, other = Memory(4), Memory(4)
    one.exchange(numbered(0, 4), Step().uniform)
    held = one.dump()
    assert held is not None
    other.restore(held.clone())
    for memory in (one, other):
        torch.manual_seed(3)
        memory.exchange(numbered(10, 4), Step().uniform)
    assert numbers(one.dump()) == numbers(other.dump())
    other.restore(None)
    assert other.dump() is None


def test_a_draw_takes_as_many_random_numbers_whether_it_is_full_or_not() -> None:
    states = []
    for full in (False, True):
        memory = Memory(4)
        if full:
            memory.restore(numbered(0, 4))
        torch.manual_seed(0)
        memory.exchange(numbered(10, 2), partial(Step().uniform))
        states.append(torch.get_rng_state())
    assert torch.equal(*states)
