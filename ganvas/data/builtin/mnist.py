"""MNIST, embedded in the package: 60,000 + 10,000 digits. See embedded/README.md for source and licence."""

from __future__ import annotations

import hashlib
import lzma
from pathlib import Path

import numpy as np

from ganvas.data.collection import DataSource, ImageCollection
from ganvas.data.folder_layout import BOTH
from ganvas.data.readers.npz_file import Array
from ganvas.data.readers.numpy_arrays import array_pictures
from ganvas.errors import DataError

EMBEDDED = Path(__file__).parent / "embedded" / "mnist.xz"
SHA256 = "3b160b637bfa8f09af16b407de588c1eb19be4414fdbe7030553829eac46f048"
DIGITS = tuple("0123456789")
COUNTS = {"train": 60_000, "test": 10_000}
PIXELS = 28 * 28


def find(split: str) -> DataSource:
    """The digits of one split."""
    return DataSource("embedded MNIST", ((EMBEDDED.name, 0, 0), (SHA256, 0, 0)), lambda: _load(split))


def _load(split: str) -> ImageCollection:
    return array_pictures(*load_digits(split), DIGITS, "embedded MNIST", BOTH, usual=True)


def load_digits(split: str) -> tuple[Array, Array]:
    """Images uint8 [N, 28, 28, 1] and labels uint8 [N] of one split.

    One compressed file has the train images, test images, train labels and test labels, in this order.

    Raises:
        DataError: the file is missing, or is not the shipped one.
    """
    try:
        packed = EMBEDDED.read_bytes()
    except OSError as error:
        raise DataError(f"{EMBEDDED}: {error.strerror}; install ganvas again") from None
    if hashlib.sha256(packed).hexdigest() != SHA256:
        raise DataError(f"{EMBEDDED}: its SHA-256 is not {SHA256}; install ganvas again")
    plain = np.frombuffer(lzma.decompress(packed), np.uint8)
    train, both = COUNTS["train"], sum(COUNTS.values())
    part = slice(0, train) if split == "train" else slice(train, both)
    return plain[: both * PIXELS].reshape(both, 28, 28, 1)[part], plain[both * PIXELS :][part]
