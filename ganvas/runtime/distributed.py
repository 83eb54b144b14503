"""Several processes playing one game: PyTorch's own distributed runtime, and one gradient average a turn.

Every rank holds the same weights and a share of the batch. Nothing wraps the networks.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.rendezvous import rendezvous

from ganvas.runtime.device import local_rank
from ganvas.runtime.plan import Plan
from ganvas.runtime.shared_memory import Exchange
from ganvas.runtime.shared_memory import is_available as exchange_possible

# How long ranks wait for one another. Rank 0 measures and saves alone while the others wait, for minutes with large data; a
# rank that dies is noticed by other means (`_watch`, `Exchange`, torchrun).
PATIENCE = timedelta(days=2)


@dataclass(frozen=True)
class Ranks:
    """This process among its peers."""

    rank: int = 0
    size: int = 1
    exchange: Exchange | None = None  # a faster way to a mean of CPU tensors, where all ranks are on this machine
    nccl: bool = False  # whether each rank has a GPU of its own, over which GPU tensors meet

    @property
    def first(self) -> bool:
        """Whether this process writes the log and the files."""
        return self.rank == 0

    def mean_(self, tensors: Sequence[Tensor]) -> None:
        """Replace each tensor by its mean over all ranks, in one exchange. They lie on one device, alike on every rank."""
        count = sum(tensor.numel() for tensor in tensors)
        if self.size == 1 or not count:
            return
        on_cpu = tensors[0].device.type == "cpu"
        if on_cpu and self.exchange and self.exchange.fits(count):
            self.exchange.mean_([tensor.detach() for tensor in tensors])
            return
        flat = torch.cat([tensor.detach().reshape(-1).float() for tensor in tensors])
        if on_cpu or self.nccl:
            dist.all_reduce(flat)  # gloo for CPU tensors, NCCL for those of GPUs
            flat /= self.size
        else:  # ranks that share a GPU meet in main memory: NCCL refuses them
            host = flat.cpu()
            self.mean_([host])
            flat = host.to(flat.device)
        for tensor, part in zip(tensors, flat.split([tensor.numel() for tensor in tensors]), strict=True):
            tensor.copy_(part.view(tensor.shape))

    def any(self, flag: bool) -> bool:
        """Whether `flag` is set on any rank: all ranks get the same answer. The vote lies on the CPU: no GPU waits for it."""
        if self.size == 1:
            return flag
        votes = torch.tensor([float(flag)])
        self.mean_([votes])
        return bool(votes.item() > 0)

    def gather(self, values: Tensor) -> Tensor:
        """`values` [n] float32 of all ranks [size, n], in the order of the ranks."""
        if self.size == 1:
            return values[None]
        if values.device.type == "cpu" and self.exchange and self.exchange.fits(len(values)):
            return self.exchange.share(len(values), lambda slot: slot.copy_(values)).clone()
        if values.device.type != "cpu" and not self.nccl:
            return self.gather(values.cpu()).to(values.device)
        found = [torch.empty_like(values) for _ in range(self.size)]
        dist.all_gather(found, values)
        return torch.stack(found)

    def broadcast(self, value: Any) -> Any:
        """Rank 0's value, on every rank."""
        if self.size == 1:
            return value
        box = [value]
        dist.broadcast_object_list(box, src=0, device=torch.device("cpu"))
        return box[0]

    def use_plan(self, plan: Plan) -> Ranks:
        """These ranks as the plan has them meet: by NCCL only if each rank has its own GPU."""
        return replace(self, nccl=self.nccl and plan.device == "cuda")


def connect(minutes: float = 10) -> Ranks:
    """Join the peers that torchrun (or `launch`) started, waiting `minutes` for them; alone where nobody did.

    CPU tensors meet over gloo whatever the run's device, which may not be known yet; GPU tensors over NCCL if there is a GPU
    for each rank of this machine.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        return Ranks()
    local = int(os.environ.get("LOCAL_WORLD_SIZE", "0"))
    gpus = torch.cuda.device_count() if torch.cuda.is_available() and dist.is_nccl_available() else 0
    nccl = gpus >= (local or size)
    if not dist.is_initialized():
        if nccl:
            torch.cuda.set_device(local_rank())
        store, rank, size = next(rendezvous("env://", timeout=timedelta(minutes=minutes)))
        if local == size and "TORCHELASTIC_RESTART_COUNT" in os.environ:  # all ranks on one machine count its restarts alike
            # The store of torchrun's agent outlives a restart, so that a rank would find addresses of the dead: each attempt
            # has its names. Source: pytorch/pytorch issue 135712.
            attempt = f"attempt-{os.environ['TORCHELASTIC_RESTART_COUNT']}"
            store = dist.PrefixStore(attempt, store)  # type: ignore[attr-defined]
        backend = "cpu:gloo,cuda:nccl" if nccl else "gloo"
        dist.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=PATIENCE)
    ranks = Ranks(dist.get_rank(), dist.get_world_size(), nccl=nccl)
    if local == size and exchange_possible():
        return replace(ranks, exchange=Exchange(ranks.rank, size, ranks.broadcast, lambda: dist.all_reduce(torch.zeros(1))))
    return ranks


def disconnect() -> None:
    """Leave the peers, if any."""
    if dist.is_initialized():
        dist.destroy_process_group()
