"""Weights that come with ganvas, as safetensors files whose SHA-256 is written in the code."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

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


def begin_with(network: nn.Module, weights: Mapping[str, Tensor], larger: tuple[str, ...] = ()) -> bool:
    """Copy `weights` into the parameters and buffers of `network` with their names, if all of them fit. Returns whether so.

    A weight fits if it has the shape of that of the network. Those whose names begin with one of `larger` may also be a part of
    it: fewer columns, and the network keeps its other ones; or a single row, which is repeated.
    """
    own = network.state_dict()
    if not all(name in own and _fits(each, own[name], name.startswith(larger)) for name, each in weights.items()):
        return False
    with torch.no_grad():
        for name, each in weights.items():
            place = own[name][tuple(slice(None) if size == 1 else slice(size) for size in each.shape)]
            place.copy_(each.expand_as(place))
    return True


def _fits(weight: Tensor, place: Tensor, larger: bool) -> bool:
    sizes = zip(weight.shape, place.shape, strict=False)
    return weight.ndim == place.ndim and all(size == room or (larger and size < room) for size, room in sizes)
