"""Evaluation of models against real data, of any kind of sample. Pure functions of tensors are in `metrics`, not here."""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    """`neighbours`, imported at its first use: the command line reads `measure_names` of this folder without torch."""
    if name != "neighbours":
        raise AttributeError(f"module 'ganvas.evaluation' has no attribute {name!r}")
    from ganvas.evaluation.training_neighbours import neighbours

    return neighbours
