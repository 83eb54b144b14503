"""Data-parallel training with torch.distributed: ranks, and the mean of gradients over them.

Every rank has the same weights and an equal share of the batch. The networks are not wrapped: after `backward` there is one
mean over all gradients of the turn.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from importlib import import_module
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.rendezvous import rendezvous

from ganvas.errors import ResourceError, UsageError
from ganvas.runtime.device import local_rank, read_count
from ganvas.runtime.plan import Plan
from ganvas.runtime.shared_memory import Exchange
from ganvas.runtime.shared_memory import is_available as exchange_possible
from ganvas.utils.parsing import printable

# How long ranks wait for each other. Rank 0 evaluates and saves alone while the others wait, for minutes with large data. A
# rank that dies is detected by other means (`_watch`, `Exchange`, torchrun).
COLLECTIVE_TIMEOUT = timedelta(days=2)


@dataclass(frozen=True)
class Ranks:
    """The ranks of a run, seen from this process: its number, how many there are, and how tensors are averaged."""

    rank: int = 0
    size: int = 1
    exchange: Exchange | None = None  # faster than gloo for CPU tensors, if all ranks are on this machine
    nccl: bool = False  # whether each rank has its own GPU, so that NCCL can average GPU tensors

    @property
    def first(self) -> bool:
        """Whether this process writes the log and the files."""
        return self.rank == 0

    def mean_(self, tensors: Sequence[Tensor]) -> None:
        """Replace each tensor by its mean over all ranks, in one exchange. All are on one device, and alike on all ranks."""
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
        else:  # NCCL refuses ranks that share a GPU: they exchange through main memory
            host = flat.cpu()
            self.mean_([host])
            flat = host.to(flat.device)
        for tensor, part in zip(tensors, flat.split([tensor.numel() for tensor in tensors]), strict=True):
            tensor.copy_(part.view(tensor.shape))

    def any(self, flag: bool) -> bool:
        """Whether `flag` is set on any rank; all ranks get the same answer. It is exchanged on the CPU: no GPU waits."""
        if self.size == 1:
            return flag
        votes = torch.tensor([float(flag)])
        self.mean_([votes])
        return bool(votes.item() > 0)

    def gather(self, values: Tensor) -> Tensor:
        """`values` [n] float32 of this rank -> those of all ranks [size, n], in the order of the ranks."""
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
        """The value of rank 0, on every rank."""
        if self.size == 1:
            return value
        box = [value]
        dist.broadcast_object_list(box, src=0, device=torch.device("cpu"))
        return box[0]

    def use_plan(self, plan: Plan) -> Ranks:
        """These ranks for the device of `plan`: with NCCL only if each rank has its own GPU."""
        return replace(self, nccl=self.nccl and plan.device == "cuda")


def connect(minutes: float = 10) -> Ranks:
    """Join the process group of torchrun (or `launch`), waiting `minutes` for it; a single rank without one.

    CPU tensors use gloo on every device of the run, which may not be known yet; GPU tensors use NCCL if there is a GPU for
    each rank of this machine.
    """
    size = read_count("WORLD_SIZE", 1)
    if size <= 1:
        return Ranks()
    local = read_count("LOCAL_WORLD_SIZE", 0)
    gpus = torch.cuda.device_count() if torch.cuda.is_available() and dist.is_nccl_available() else 0
    nccl = gpus >= (local or size)
    if not dist.is_initialized():
        if nccl:
            torch.cuda.set_device(local_rank())
        store, rank, size = _meet(size, minutes)
        if local == size and "TORCHELASTIC_RESTART_COUNT" in os.environ:  # on one machine all ranks see the same count
            # The store of torchrun's agent survives a restart, so a rank would find addresses of dead processes. Each attempt
            # therefore has its own prefix. Source: pytorch/pytorch issue 135712.
            attempt = f"attempt-{os.environ['TORCHELASTIC_RESTART_COUNT']}"
            store = dist.PrefixStore(attempt, store)  # type: ignore[attr-defined]
        # This module keeps the group as a default argument if it is first imported while there is one, as torch's compiler
        # does; the group then outlives `disconnect`, and its threads can abort the process while Python ends.
        import_module("torch.distributed.nn.functional")
        backend = "cpu:gloo,cuda:nccl" if nccl else "gloo"
        dist.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=COLLECTIVE_TIMEOUT)
    ranks = Ranks(dist.get_rank(), dist.get_world_size(), nccl=nccl)
    if local == size and exchange_possible():
        return replace(ranks, exchange=Exchange(ranks.rank, size, ranks.broadcast, lambda: dist.all_reduce(torch.zeros(1))))
    return ranks


def _meet(size: int, minutes: float) -> tuple[Any, int, int]:
    """The store of all ranks, the number of this rank, and how many there are, as environment variables say.

    Raises:
        UsageError: variables are missing: something else than torchrun has set WORLD_SIZE.
        ResourceError: the other ranks cannot be reached.
    """
    try:
        store, rank, size = next(rendezvous("env://", timeout=timedelta(minutes=minutes)))
    except ValueError as failure:
        advice = "start with torchrun, or unset WORLD_SIZE"
        raise UsageError(f"WORLD_SIZE={size} asks for several processes: {printable(failure)}; {advice}") from None
    except dist.DistError as failure:
        advice = "start all of them, or unset WORLD_SIZE"
        raise ResourceError(f"the other {size - 1} ranks cannot be reached: {printable(failure, 200)}; {advice}") from None
    return store, rank, size


def disconnect() -> None:
    """Leave the process group, if there is one."""
    if dist.is_initialized():
        dist.destroy_process_group()
