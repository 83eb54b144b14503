"""How the steps of a run are executed: device, precision, memory format, ranks, threads."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How steps are executed. Chosen once at the start of a run and kept by resume, because it decides the last bits.

    `device` is "cpu", or "cuda" for the GPU of each rank; an index as in "cuda:1" puts all ranks on that GPU.
    A new field has the value of older runs as its default.
    """

    device: str = "cpu"
    precision: str = "float32"
    channels_last: bool = True
    ranks: int = 1
    threads: int = 1  # of each rank
    sync_batch_norm: bool = False  # BatchNorm over the batch of all ranks, not over that of each rank

    @property
    def autocast(self) -> bool:
        """Whether forward passes run in bfloat16."""
        return self.precision == "bfloat16"
