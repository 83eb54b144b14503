"""Animated emoji, embedded in the package: clips of 8 frames of 64 x 64 pixels on white. Licence: embedded/README.md.

`emoji-clips` are the clips; a fifth of them, chosen by a hash of the name, is the test split. A clip is in one split only.
Six clips of the test split are there with all their 24 frames, to drive a picture: `DRIVERS`.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Sequence
from functools import partial
from pathlib import PurePosixPath
from typing import BinaryIO

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from ganvas.data import cache
from ganvas.data.builtin.embedded_files import read_embedded
from ganvas.errors import unknown_name

FILE = "clips.zip"
SHA256 = "1ef047741b9851d5c3eded1deb788b1af036c4ff1ab4dbabff22ef937b3347fa"
SIDE, FRAMES = 64, 8
DRIVERS = ("sway", "reel", "nod", "roar", "wave", "bounce")
TEST = 5  # each fifth clip is in the test split


def is_test(name: str) -> bool:
    """Whether a clip belongs to the test split, by the code of its emoji: "1f434"."""
    return int(hashlib.sha256(f"{name}.png".encode()).hexdigest(), 16) % TEST == 0


def list_clips(split: str) -> list[str]:
    """The codes of the clips of a split, in the order of their frames."""
    with _open() as archive:
        names = [PurePosixPath(name).stem for name in archive.namelist() if name.startswith("clips/")]
    return [name for name in names if is_test(name) == (split == "test")]


def load_clips(split: str) -> torch.Tensor:
    """The frames of all clips of a split, uint8 [clips * 8, 3, 64, 64], mapped from the cache.

    Raises:
        DataError: the archive is missing, or is not the shipped one.
    """
    entry = cache.entry_name("clips", SHA256, split)
    return (cache.read(entry) or cache.store(entry, partial(_build, list_clips(split))))[0]


def load_driver(name: str) -> NDArray[np.uint8]:
    """A shipped clip to drive a picture with, uint8 [24, 64, 64, 3]. Raises: UsageError: no such clip."""
    if name not in DRIVERS:
        raise unknown_name("driver", name, DRIVERS)
    with _open() as archive:
        return _read_strip(archive, f"drivers/{name}.webp")


def _open() -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(read_embedded(FILE, SHA256)))


def _build(names: Sequence[str], file: BinaryIO) -> cache.Record:
    with _open() as archive:
        for name in names:
            file.write(_read_strip(archive, f"clips/{name}.webp").transpose(0, 3, 1, 2).tobytes())
    return cache.Record((len(names) * FRAMES, 3, SIDE, SIDE), None, (), ())


def _read_strip(archive: zipfile.ZipFile, name: str) -> NDArray[np.uint8]:
    """A strip of frames, top to bottom -> uint8 [T, 64, 64, 3]."""
    with Image.open(io.BytesIO(archive.read(name)), formats=("WEBP",)) as strip:
        return np.asarray(strip.convert("RGB")).reshape(-1, SIDE, SIDE, 3)
