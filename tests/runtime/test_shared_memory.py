"""Ranks that meet in shared memory: their mean, and what happens when one is gone."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from ganvas.errors import ResourceError
from ganvas.runtime.shared_memory import LINE, Exchange, is_available, is_dead

pytestmark = pytest.mark.skipif(not is_available(), reason="no shared memory here whose order of stores is known")


def pair() -> list[Exchange]:
    """Two ranks in two threads of this process."""
    shared: list[str | None] = []
    made: dict[int, Exchange] = {}
    there = threading.Barrier(2)

    def agree(rank: int, path: str | None) -> str | None:
        if rank == 0:
            shared.append(path)
        there.wait(10)
        found = shared[-1]
        there.wait(10)
        return found

    def enter(rank: int) -> None:
        made[rank] = Exchange(rank, 2, lambda path: agree(rank, path), lambda: there.wait(10))

    threads = [threading.Thread(target=enter, args=(rank,)) for rank in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    return [made[0], made[1]]


def at_once(work: Callable[[int], object]) -> None:
    """`work(rank)` of both ranks, each in a thread."""
    threads = [threading.Thread(target=work, args=(rank,)) for rank in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)


def test_the_mean_is_the_same_on_both() -> None:
    both = pair()
    layout = torch.channels_last
    found = [
        [torch.arange(5.0) * (rank + 1), torch.full((2, 3, 4, 4), float(rank)).to(memory_format=layout), torch.ones(())]
        for rank in (0, 1)
    ]
    found[1][1][0, 1, 2, 3] = 5.0
    fits = [False, False]

    def mean(rank: int) -> None:
        fits[rank] = both[rank].fits(5 + 96 + 1)
        both[rank].mean_(found[rank])

    at_once(mean)
    assert fits == [True, True]
    assert torch.equal(found[0][0], torch.arange(5.0) * 1.5)
    assert found[0][1][0, 1, 2, 3] == 2.5
    assert found[0][1].sum() == 95 * 0.5 + 2.5
    assert found[0][1].is_contiguous(memory_format=layout)
    assert all(torch.equal(mine, other) for mine, other in zip(*found, strict=True))


def test_no_memory_to_share_is_found_out_before_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Docker gives 64 MB: a file that is only made longer ends the process at the first write."""
    both, before = pair(), set(Path("/dev/shm").glob("ganvas-*"))
    reserve = os.posix_fallocate

    def refuse(handle: int, offset: int, size: int) -> None:
        if size > 1000:
            raise OSError(errno.ENOSPC, "No space left on device")
        reserve(handle, offset, size)

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    fits: dict[int, list[bool]] = {}
    at_once(lambda rank: fits.update({rank: [both[rank].fits(n) for n in (10, 1000, 1000, 11)]}))
    assert fits[0] == fits[1] == [True, False, False, True]
    assert set(Path("/dev/shm").glob("ganvas-*")) == before


def test_nobody_waits_for_the_dead() -> None:
    mine, other = pair()
    assert not is_dead(os.getpid())
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert is_dead(ended.pid)
    mine.capacity, mine.slots = other.capacity, other.slots = 4, torch.zeros(2, 2, 4)  # as after a first mean
    other.flags[LINE + 1] = ended.pid
    with pytest.raises(ResourceError, match="rank 1 died"):
        mine.mean_([torch.zeros(4)])
