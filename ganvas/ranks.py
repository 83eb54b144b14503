"""Several processes playing one game: PyTorch's own distributed runtime, and one gradient average a turn.

Every rank holds the same weights and a share of the batch. Nothing wraps the networks.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.rendezvous import rendezvous

from ganvas.errors import ResourceError, UsageError
from ganvas.exchange import Exchange
from ganvas.exchange import possible as exchange_possible

STOPS = (signal.SIGINT, signal.SIGTERM)  # rank 0 hears them for all, so that all ranks stop at the same step


@dataclass(frozen=True)
class Ranks:
    """This process among its peers."""

    rank: int = 0
    size: int = 1
    exchange: Exchange | None = None  # a faster way to a mean, where all ranks are on this machine

    @property
    def first(self) -> bool:
        """Whether this process writes the log and the files."""
        return self.rank == 0

    def mean_(self, tensors: Sequence[Tensor]) -> None:
        """Replace each tensor by its mean over all ranks, in one exchange."""
        if self.size == 1 or not tensors:
            return
        flat = torch.cat([tensor.detach().reshape(-1).float() for tensor in tensors])
        self._mean(flat)
        for tensor, part in zip(tensors, flat.split([tensor.numel() for tensor in tensors]), strict=True):
            tensor.copy_(part.view(tensor.shape))

    def any(self, flag: bool) -> bool:
        """Whether `flag` is set on any rank: all ranks get the same answer."""
        if self.size == 1:
            return flag
        votes = torch.tensor([float(flag)], device=_device())
        self._mean(votes)
        return bool(votes.item() > 0)

    def _mean(self, flat: Tensor) -> None:
        if self.exchange:
            self.exchange.mean_(flat)
        else:
            dist.all_reduce(flat)
            flat /= self.size

    def agree(self, value: Any) -> Any:
        """Rank 0's value, on every rank."""
        if self.size == 1:
            return value
        box = [value]
        dist.broadcast_object_list(box, src=0, device=_device())
        return box[0]


def _device() -> torch.device:
    return torch.device("cuda" if dist.get_backend() == "nccl" else "cpu")


def connect(minutes: float = 10) -> Ranks:
    """Join the peers that torchrun (or `launch`) started; alone where nobody did."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        return Ranks()
    if not dist.is_initialized():
        gpu = torch.cuda.is_available() and torch.cuda.device_count() >= int(os.environ.get("LOCAL_WORLD_SIZE", size))
        if gpu:
            torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
        backend, timeout = "nccl" if gpu else "gloo", timedelta(minutes=minutes)
        alone = int(os.environ.get("LOCAL_WORLD_SIZE", "0")) == size  # on one machine, whose restarts all its ranks count alike
        place = _restarted(timeout) if alone and "TORCHELASTIC_RESTART_COUNT" in os.environ else {}
        dist.init_process_group(backend, timeout=timeout, **place)
    ranks = Ranks(dist.get_rank(), dist.get_world_size())
    if int(os.environ.get("LOCAL_WORLD_SIZE", "0")) == size and dist.get_backend() == "gloo" and exchange_possible():
        return replace(ranks, exchange=Exchange(ranks.rank, size, ranks.agree, dist.barrier))
    return ranks


def _restarted(timeout: timedelta) -> dict[str, Any]:
    """How to meet after torchrun has restarted the ranks of one machine.

    The store of its agent outlives a restart, so that a rank would find addresses of the dead: each attempt has its names.
    Source: pytorch/pytorch issue 135712.
    """
    store, rank, size = next(rendezvous("env://", timeout=timeout))
    attempt = f"attempt-{os.environ['TORCHELASTIC_RESTART_COUNT']}"
    return {"store": dist.PrefixStore(attempt, store), "rank": rank, "world_size": size}  # type: ignore[attr-defined]


def disconnect() -> None:
    """Leave the peers, if any."""
    if dist.is_initialized():
        dist.destroy_process_group()


@contextmanager
def crew(folder: Path, size: int, peers: Ranks) -> Iterator[Ranks]:
    """This process with all `size` ranks of the run in `folder`: starts those that nobody started yet.

    Raises:
        UsageError: torchrun started another number than the run was begun with.
    """
    if peers.size == size:
        yield peers
    elif peers.size > 1:
        raise UsageError(f"{folder} was begun with {size} ranks and is continued with {peers.size}; use the same number")
    else:
        before = dict(os.environ)
        others = launch(folder, size)
        watch = threading.Thread(target=_watch, args=(folder, others), daemon=True)
        watch.start()
        try:
            yield connect()
        finally:  # this process is rank 0 of this run only
            for name in os.environ.keys() - before.keys():
                del os.environ[name]
            os.environ.update(before)
    disconnect()


def _watch(folder: Path, others: Sequence[subprocess.Popen[bytes]]) -> None:
    """End this process when a rank that it started dies before its time: the rest would wait for it for ever."""
    for rank, other in enumerate(others, 1):
        if (code := other.wait()) != 0:
            print(
                f"ganvas: rank {rank} died (exit code {code}); continue with: ganvas resume {folder}",
                file=sys.stderr,
                flush=True,
            )
            os._exit(ResourceError.exit_code)


def launch(folder: Path, size: int) -> list[subprocess.Popen[bytes]]:
    """Start ranks 1 .. size-1 of the run in `folder` on this machine, and make this process rank 0."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = {"WORLD_SIZE": str(size), "LOCAL_WORLD_SIZE": str(size), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    shared |= {"GLOO_SOCKET_IFNAME": "lo"} if sys.platform == "linux" else {}
    command = [sys.executable, "-m", "ganvas.worker", str(folder)]
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)  # inherited: not even a rank that still imports is ended
    try:
        others = [
            subprocess.Popen(
                command,
                env={**os.environ, **shared, "OMP_NUM_THREADS": "1", "RANK": str(rank), "LOCAL_RANK": str(rank)},
                stdin=subprocess.DEVNULL,
            )
            for rank in range(1, size)
        ]
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    os.environ.update({**shared, "RANK": "0", "LOCAL_RANK": "0"})
    return others


def die_with_parent() -> None:
    """Have the system kill this process when its parent dies, however it dies."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # 1 = PR_SET_PDEATHSIG
