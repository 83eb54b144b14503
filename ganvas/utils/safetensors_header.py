"""Read and check the header of a safetensors file before any memory is allocated for its tensors."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, BinaryIO

from ganvas.errors import DataError
from ganvas.utils.parsing import parse_json, printable

HEADER_CAP = 2 << 20  # bytes: room for 20,000 tensors, and for 100 MB of Python objects at worst

DTYPES: Mapping[str, tuple[str, int]] = {  # the safetensors spelling -> torch's, bytes
    "BOOL": ("bool", 1),
    "U8": ("uint8", 1),
    "I8": ("int8", 1),
    "I16": ("int16", 2),
    "F16": ("float16", 2),
    "BF16": ("bfloat16", 2),
    "I32": ("int32", 4),
    "F32": ("float32", 4),
    "I64": ("int64", 8),
    "F64": ("float64", 8),
    "C64": ("complex64", 8),
}

Layout = dict[str, tuple[str, tuple[int, ...]]]  # tensor name -> torch dtype, shape


def read_header(file: BinaryIO, size: int) -> tuple[Layout, dict[str, str]]:
    """The layout and the metadata of a safetensors file of `size` bytes, checked against its size.

    Raises:
        DataError: it is no such file, or its header contradicts its size.
    """
    length = int.from_bytes(file.read(8), "little")
    if size < 8 or length > size - 8:
        raise DataError("not a safetensors file, or the file is truncated")
    if length > HEADER_CAP:
        raise DataError(f"a header of {length:,} bytes, at most {HEADER_CAP:,} are read")
    entries = parse_json(file.read(length), "the header")
    metadata = entries.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(text, str) for text in metadata.values()):
        raise DataError("its metadata is not text")
    layout: Layout = {}
    spans = []
    for name, entry in entries.items():
        dtype, shape, span = _check_entry(entry, f"tensor {printable(name, 100)}")
        layout[name] = dtype, shape
        spans.append(span)
    end = 0
    for start, stop in sorted(spans):
        if start != end:
            raise DataError("its tensors overlap or leave gaps")
        end = stop
    if end != size - 8 - length:
        raise DataError(f"its tensors span {end:,} bytes, the file holds {size - 8 - length:,}")
    return layout, metadata


def _check_entry(entry: Any, what: str) -> tuple[str, tuple[int, ...], tuple[int, int]]:
    """The dtype, shape and byte span of one tensor. Raises: DataError: they contradict each other."""
    known = isinstance(entry, dict) and set(entry) == {"dtype", "shape", "data_offsets"} and entry["dtype"] in list(DTYPES)
    if not known:
        raise DataError(f"{what} is not described by a known dtype, a shape and offsets")
    shape, offsets = entry["shape"], entry["data_offsets"]
    for numbers in (shape, offsets):
        if not isinstance(numbers, list) or len(numbers) > 64 or any(type(n) is not int or not 0 <= n < 2**63 for n in numbers):
            raise DataError(f"{what} has a shape or offsets that are no small lists of counts")
    dtype, width = DTYPES[entry["dtype"]]
    if math.prod(n or 1 for n in shape) >= 2**60:  # a zero in the shape must not hide absurd sizes
        raise DataError(f"{what} has an impossible shape")
    if len(offsets) != 2 or offsets[1] - offsets[0] != math.prod(shape) * width:
        raise DataError(f"{what} has a shape that contradicts its size")
    return dtype, tuple(shape), (offsets[0], offsets[1])
