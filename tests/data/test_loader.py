"""Batches on a device: the same as the data's own, made ahead where there is an accelerator, checked once."""

from __future__ import annotations

import threading

import pytest
import torch
from torch import Tensor

from ganvas.core.modality import normalize_batch
from ganvas.data.loader import Loader, fetch
from ganvas.data.table import TableDataset
from ganvas.errors import DataError


class Recorded(TableDataset):
    """A table that notes which batches were made, and by which thread."""

    def batch(self, seed: int, start: int, count: int) -> dict[str, Tensor]:
        MADE.append((start, threading.current_thread() is threading.main_thread()))
        return super().batch(seed, start, count)


MADE: list[tuple[int, bool]] = []


@pytest.fixture
def data() -> TableDataset:
    MADE.clear()
    pixels = torch.randint(0, 256, (10, 3, 4, 4), dtype=torch.uint8)
    return Recorded("table", {"real": pixels, "label": torch.arange(10)}, tuple("0123456789"), flip=True)


def test_on_the_cpu_a_batch_is_made_when_it_is_asked_for(data: TableDataset) -> None:
    loader = Loader(data, 3, 4, stride=8, needs=("real", "label"))
    for start in (0, 8, 4):
        batch, own = loader.batch(start), normalize_batch(data.batch(3, start, 4), data.modalities)
        assert all(torch.equal(batch[name], own[name]) for name in own)
    assert all(main for _, main in MADE)
    assert loader.pool is None


def test_on_an_accelerator_a_thread_makes_the_next_batch(data: TableDataset) -> None:
    """The meta device stands in: it has no values, but all else."""
    loader = Loader(data, 3, 4, stride=8, device="meta", needs=("real",))
    for start in (0, 8, 16):
        batch = loader.batch(start)
        assert {x.device.type for x in batch.values()} == {"meta"}
        assert (batch["real"].shape, batch["real"].dtype) == ((4, 3, 4, 4), torch.float32)
    assert loader.ahead is not None
    loader.ahead[1].result()
    assert MADE == [(0, True), (8, False), (16, False), (24, False)]


def test_what_was_made_ahead_is_used_at_its_position_only(data: TableDataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a roll-back another batch is asked for than the one that was made ahead."""
    loader = Loader(data, 3, 4, device="meta")
    monkeypatch.setattr("ganvas.data.loader._place", lambda data, kept, _device: normalize_batch(kept, data.modalities))
    for start in (0, 4, 0, 4, 20):
        batch, own = loader.batch(start), normalize_batch(data.batch(3, start, 4), data.modalities)
        assert all(torch.equal(batch[name], own[name]) for name in own)


def test_the_first_batch_is_checked() -> None:
    data = TableDataset("points", {"real": torch.zeros(9, 2)})
    with pytest.raises(DataError, match=r"the game needs the field 'label' .*; the data gives: real"):
        Loader(data, 0, 3, needs=("real", "label")).batch(0)
    assert fetch(data, 0, 2, 5)["real"].shape == (5, 2)


def test_an_error_of_the_thread_is_raised_when_its_batch_is_asked_for(
    data: TableDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    loader = Loader(data, 3, 4, device="meta")
    loader.batch(0)
    assert loader.ahead is not None
    loader.ahead[1].result()

    def fail(*_: object) -> dict[str, Tensor]:
        raise DataError("gone")

    monkeypatch.setattr(Recorded, "batch", fail)
    loader.batch(4)
    with pytest.raises(DataError, match="gone"):
        loader.batch(8)


def test_the_thread_ends_with_its_loader(data: TableDataset) -> None:
    loader = Loader(data, 3, 4, device="meta")
    loader.batch(0)
    threads = list(loader.pool._threads) if loader.pool else []
    assert threads
    if loader.ahead:
        loader.ahead[1].result()
    del loader
    for thread in threads:
        thread.join(timeout=10)
        assert not thread.is_alive()
