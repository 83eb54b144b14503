"""The vocabulary of batch fields: `real`, `label`, `source`, ...: what each contains, and which must have one size."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ganvas.core.modality import CLIPS, IMAGES, LABEL_MAPS, LABELS, POINTS, TEXT, VOXELS, Modality, describe_modalities
from ganvas.errors import DataError, unknown_name

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Field:
    """One entry of the vocabulary."""

    modalities: tuple[Modality, ...]  # the kinds of samples it may contain, the usual one first
    meaning: str


FIELDS: Mapping[str, Field] = {
    "real": Field((POINTS, IMAGES, VOXELS, CLIPS), "a sample of the data"),
    "text": Field((TEXT,), "a line of the data, symbol by symbol"),
    "label": Field((LABELS,), "the class of the sample"),
    "a": Field((IMAGES,), "a sample of the first domain"),
    "b": Field((IMAGES,), "a sample of the second domain, not paired with `a`"),
    "source": Field((IMAGES,), "the image that is translated or animated"),
    "target": Field((IMAGES,), "the image that `source` is translated into"),
    "map": Field((LABEL_MAPS,), "the class of each pixel of the image"),
    "mask": Field((LABEL_MAPS,), "1 at each pixel that is missing, 0 elsewhere"),
    "low": Field((IMAGES,), "the image at low resolution"),
    "clip": Field((CLIPS,), "a sequence of images"),
    "driving": Field((CLIPS, IMAGES), "the motion that `source` follows"),
}

# Fields of one row that have the same height and width. `a` and `b` are not listed: they come from two tables.
SAME_SIZE = ("real", "source", "target", "map", "mask", "clip", "driving")


def check(batch: Mapping[str, Tensor], needs: Iterable[str]) -> None:
    """Check that a normalized `batch` has every field in `needs`, each as the vocabulary describes it.

    All fields have the same batch size. `real`, `source`, `target`, `map`, `mask`, `clip` and `driving` have the same height
    and width, which are those of `low` times an integer.

    Raises:
        DataError: a field is missing or unknown, has another type or number of dimensions, or does not fit the others.
    """
    fields: dict[str, Tensor] = {}
    for name in needs:
        if name not in FIELDS:
            raise unknown_field(name)
        if name not in batch:
            known = FIELDS[name]
            raise DataError(
                f"the game needs the field {name!r} ({known.meaning}); the data gives: {', '.join(batch)}; choose other data"
            )
        _check_kind(name, batch[name])
        fields[name] = batch[name]
    sizes = {name: x.shape[0] for name, x in fields.items()}
    if len(set(sizes.values())) > 1:
        raise DataError(f"fields of one batch: expected one batch size, found {sizes}; give each field as many rows")
    check_size({name: x for name, x in fields.items() if FIELDS[name].modalities[0].space == 2 or x.ndim >= 4})


def check_size(fields: Mapping[str, Tensor]) -> None:
    """Check the height and width of fields [N, ..., H, W] of one row.

    Raises:
        DataError: they do not fit each other.
    """
    sizes = {name: tuple(x.shape[-2:]) for name, x in fields.items() if name in SAME_SIZE}
    if len(set(sizes.values())) > 1:
        raise DataError(f"fields of one row: expected one height and width, found {sizes}; bring them to one size")
    if "low" in fields and sizes:
        name, high = next(iter(sizes.items()))
        low = tuple(fields["low"].shape[-2:])
        scale = high[0] // max(1, low[0])
        if scale < 1 or (low[0] * scale, low[1] * scale) != high:
            raise DataError(
                f"field 'low': expected the size of {name!r}, {list(high)}, divided by a whole number, found {list(low)}; "
                "resize it"
            )


def unknown_field(name: str) -> DataError:
    """The error for a name that is not in the vocabulary."""
    return DataError(str(unknown_name("batch field", name, FIELDS)))


def _check_kind(name: str, x: Tensor) -> None:
    kinds = FIELDS[name].modalities
    dtypes = sorted({str(kind.network_dtype).removeprefix("torch.") for kind in kinds})
    found = f"{str(x.dtype).removeprefix('torch.')} {list(x.shape)}"
    if not any(x.dtype == kind.network_dtype and x.ndim == kind.ndim for kind in kinds):
        raise DataError(
            f"field {name!r}: expected {' or '.join(dtypes)} {describe_modalities(kinds)}, found {found}; choose other data"
        )
