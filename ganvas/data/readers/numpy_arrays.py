"""Read NumPy files: images [N, H, W, C], voxels [N, D, H, W], or points [N, D] with D up to 3; and their labels."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ganvas.data.collection import ArrayCollection, DataSource, ImageCollection, identify_file
from ganvas.data.folder_layout import BOTH, missing_test_split
from ganvas.data.images import MAX_PIXELS, MAX_SIDE, Header, UnreadableError
from ganvas.data.labels import label_samples
from ganvas.data.levels import Values
from ganvas.data.readers.array_names import choose_names, find_unused
from ganvas.data.readers.labelled_arrays import Numbered, label_array_samples
from ganvas.data.readers.npz_file import UNREADABLE, Array, Npz, Shape, read_npy, read_npz
from ganvas.data.readers.unpacking import forget_pages
from ganvas.data.readers.voxel_arrays import find_voxels, read_voxels
from ganvas.data.readers.zip_archive import MAX_MEMBERS
from ganvas.data.table import Skipped
from ganvas.data.units import keep_exact
from ganvas.errors import DataError
from ganvas.utils.parsing import printable

MAX_DIMS = 3  # numbers in a point
MAX_NUMBERS = 64_000_000  # in all points together
MAX_NAMES = 16 << 20  # bytes of the names of classes
MANY = 100_000  # pictures; more need at least a byte of the file each
LEAST_SIDE = 3  # pixels, of so many pictures
FORGET = 64 << 20  # bytes of a mapped array that are read before its pages are given back


def find(path: Path, split: str) -> DataSource:
    """The images or points of a .npy or .npz file. Raises: DataError: no test split in it."""
    return DataSource("NumPy file", (identify_file(path),), lambda: _load(path, split))


def array_pictures(
    images: Array,
    labels: Array | None,
    names: Sequence[str],
    what: str,
    splits: tuple[str, ...] = ("train",),
    *,
    usual: bool = False,
    trained: Array | None = None,
) -> ImageCollection:
    """Images from an array [N, H, W, C] of any range and its labels [N]; `names` are those of the classes, empty: 0, 1, ...

    `splits` are the splits that the source has. `usual`: they are bytes from 0 to 255, without a look at their range.
    `trained` are the labels of the training split, which has the classes; images of another class are left out.

    Raises:
        DataError: no images, too many or too large ones, or labels that do not fit.
    """
    _require_pictures(images, what)
    kind = {1: "grey", 3: "RGB", 4: "RGB with alpha"}[images.shape[3]]
    header = Header(images.shape[2], images.shape[1], kind, deep=not usual)
    found = None if labels is None else label_samples(labels, len(images), names, what, trained)
    names_of: Sequence[str] = Numbered(len(images))
    skipped: tuple[Skipped, ...] = ()
    numbers, rows = None if found is None else found.numbers, None
    if numbers is not None and None in numbers:
        rows = [i for i, number in enumerate(numbers) if number is not None]
        skipped = tuple(
            Skipped(names_of[i], "its class is not in the training split") for i in set(range(len(images))) - {*rows}
        )
        names_of, numbers = [names_of[i] for i in rows], [numbers[i] for i in rows]
        if not rows:
            raise DataError(f"{what}: no sample of this split is of a class of the training split; correct its labels")
    often = max(1, FORGET // max(1, images[0].nbytes))

    def read(i: int, _enough: int) -> Values:
        pixels = np.asarray(images[i if rows is None else rows[i]])
        if pixels.dtype.kind == "f" and not np.isfinite(pixels).all():
            raise UnreadableError("has samples that are not finite numbers")
        if i % often == 0:
            forget_pages(images)
        return pixels

    return ImageCollection(
        names_of,
        lambda _i: header,
        read,
        None if numbers is None else [number for number in numbers if number is not None],
        () if found is None else found.classes,
        skipped,
        "images without labels" if found is None else "images with labels",
        splits=splits,
        warnings=() if found is None else found.doubts,
    )


def _load(path: Path, split: str) -> ImageCollection | ArrayCollection:
    what = printable(path)
    try:
        arrays = read_npz(path) if zipfile.is_zipfile(path) else {"images": read_npy(path)}
        images, labels, key, doubts = _choose(arrays, split, what)
        trained = _training_labels(arrays) if split == "test" else None
        names = _class_names(arrays["classes"]) if "classes" in arrays else []
    except UNREADABLE as error:
        raise DataError(
            f"{what}: not a readable NumPy file ({printable(error, 120)}); save it again with numpy.savez"
        ) from None
    if not images.ndim:
        raise DataError(f"{what}: expected images [N, H, W, C] or points [N, D], found a single value; save an array")
    if images.dtype.kind not in "biuf":
        raise DataError(f"{what}: expected numbers, found {images.dtype}")
    if images.ndim > 2 and len(images) > max(MANY, path.stat().st_size):
        found = f"{len(images):,} pictures in {path.stat().st_size:,} bytes"
        raise DataError(f"{what}: refused: {found}, like a zip bomb; leave some out")
    splits = BOTH if choose_names(tuple(arrays), "test") else ("train",)
    if images.ndim <= 2:
        return label_array_samples(_points(images, what), doubts, labels, names, what, splits, trained)
    if (voxels := find_voxels(images, key == "voxels")) is not None:
        solids, odd = read_voxels(voxels, what)
        return label_array_samples(solids, (*doubts, *odd), labels, names, what, splits, trained)
    if key == "voxels":
        raise DataError(f"{what}: expected voxels [N, D, H, W] with D = H = W, found shape {list(images.shape)}")
    odd = _doubt_axes(images.shape, what) if labels is None else ()
    pictures = array_pictures(put_channels_last(images, what), labels, names, what, splits, trained=trained)
    return replace(pictures, warnings=(*doubts, *odd, *pictures.warnings))


def _doubt_axes(shape: Shape, what: str) -> tuple[str, ...]:
    """A sentence if an array [N, H, W] is perhaps one picture, or has its axes in another order."""
    if len(shape) != 3:
        return ()
    count, height, width = shape
    if count not in (3, 4) and width not in (3, 4) and not 1 < count == height:
        return ()
    how = f"is read as {count:,} grey pictures of {width} x {height} pixels"
    return (f"{what}: the shape {list(shape)} {how}; save one picture as [1, H, W, C], one solid as [1, D, H, W]",)


def _class_names(values: Array) -> list[str]:
    if values.nbytes > MAX_NAMES:
        raise DataError(f"its array classes has {values.nbytes:,} bytes; expected a name for each class, at most {MAX_NAMES:,}")
    return [
        value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)
        for value in values.ravel().tolist()
    ]


def _require_pictures(images: Array, what: str) -> None:
    """Raises: DataError: no images, too many or too large ones."""
    if min(images.shape) < 1:
        raise DataError(f"{what}: expected images, found an array of shape {list(images.shape)}")
    count, height, width = images.shape[:3]
    if count > MAX_MEMBERS:
        raise DataError(f"{what}: {count:,} pictures; expected at most {MAX_MEMBERS:,}; leave some out")
    if count > MANY and min(height, width) < LEAST_SIDE:  # they would be enlarged to 200 times as many numbers and more
        expected = f"pictures of at least {LEAST_SIDE} pixels a side, if there are more than {MANY:,}"
        raise DataError(f"{what}: {count:,} pictures of {width} x {height}; expected {expected}; save points as [N, D]")
    if height * width > MAX_PIXELS or max(height, width) > MAX_SIDE:
        raise DataError(f"{what}: pictures of {width} x {height}; expected at most {MAX_PIXELS:,} pixels, {MAX_SIDE:,} a side")


def _choose(arrays: Mapping[str, Array], split: str, what: str) -> tuple[Array, Array | None, str, tuple[str, ...]]:
    """The data, the labels, the name of the data, and what is doubtful, among the arrays of a file."""
    shapes = arrays.shapes if isinstance(arrays, Npz) else {name: array.shape for name, array in arrays.items()}
    chosen = choose_names(tuple(arrays), split)
    if chosen is None and split == "test":
        raise missing_test_split(what)
    if chosen is None and len(arrays) == 1:
        return next(iter(arrays.values())), None, "", ()
    if chosen is None:
        found = ", ".join(f"{printable(name, 40)} {list(shape)}" for name, shape in list(shapes.items())[:8]) or "no array"
        raise DataError(f"{what}: expected arrays named images and labels, found {found}")
    data = arrays[chosen.data]
    if chosen.labels is not None:
        return data, arrays[chosen.labels], chosen.data, ()
    others = find_unused(shapes, chosen, (*(choose_names(tuple(arrays), "test") or ()), "classes"))
    some = ", ".join(printable(name, 40) for name in others[:3])
    doubts = (f"{what}: {some}: not used; if these are the labels, call them labels",) if others else ()
    return data, None, chosen.data, doubts


def _training_labels(arrays: Mapping[str, Array]) -> Array | None:
    """The labels of the training split, if the file has one."""
    chosen = choose_names(tuple(arrays), "train")
    return None if chosen is None or chosen.labels is None else arrays[chosen.labels]


def _points(values: Array, what: str) -> Tensor:
    shape = (len(values), *values.shape[1:]) if values.ndim == 2 else (len(values), 1)
    if not values.size or shape[1] > MAX_DIMS:
        expected = f"points [N, D] with D up to {MAX_DIMS}, or images [N, H, W] or [N, H, W, C]"
        raise DataError(f"{what}: expected {expected}; found shape {list(values.shape)}")
    if values.size > MAX_NUMBERS:
        raise DataError(f"{what}: {values.size:,} numbers; expected at most {MAX_NUMBERS:,}; leave some rows out")
    points = torch.empty(shape, dtype=torch.float64 if values.dtype.itemsize > 2 else torch.float32)
    points.numpy()[...] = values.reshape(shape)
    low, high = points.aminmax()
    if not (torch.isfinite(low) and torch.isfinite(high)) or max(-low, high) > torch.finfo(torch.float32).max:
        reason = "holds numbers that are not finite, or beyond 3.4e38"
        raise DataError(f"{what}: {reason}; remove those rows")
    return keep_exact(points)


def put_channels_last(images: Array, what: str) -> Array:
    """[N, H, W], [N, H, W, C] or [N, C, H, W] -> [N, H, W, C], by which end holds 1, 3 or 4."""
    if images.ndim == 3:
        return images[..., None]
    if images.ndim == 4 and images.shape[3] in (1, 3, 4):
        return images
    if images.ndim == 4 and images.shape[1] in (1, 3, 4):
        return images.transpose(0, 2, 3, 1)
    expected = "expected images [N, H, W] or [N, H, W, C] with C = 1, 3 or 4, or cubes of voxels"
    raise DataError(f"{what}: {expected}; found shape {list(images.shape)}")
