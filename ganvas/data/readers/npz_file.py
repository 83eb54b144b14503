"""Open .npy and .npz files: headers are checked before memory is allocated, and only the arrays that are used are read."""

from __future__ import annotations

import math
import tokenize
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from ganvas.data.readers.unpacking import require_array_size, unpack_array
from ganvas.data.readers.zip_archive import open_archive
from ganvas.errors import DataError
from ganvas.utils.files import open_regular
from ganvas.utils.parsing import printable

Array = NDArray[np.generic]
Shape = tuple[int, ...]

MAX_AXES = 8  # of an array
MAX_LENGTH = 1 << 40  # of an axis
UNREADABLE = (
    OSError,
    ValueError,
    OverflowError,
    EOFError,
    RuntimeError,
    zlib.error,
    zipfile.BadZipFile,
    tokenize.TokenError,
    SyntaxError,
)


def read_npy(path: Path) -> Array:
    """The array of a .npy file, mapped from it."""
    with open_regular(path) as file:
        shape, order, dtype = _read_header(file, path.stat().st_size, 0, printable(path))
        if math.prod(shape) * dtype.itemsize == 0:
            return np.empty(shape, dtype)
        return np.memmap(path, dtype, "r", file.tell(), shape, order)  # type: ignore[call-overload, no-any-return]


class Npz(Mapping[str, Array]):
    """The arrays of a .npz file by name. Headers are read at once, an array when it is asked for."""

    def __init__(self, path: Path, members: Mapping[str, zipfile.ZipInfo], faults: Mapping[str, DataError]) -> None:
        self.path, self.members, self.faults, self.shapes = path, members, faults, dict[str, Shape]()

    def __iter__(self) -> Iterator[str]:
        return iter(self.members)

    def __len__(self) -> int:
        return len(self.members)

    def __getitem__(self, name: str) -> Array:
        info = self.members[name]
        if name in self.faults:
            raise self.faults[name]
        what = f"{printable(self.path)}, {printable(info.filename)}"
        with zipfile.ZipFile(self.path) as archive, archive.open(info) as member:
            shape, order, dtype = _read_header(member, info.file_size, info.compress_size, what)
            array = unpack_array(member, dtype, shape, order)
        if array is None:
            raise DataError(f"{what}: it ends too early; save it again with numpy.savez")
        return array


def read_npz(path: Path) -> Npz:
    """The arrays of a file. One with Python objects, or not as its header says, is an error only if it is used."""
    members: dict[str, zipfile.ZipInfo] = {}
    faults: dict[str, DataError] = {}
    found = Npz(path, members, faults)
    with open_archive(path) as archive:
        for info in archive.infolist():
            name = info.filename.removesuffix(".npy")
            if name == info.filename:
                continue
            what, members[name] = f"{printable(path)}, {printable(info.filename)}", info
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                faults[name] = DataError(f"{what}: packed by a method other than store or deflate; save it with numpy.savez")
                continue
            try:
                with archive.open(info) as member:
                    found.shapes[name] = _read_header(member, info.file_size, info.compress_size, what)[0]
            except DataError as error:
                faults[name] = error
    return found


def _read_header(file: IO[bytes], size: int, packed: int, what: str) -> tuple[Shape, str, np.dtype[np.generic]]:
    """Shape, order (C or F) and type, checked before memory is allocated. `packed` bytes hold the `size` bytes; 0: the same.

    Raises:
        DataError: the shape does not match the size, the array is too large, or its type has Python objects.
    """
    try:
        version = npy.read_magic(file)
        reader = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, fortran, dtype = reader(file)
    except UNREADABLE:
        raise
    except Exception as error:  # the header is a Python literal: nearly anything can go wrong
        raise ValueError(str(error) or type(error).__name__) from None
    if dtype.hasobject:
        raise DataError(f"{what}: holds Python objects, which can run code when read; save it as a plain array")
    if len(shape) > MAX_AXES or not all(0 <= length <= MAX_LENGTH for length in shape):
        shown = printable(list(shape), 80)
        raise DataError(f"{what}: expected images [N, H, W, C] or points [N, D], found an array of shape {shown}")
    wanted = math.prod(shape) * dtype.itemsize
    if wanted != size - file.tell():
        raise DataError(f"{what}: its header claims {wanted:,} bytes, found {size - file.tell():,}; save it again")
    require_array_size(wanted, packed or size, what)
    return tuple(map(int, shape)), "F" if fortran else "C", dtype
