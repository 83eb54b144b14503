"""Samples as NumPy archives (.npz), written as a stream."""

from __future__ import annotations

import itertools
import os
import zipfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganvas.core.modality import IMAGES, VOXELS, modality_of
from ganvas.media.image_files import to_bytes
from ganvas.utils.files import disk_errors

Array = np.ndarray[Any, Any]


def to_array(samples: Tensor) -> tuple[str, Array]:
    """Samples [N, ...] as stored, with their name: images uint8 [N, H, W, C], voxels uint8 [N, D, H, W], points [N, D].

    A filled voxel is 1.
    """
    kind = modality_of(samples)
    if kind is VOXELS:
        return "voxels", (samples[:, 0] > 0).to(torch.uint8).numpy()
    if kind is IMAGES:
        return "images", np.ascontiguousarray(to_bytes(samples).permute(0, 2, 3, 1).numpy())
    return "points", samples.numpy()


def to_arrays(samples: Tensor, c: Tensor | None) -> dict[str, Array]:
    """A part of an archive: the samples, and their classes [N] as `labels` if they have any."""
    name, array = to_array(samples)
    return {name: array} | ({} if c is None else {"labels": c.numpy()})


def save_npz(path: Path, count: int, parts: Iterable[Mapping[str, Array]], whole: Mapping[str, Array] | None = None) -> None:
    """Write arrays of `count` rows that come in parts, and the arrays `whole`. The first array is streamed: any count fits.

    Raises:
        ResourceError: the file cannot be written; an older file is unchanged.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    small: dict[str, list[Array]] = {}
    try:
        with (
            disk_errors(f"cannot write {path}"),
            zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        ):
            stream = iter(parts)
            first = next(stream)
            large = next(iter(first))
            header = {"descr": first[large].dtype.str, "fortran_order": False, "shape": (count, *first[large].shape[1:])}
            with archive.open(f"{large}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array_header_1_0(member, header)
                for part in itertools.chain([first], stream):
                    member.write(np.ascontiguousarray(part[large]).tobytes())
                    for name in part.keys() - {large}:
                        small.setdefault(name, []).append(part[name])
            rest = {name: np.concatenate(pieces) for name, pieces in small.items()} | dict(whole or {})
            for name, array in rest.items():
                with archive.open(f"{name}.npy", "w") as member:
                    np.lib.format.write_array(member, array)
        with disk_errors(f"cannot write {path}"):
            temporary.replace(path)
    finally:
        with suppress(OSError):  # if a parent of the path is a file, even this fails
            temporary.unlink(missing_ok=True)
