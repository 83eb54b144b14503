"""Ranks that meet in shared memory: their mean, and what happens when one is gone."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest
import torch

from ganvas.errors import ResourceError
from ganvas.exchange import LINE, Exchange, gone, possible

pytestmark = pytest.mark.skipif(not possible(), reason="no shared memory here whose order of stores is known")


def pair() -> list[Exchange]:
    """Two ranks in two threads of this process."""
    shared: list[str] = []
    made: dict[int, Exchange] = {}
    there = threading.Barrier(2)

    def agree(path: str | None) -> str:
        if path:
            shared.append(path)
        there.wait(10)
        return shared[-1]

    def enter(rank: int) -> None:
        made[rank] = Exchange(rank, 2, agree, lambda: there.wait(10))

    threads = [threading.Thread(target=enter, args=(rank,)) for rank in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    return [made[0], made[1]]


def test_the_mean_is_the_same_on_both() -> None:
    both = pair()
    found = [torch.arange(5.0) * (rank + 1) for rank in (0, 1)]
    threads = [threading.Thread(target=one.mean_, args=(flat,)) for one, flat in zip(both, found, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert torch.equal(found[0], torch.arange(5.0) * 1.5)
    assert torch.equal(found[0], found[1])


def test_nobody_waits_for_the_dead() -> None:
    mine, other = pair()
    assert not gone(os.getpid())
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert gone(ended.pid)
    mine.capacity, mine.slots = other.capacity, other.slots = 4, torch.zeros(2, 2, 4)  # as after a first mean
    other.flags[LINE + 1] = ended.pid
    with pytest.raises(ResourceError, match="rank 1 died"):
        mine.mean_(torch.zeros(4))
