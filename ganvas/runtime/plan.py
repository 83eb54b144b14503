"""How the steps of a run are executed: device, precision, memory format, ranks, threads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ganvas.utils.settings import require_within

MOST = 1_024  # ranks, or threads of a rank: far more would end the process in the system's thread library

Precision = Literal["float32", "bfloat16"]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How steps are executed. Chosen once at the start of a run and kept by resume, because it decides the last bits.

    `device` is "cpu", or "cuda" for the GPU of each rank; an index as in "cuda:1" puts all ranks on that GPU.
    A new field has the value of older runs as its default.
    """

    device: str = "cpu"
    precision: Precision = "float32"
    channels_last: bool = True
    ranks: int = 1
    threads: int = 1  # of each rank
    sync_batch_norm: bool = False  # BatchNorm over the batch of all ranks, not over that of each rank

    def __post_init__(self) -> None:
        require_within(self, "plan.ranks plan.threads", 1, MOST)

    @property
    def autocast(self) -> bool:
        """Whether forward passes run in bfloat16."""
        return self.precision == "bfloat16"
