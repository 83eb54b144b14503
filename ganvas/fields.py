"""The batch vocabulary: every field a batch may carry, with its type, dimensions, range and meaning."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ganvas.errors import DataError

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Field:
    """One entry of the vocabulary. `dims` ending in "..." allows any further dimensions."""

    dtype: str
    dims: tuple[str, ...]
    range: str
    meaning: str


FIELDS: Mapping[str, Field] = {
    "real": Field("float32", ("N", "..."), "[-1, 1] for images, data units for points", "a sample of the data"),
    "text": Field("int64", ("N", "L"), "0 .. vocabulary-1", "a line of the data, symbol by symbol; 0 ends it"),
    "label": Field("int64", ("N",), "0 .. classes-1", "the class of `real`"),
}


def check(batch: Mapping[str, Tensor], needs: Iterable[str]) -> None:
    """Check that `batch` has every field in `needs`, each as the vocabulary describes it.

    Raises:
        DataError: a field is missing or unknown, or has another type, rank or batch size than expected.
    """
    sizes: dict[str, int] = {}
    for name in needs:
        if name not in FIELDS:
            raise DataError(f"unknown batch field {name!r}; known fields: {', '.join(FIELDS)}")
        if name not in batch:
            raise DataError(f"the game needs the field {name!r} ({FIELDS[name].meaning}); the data gives: {', '.join(batch)}")
        field, tensor = FIELDS[name], batch[name]
        dtype = str(tensor.dtype).removeprefix("torch.")
        if dtype != field.dtype:
            raise DataError(f"field {name!r}: expected {field.dtype}, got {dtype}")
        open_ended = field.dims[-1] == "..."
        fixed = len(field.dims) - open_ended
        if tensor.ndim < fixed or (tensor.ndim != fixed and not open_ended):
            raise DataError(f"field {name!r}: expected dimensions [{', '.join(field.dims)}], got shape {list(tensor.shape)}")
        sizes[name] = tensor.shape[0]
    if len(set(sizes.values())) > 1:
        raise DataError(f"fields of one batch must have one batch size, got {sizes}")
