"""Read IDX files, the format of the MNIST family: a big-endian header, then bytes or other numbers.

Source: http://yann.lecun.com/exdb/mnist/, "file formats".
"""

from __future__ import annotations

import gzip
import math
import re
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np

from ganvas.data.collection import DataSource, ImageCollection, identify_file
from ganvas.data.folder_layout import BOTH, missing_test_split
from ganvas.data.levels import Values
from ganvas.data.readers.numpy_arrays import array_pictures, put_channels_last
from ganvas.data.readers.unpacking import MAX_BYTES, require_array_size, unpack_array
from ganvas.errors import DataError
from ganvas.utils.files import open_regular
from ganvas.utils.parsing import printable

KINDS = {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}  # the third byte of a file -> type of its numbers
WORDS = ("ubyte", "byte", "short", "int", "float", "double")
IMAGES = re.compile(rf"images[-.]idx[34][-.]({'|'.join(WORDS)})(\.gz)?$", re.IGNORECASE)
SPLITS = {"train": ("train",), "test": ("t10k", "test")}


def find_folder(folder: Path, split: str, names: tuple[str, ...] = ()) -> DataSource | None:
    """The IDX files of one split in a folder, with or without gzip; None if it has no IDX images.

    Raises:
        DataError: there are IDX images, but not of this split.
    """
    files = sorted(path for path in folder.iterdir() if IMAGES.search(path.name))
    if not files:
        return None
    by_split = {
        split: [path for path in files if any(word in path.name.lower() for word in words)] for split, words in SPLITS.items()
    }
    train = next(iter(by_split["train"]), None)
    tests = sorted(by_split["test"], key=lambda path: train is None or _set_name(path) != _set_name(train))
    splits = BOTH if tests and len(files) > len(tests) else ("train",)
    if split == "test" and not tests:
        raise missing_test_split(printable(files[0].name))
    chosen = tests[0] if split == "test" else train or files[0]
    others = [path for path in files if path not in (train, *tests[:1], chosen)]
    more = f"{len(others):,} more IDX files of images here are not used, such as {printable(others[0].name)}" if others else ""
    doubts = (f"{more}; give the path of one file to use it",) if others else ()
    return find_file(chosen, names, splits, train if split == "test" else None, doubts)


def _set_name(path: Path) -> str:
    """The name of a file without its split: emnist-letters- of emnist-letters-train-images-idx3-ubyte."""
    return re.sub("train|t10k|test", "", path.name.lower().removesuffix(".gz"))


def find_file(
    path: Path,
    names: tuple[str, ...] = (),
    splits: tuple[str, ...] = ("train",),
    trained: Path | None = None,
    doubts: tuple[str, ...] = (),
) -> DataSource:
    """One file of IDX images, and its file of labels if there is one. `names` are those of the classes.

    `trained` are the images of the training split, whose labels are the classes.
    """
    labels, known = _find_labels(path), None if trained is None else _find_labels(trained)
    identity = tuple(identify_file(file) for file in (path, labels, known) if file)
    return DataSource("IDX files", identity, lambda: _load(path, labels, names, splits, known, doubts))


def _find_labels(path: Path) -> Path | None:
    """The file of labels beside a file of images."""
    spelled = path.name.removesuffix(".gz")
    for images, labels in (("images", "labels"), ("IMAGES", "LABELS"), ("Images", "Labels")):
        spelled = spelled.replace(images, labels)
    spelled = re.sub("(idx)[34]", r"\g<1>1", spelled, flags=re.IGNORECASE)
    start = re.sub(rf"({'|'.join(WORDS)})$", "", spelled, flags=re.IGNORECASE)
    candidates = [
        path.with_name(name + ending) for name in (spelled, *(start + word for word in WORDS)) for ending in ("", ".gz")
    ]
    return next((candidate for candidate in candidates if candidate != path and candidate.is_file()), None)


def read(path: Path, *dimensions: int) -> Values:
    """The array [N, ...] of an IDX file with one of these numbers of dimensions: uint8, or the type that the file says.

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
                head = stream.read(4)
                right = len(head) == 4 and head[:2] == b"\0\0" and head[2] in KINDS and head[3] in dimensions
                lengths = stream.read(4 * head[3]) if right else b""
                if not right or len(lengths) < 4 * head[3]:
                    expected = f"an IDX file in {' or '.join(map(str, dimensions))} dimensions"
                    raise DataError(f"{what}: expected {expected}, found {(head + lengths).hex()!r}; fetch it again")
                shape, dtype = tuple(np.frombuffer(lengths, ">u4").tolist()), np.dtype(KINDS[head[2]])
                size = math.prod(shape) * dtype.itemsize
                if not 0 < size <= MAX_BYTES:
                    raise DataError(f"{what}: its header claims shape {list(shape)}; expected 1 to {MAX_BYTES:,} bytes")
                require_array_size(size, length, what)
                pixels = unpack_array(stream, dtype, shape)
                more = pixels is not None and stream.read(1)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{what}: damaged or unreadable ({error}); fetch it again") from None
    if pixels is None or more:
        raise DataError(
            f"{what}: its header claims {size:,} bytes of data, found {'more' if more else 'fewer'}; fetch it again"
        )
    return pixels


def _load(
    images: Path,
    labels: Path | None,
    names: tuple[str, ...],
    splits: tuple[str, ...],
    known: Path | None,
    doubts: tuple[str, ...],
) -> ImageCollection:
    pixels, what = read(images, 3, 4), printable(images)
    numbers = read(labels, 1) if labels else None
    trained = read(known, 1) if known else None
    pictures = array_pictures(put_channels_last(pixels, what), numbers, names, what, splits, trained=trained)
    return replace(pictures, warnings=(*doubts, *pictures.warnings))
