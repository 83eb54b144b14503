"""Read IDX files, the format of the MNIST family: a big-endian header, then bytes.

Source: http://yann.lecun.com/exdb/mnist/, "file formats".
"""

from __future__ import annotations

import gzip
import math
import re
import zlib
from pathlib import Path

import numpy as np

from ganvas.data.collection import DataSource, ImageCollection, identify_file
from ganvas.data.folder_layout import BOTH, missing_test_split
from ganvas.data.levels import Bytes
from ganvas.data.readers.numpy_arrays import array_pictures
from ganvas.data.readers.unpacking import MAX_BYTES, require_array_size, unpack_array
from ganvas.errors import DataError
from ganvas.utils.files import open_regular
from ganvas.utils.parsing import printable

IMAGES = re.compile(r"images[-.]idx3[-.]ubyte(\.gz)?$")
SPLITS = {"train": ("train",), "test": ("t10k", "test")}


def find_folder(folder: Path, split: str, names: tuple[str, ...] = ()) -> DataSource | None:
    """The IDX files of one split in a folder, with or without gzip; None if it has no IDX images.

    Raises:
        DataError: there are IDX images, but not of this split.
    """
    files = sorted(path for path in folder.iterdir() if IMAGES.search(path.name))
    if not files:
        return None
    by_split = {split: [path for path in files if any(word in path.name for word in words)] for split, words in SPLITS.items()}
    splits = BOTH if by_split["test"] and len(files) > len(by_split["test"]) else ("train",)
    if by_split[split]:
        trained = by_split["train"][0] if split == "test" and by_split["train"] else None
        return find_file(by_split[split][0], names, splits, trained)
    if split == "test":
        raise missing_test_split(printable(files[0].name))
    return find_file(files[0], names, splits)


def find_file(
    path: Path, names: tuple[str, ...] = (), splits: tuple[str, ...] = ("train",), trained: Path | None = None
) -> DataSource:
    """One file of IDX images, and its file of labels if there is one. `names` are those of the classes.

    `trained` are the images of the training split, whose labels are the classes.
    """
    labels, known = _find_labels(path), None if trained is None else _find_labels(trained)
    identity = tuple(identify_file(file) for file in (path, labels, known) if file)
    return DataSource("IDX files", identity, lambda: _load(path, labels, names, splits, known))


def _find_labels(path: Path) -> Path | None:
    """The file of labels beside a file of images."""
    spelled = path.name.replace("images", "labels").replace("idx3", "idx1").removesuffix(".gz")
    candidates = [path.with_name(spelled + ending) for ending in ("", ".gz")]
    return next((candidate for candidate in candidates if candidate != path and candidate.is_file()), None)


def read(path: Path, dimensions: int) -> Bytes:
    """The uint8 array [N, ...] of an IDX file with this number of dimensions.

    Raises:
        DataError: it is no such file, or its header contradicts its size.
    """
    what = printable(path)
    try:
        with open_regular(path) as file:
            packed = file.read(2) == b"\x1f\x8b"
            length = file.seek(0, 2)
            file.seek(0)
            with gzip.GzipFile(fileobj=file) if packed else file as stream:
                head = stream.read(4 + 4 * dimensions)
                right = head[:4] == bytes((0, 0, 8, dimensions)) and len(head) == 4 + 4 * dimensions
                shape = tuple(np.frombuffer(head[4:], ">u4").tolist()) if right else ()
                if len(shape) != dimensions:
                    raise DataError(
                        f"{what}: expected an IDX file of bytes in {dimensions} dimensions, found {head[:4].hex()!r}"
                    )
                size = math.prod(shape)
                if not 0 < size <= MAX_BYTES:
                    raise DataError(f"{what}: its header claims shape {list(shape)}; expected 1 to {MAX_BYTES:,} bytes")
                require_array_size(size, length, what)
                pixels = unpack_array(stream, np.dtype(np.uint8), shape)
                more = pixels is not None and stream.read(1)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{what}: damaged or unreadable ({error}); fetch it again") from None
    if pixels is None or more:
        raise DataError(
            f"{what}: its header claims {size:,} bytes of data, found {'more' if more else 'fewer'}; fetch it again"
        )
    return pixels.view(np.uint8)


def _load(
    images: Path, labels: Path | None, names: tuple[str, ...], splits: tuple[str, ...], known: Path | None
) -> ImageCollection:
    pixels = read(images, 3)
    numbers = read(labels, 1) if labels else None
    trained = read(known, 1) if known else None
    return array_pictures(pixels[..., None], numbers, names, printable(images), splits, trained=trained)
