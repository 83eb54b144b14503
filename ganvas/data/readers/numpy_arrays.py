"""Read NumPy files and CSV: images [N, H, W, C], or points [N, D] with D up to 3."""

from __future__ import annotations

import math
import re
import tokenize
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch
from numpy.lib import format as npy
from numpy.typing import NDArray
from torch import Tensor

from ganvas.data.collection import ArrayCollection, DataSource, ImageCollection, identify_file
from ganvas.data.folder_layout import BOTH, missing_test_split
from ganvas.data.images import Bytes, Header, flatten_on_white, sixteen_to_eight_bits
from ganvas.data.readers.zip_archive import open_archive
from ganvas.errors import DataError
from ganvas.utils.parsing import printable

Array = NDArray[np.generic]

MAX_BYTES = 8 << 30  # of one array
MAX_DIMS = 3  # numbers in a point
MAX_CSV = 512 << 20
# Keys in order of preference: files of `ganvas sample`, names of Keras, defaults of NumPy.
KEYS = {
    "train": (("images", "labels"), ("x_train", "y_train"), ("points", ""), ("arr_0", "arr_1"), ("x", "y")),
    "test": (("x_test", "y_test"), ("test_images", "test_labels")),
}


def find(path: Path, split: str) -> DataSource:
    """The images or points of a .npy or .npz file. Raises: DataError: no test split in it."""
    return DataSource("NumPy file", (identify_file(path),), lambda: _load(path, split))


def find_csv(path: Path) -> DataSource:
    """The points of a CSV file: one to three columns of numbers, with or without a header row."""
    return DataSource("CSV file", (identify_file(path),), lambda: ArrayCollection(read_csv(path)))


def read_csv(path: Path) -> Tensor:
    """Points float32 [N, D]. Raises: DataError: a line is no point; the message has its number."""
    what = printable(path)
    if path.stat().st_size > MAX_CSV:
        raise DataError(f"{what}: expected at most {MAX_CSV:,} bytes; save the points as .npy")
    points: list[list[float]] = []
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        for number, line in enumerate(file, 1):
            cells = [cell for cell in re.split(r"\s*[,;\t]\s*|\s+", line.strip()) if cell]
            if not cells:
                continue
            try:
                point = [float(cell) for cell in cells]
            except ValueError:
                if number == 1:
                    continue  # a header row
                raise DataError(f"{what}, line {number}: expected numbers, found '{printable(line.strip(), 60)}'") from None
            wanted = len(points[0]) if points else min(len(point), MAX_DIMS)
            if len(point) != wanted or not all(map(math.isfinite, point)):
                raise DataError(
                    f"{what}, line {number}: expected {wanted} finite numbers, found '{printable(line.strip(), 60)}'"
                )
            points.append(point)
    if not points:
        raise DataError(f"{what}: expected rows of 1 to {MAX_DIMS} numbers, found none")
    return torch.tensor(points, dtype=torch.float32)


def array_pictures(
    images: Array, labels: Array | None, names: Sequence[str], what: str, splits: tuple[str, ...] = ("train",)
) -> ImageCollection:
    """Images from an array [N, H, W, C] of any range and its labels [N]; `names` are those of the classes, empty: 0, 1, ...

    `splits` are the splits that the source has.
    """
    if min(images.shape) < 1:
        raise DataError(f"{what}: expected images, found an array of shape {list(images.shape)}")
    as_bytes = _scale(images, what)
    header = Header(images.shape[2], images.shape[1], "grey" if images.shape[3] == 1 else "RGB")
    numbers, classes = _labels(labels, len(images), names, what)

    def read(i: int, _enough: int) -> Bytes:
        pixels = as_bytes(np.asarray(images[i]))
        return flatten_on_white(pixels[..., :3], pixels[..., 3:]) if pixels.shape[2] == 4 else pixels

    layout = "images without labels" if numbers is None else "images with labels"
    return ImageCollection(
        [f"#{i}" for i in range(len(images))], lambda _i: header, read, numbers, classes, layout=layout, splits=splits
    )


def _load(path: Path, split: str) -> ImageCollection | ArrayCollection:
    what = printable(path)
    try:
        if zipfile.is_zipfile(path):
            arrays = _read_npz(path)
        else:
            with path.open("rb") as file:
                _check_header(file, path.stat().st_size, what)
            arrays = {"images": np.load(path, mmap_mode="r", allow_pickle=False)}
    except (OSError, ValueError, EOFError, zlib.error, zipfile.BadZipFile, tokenize.TokenError, SyntaxError) as error:
        raise DataError(
            f"{what}: not a readable NumPy file ({printable(error, 120)}); save it again with numpy.savez"
        ) from None
    images, labels = _choose(arrays, split, what)
    if images.ndim <= 2 and images.dtype.kind in "fiu":
        return ArrayCollection(_points(images, what))
    names = [str(name) for name in arrays["classes"].tolist()] if "classes" in arrays else []
    splits = BOTH if any(data in arrays for data, _ in KEYS["test"]) else ("train",)
    return array_pictures(_channels_last(images, what), labels, names, what, splits)


def _read_npz(path: Path) -> dict[str, Array]:
    arrays: dict[str, Array] = {}
    with open_archive(path) as archive:
        for info in archive.infolist():
            if info.filename.endswith(".npy"):
                with archive.open(info) as member:
                    _check_header(member, info.file_size, f"{printable(path)}, {printable(info.filename)}")
                with archive.open(info) as member:
                    arrays[info.filename.removesuffix(".npy")] = npy.read_array(member, allow_pickle=False)
    return arrays


def _check_header(file: IO[bytes], size: int, what: str) -> None:
    """Check a header before memory is allocated: its shape must match the size, and its type must have no Python objects."""
    version = npy.read_magic(file)
    reader = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = reader(file)
    if dtype.hasobject:
        raise DataError(f"{what}: holds Python objects, which can run code when read; save it as a plain array")
    wanted = math.prod(shape) * dtype.itemsize
    if wanted > MAX_BYTES or wanted != size - file.tell():
        raise DataError(f"{what}: its header claims {wanted:,} bytes, found {size - file.tell():,} (at most {MAX_BYTES:,})")


def _choose(arrays: Mapping[str, Array], split: str, what: str) -> tuple[Array, Array | None]:
    """The data and the labels among the arrays of a file."""
    for data, labels in KEYS[split]:
        if data in arrays:
            return arrays[data], arrays.get(labels)
    if split == "test":
        raise missing_test_split(what)
    if len(arrays) == 1:
        return next(iter(arrays.values())), None
    found = ", ".join(f"{printable(name, 40)} {list(array.shape)}" for name, array in arrays.items()) or "no array"
    raise DataError(f"{what}: expected arrays named images and labels, found {found}")


def _points(values: Array, what: str) -> Tensor:
    points = np.asarray(values, np.float32).reshape(len(values), -1) if values.size else np.empty((0, 1), np.float32)
    if not len(points) or points.shape[1] > MAX_DIMS:
        expected = f"points [N, D] with D up to {MAX_DIMS}, or images [N, H, W] or [N, H, W, C]"
        raise DataError(f"{what}: expected {expected}; found shape {list(values.shape)}")
    if not np.isfinite(points).all():
        raise DataError(f"{what}: holds numbers that are not finite; remove those rows")
    return torch.from_numpy(points.copy())


def _channels_last(images: Array, what: str) -> Array:
    """[N, H, W], [N, H, W, C] or [N, C, H, W] -> [N, H, W, C], by which end holds 1, 3 or 4."""
    if images.ndim == 3:
        return images[..., None]
    if images.ndim == 4 and images.shape[3] in (1, 3, 4):
        return images
    if images.ndim == 4 and images.shape[1] in (1, 3, 4):
        return images.transpose(0, 2, 3, 1)
    raise DataError(f"{what}: expected images [N, H, W] or [N, H, W, C] with C = 1, 3 or 4; found shape {list(images.shape)}")


def _scale(images: Array, what: str) -> Callable[[Array], Bytes]:
    """A function that converts one image of the array to bytes, from the type and the range of the whole array."""
    if images.dtype == np.uint8:
        return lambda image: image.astype(np.uint8)
    if images.dtype == np.uint16:
        return sixteen_to_eight_bits
    if images.dtype == np.bool_:
        return lambda image: image.astype(np.uint8) * 255
    if images.dtype.kind not in "fiu":
        raise DataError(f"{what}: expected numbers, found {images.dtype}")
    # One image at a time: the array may be a memory map larger than memory.
    ends = np.array([(image.min(), image.max()) for image in images], np.float64)
    low, high = float(ends[:, 0].min()), float(ends[:, 1].max())
    if images.dtype.kind == "f" and low >= 0 and high <= 1:
        factor, offset = 255.0, 0.0
    elif images.dtype.kind == "f" and low >= -1 and high <= 1:
        factor, offset = 127.5, 127.5
    elif low >= 0 and high <= 255:
        factor, offset = 1.0, 0.0
    else:
        raise DataError(f"{what}: expected values in [0, 1], [-1, 1] or [0, 255]; found {low:g} to {high:g}")
    return lambda image: np.rint(image.astype(np.float64) * factor + offset).astype(np.uint8)


def _labels(labels: Any, count: int, names: Sequence[str], what: str) -> tuple[list[int] | None, tuple[str, ...]]:
    """Label numbers 0 .. K-1 and the names of the K classes."""
    if labels is None:
        return None, ()
    if labels.dtype.kind not in "iu" or labels.size != count:
        raise DataError(f"{what}: expected {count:,} whole numbers as labels, found {labels.dtype} {list(labels.shape)}")
    distinct, numbers = np.unique(labels.ravel(), return_inverse=True)
    if distinct[0] >= 0 and distinct[-1] < len(names):
        return [int(label) for label in labels.ravel()], tuple(printable(name) for name in names)
    return numbers.tolist(), tuple(str(value) for value in distinct.tolist())
