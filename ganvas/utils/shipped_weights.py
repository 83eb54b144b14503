"""Weights that come with ganvas, as safetensors files whose SHA-256 is written in the code."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from ganvas.errors import DataError


@functools.cache
def read_shipped_weights(file: Path, sha256: str) -> dict[str, Tensor]:
    """The weights of a file, in float32.

    Raises:
        DataError: the file is missing or damaged.
    """
    if not file.is_file() or hashlib.sha256(file.read_bytes()).hexdigest() != sha256:
        raise DataError(f"{file}: it is missing, or its SHA-256 is not the one it was shipped with; install ganvas again")
    with torch.device("cpu"):  # also where a game is built without memory
        return {name: weight.float() for name, weight in load_file(file).items()}
