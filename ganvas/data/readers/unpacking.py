"""Unpack large parts of an archive into a temporary file: memory is bounded, whatever the archive holds."""

from __future__ import annotations

import math
import mmap
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import IO, Protocol

import numpy as np
from numpy.typing import NDArray

from ganvas.data import cache
from ganvas.errors import DataError, ResourceError
from ganvas.utils.files import make_folder

PIECE = 1 << 20  # bytes that are read at a time
SMALL = 16 << 20  # bytes that may stay in memory
PLAIN = 256 << 20  # bytes; above that an array must not unpack to more than MAX_RATIO times its packed size
MAX_RATIO = 200
MAX_BYTES = 8 << 30  # of one array


class Readable(Protocol):
    """A stream of bytes."""

    def read(self, size: int = -1, /) -> bytes:
        """Up to `size` bytes."""


def require_array_size(size: int, packed: int, what: str) -> None:
    """Raises: DataError: an array of `size` bytes is too large, or too large for the `packed` bytes that hold it."""
    if size > MAX_BYTES:
        raise DataError(f"{what}: its header claims {size:,} bytes; expected at most {MAX_BYTES:,}; use fewer samples")
    if size > max(PLAIN, MAX_RATIO * packed):
        found = f"{packed:,} bytes unpack to {size:,}"
        raise DataError(f"{what}: {found}, like a zip bomb; expected at most {MAX_RATIO} times; save it without compression")


def temporary_file() -> IO[bytes]:
    """A file without a name, on the disk of the cache folder if that can be written. Raises: OSError."""
    with suppress(OSError, ResourceError):
        folder: Path = cache.cache_folder()
        make_folder(folder)
        return tempfile.TemporaryFile(dir=folder)
    return tempfile.TemporaryFile()


def unpack(stream: Readable, size: int) -> IO[bytes]:
    """The next `size` bytes of a stream, or as many as there are, in memory or in a temporary file. Raises: OSError."""
    target = BytesIO() if size <= SMALL else temporary_file()
    while size > 0 and (piece := stream.read(min(PIECE, size))):
        target.write(piece)
        size -= len(piece)
    target.seek(0)
    return target


def unpack_array(
    stream: Readable, dtype: np.dtype[np.generic], shape: Sequence[int], order: str = "C"
) -> NDArray[np.generic] | None:
    """The array that a stream holds; a large one is mapped from a temporary file. None: the stream is too short.

    Raises:
        OSError: there is no room for it.
    """
    size = math.prod(shape) * dtype.itemsize
    with unpack(stream, size) as file:
        length = file.seek(0, 2)
        if length != size:
            return None
        file.seek(0)
        if size <= SMALL:
            return np.frombuffer(file.read(), dtype).reshape(shape, order=order)  # type: ignore[call-overload, no-any-return]
        return np.memmap(file, dtype, "r", 0, tuple(shape), order)  # type: ignore[call-overload, no-any-return]


def forget_pages(array: NDArray[np.generic]) -> None:
    """Let the system take back the memory of a mapped array; its pages are read again where they are needed."""
    mapped = getattr(array, "_mmap", None)
    if mapped is None and isinstance(array.base, np.ndarray):
        forget_pages(array.base)
    elif isinstance(mapped, mmap.mmap) and hasattr(mapped, "madvise"):
        with suppress(OSError, ValueError):
            mapped.madvise(mmap.MADV_DONTNEED)
