"""Labels as numbers 0 .. K-1 with the names of the K classes, from whatever a user's file has as labels."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ganvas.errors import DataError
from ganvas.utils.parsing import compose, printable, spell_count

MAX_LABELS = 1 << 24  # numbers or names in an array of labels
MAX_BYTES = 1 << 28  # of an array of labels
MANY = 2  # samples of a class, on average, below which its labels are hardly classes
UNLIKE = 50  # times as many samples in the largest class as in the smallest, from which on it is told
MAX_NAME = 200  # letters in the name of a class
NONE = "none"  # the class of a sample with no label among several


def name_class(value: object) -> str:
    """The name of a class as it is kept: composed, on one line, safe to print."""
    return printable(compose(str(value).strip()), MAX_NAME)


def sort_classes(names: Iterable[str]) -> tuple[str, ...]:
    """The distinct names in order: by value if all are whole numbers, else by letters."""
    distinct = set(names)
    if all(name.removeprefix("-").isdecimal() and name.isascii() for name in distinct):
        return tuple(sorted(distinct, key=lambda name: (int(name), name)))
    return tuple(sorted(distinct))


def number_labels(values: Sequence[str], classes: Sequence[str]) -> list[int | None]:
    """The number of each label in `classes`; None: it is not among them."""
    numbers = {name: i for i, name in enumerate(classes)}
    return [numbers.get(value) for value in values]


class Labelled(NamedTuple):
    """Labels as numbers of classes."""

    numbers: list[int | None]  # None: of no class of the training split
    classes: tuple[str, ...]
    doubts: tuple[str, ...]


def label_samples(
    labels: NDArray[Any], count: int, names: Sequence[str], what: str, trained: NDArray[Any] | None = None
) -> Labelled:
    """The labels of `count` samples as numbers; `names` are those of the classes, if the file has them.

    `trained` are the labels of the training split, for another split: its classes are the classes.

    Raises:
        DataError: as `read_label_array`.
    """
    values, doubts = read_label_array(labels, count, what)
    classes = tuple(map(name_class, names))
    if "" in classes:
        raise DataError(f"{what}: expected a name for each class, found an empty one among {len(classes):,}; fill it in")
    numeric = labels.dtype.kind not in "US"
    if classes and numeric and not doubts and all(len(value) < 10 and 0 <= int(value) < len(classes) for value in set(values)):
        values, numeric = [classes[int(value)] for value in values], False
    if classes and not numeric and not doubts and set(values) <= set(classes):
        distinct = tuple(dict.fromkeys(classes))
        twice = next((name for name in distinct if classes.count(name) > 1), None) if len(distinct) < len(classes) else None
        doubts = () if twice is None else (f"{what}: several classes are called {twice!r}, and are read as one",)
        return Labelled(number_labels(values, distinct), distinct, (*doubts, *doubt_alike(distinct)))
    if classes:
        doubts = (*doubts, f"{what}: the labels are not among the {len(classes):,} classes, so these names are not used")
    known = values if trained is None else read_label_array(trained, len(trained), what)[0]
    classes = sort_classes(known)
    return Labelled(
        number_labels(values, classes), classes, (*doubts, *doubt_classes(known, classes, what), *doubt_alike(classes))
    )


def read_label_array(labels: NDArray[Any], count: int, what: str) -> tuple[list[str], tuple[str, ...]]:
    """The name of the class of each of `count` samples, from an array of whole numbers, names, one-hot rows, or several labels.

    Returns also what is doubtful.

    Raises:
        DataError: the array is none of these, or has another length.
    """
    found = f"found {labels.dtype} {list(labels.shape)}"
    if labels.size > MAX_LABELS or labels.nbytes > MAX_BYTES:
        raise DataError(f"{what}: expected at most {MAX_LABELS:,} labels, {found}; give each sample the number of its class")
    deep = labels.ndim > 2 and labels.size > len(labels)
    if labels.ndim == 0 or len(labels) != count or labels.size == 0 or deep:
        raise DataError(f"{what}: expected {count:,} whole numbers as labels, or names, one for each sample, {found}")
    flat = labels.reshape(count, -1)
    if flat.dtype.kind in "US":
        values = np.char.decode(flat, "utf-8", "backslashreplace") if flat.dtype.kind == "S" else flat
        names = [[name_class(each) for each in row] for row in values.tolist()]
        if flat.shape[1] > 1:
            names = [[each for each in row if each] for row in names]
            return _join(names), (_describe_several(names, what),)
        if (empty := next((i for i, row in enumerate(names) if not row[0]), None)) is not None:
            raise DataError(f"{what}: expected a label for each sample, found an empty one of sample {empty}; fill it in")
        return [row[0] for row in names], ()
    if flat.dtype.kind not in "biuf" or not np.isfinite(flat).all() or (flat != np.rint(flat)).any():
        raise DataError(f"{what}: expected {count:,} whole numbers as labels, or names, {found} with other values; round them")
    if flat.shape[1] == 1:
        return [str(int(value)) for value in flat[:, 0].tolist()], ()
    low, high = flat.min(), flat.max()
    if (low, high) in ((-1, 1), (0, 255)) and ((flat == low) | (flat == high)).all() and ((flat == high).sum(1) == 1).all():
        flat = flat == high  # one-hot in other numbers
    if ((flat == 0) | (flat == 1)).all():
        if (flat.sum(1) == 1).all():  # one-hot
            return [str(column) for column in flat.argmax(1).tolist()], ()
        several = [[str(column) for column in np.flatnonzero(row).tolist()] for row in flat]
    else:
        several = [[str(int(value)) for value in row] for row in flat.tolist()]
    return _join(several), (_describe_several(several, what),)


def drop_empty_classes(
    labels: Sequence[int], classes: tuple[str, ...], sources: Counter[int] | None = None
) -> tuple[list[int], tuple[str, ...], tuple[str, ...]]:
    """Labels and classes without the classes that have no sample, and a sentence about these.

    `sources` counts the files of each class, readable or not.
    """
    counts = Counter(labels)
    empty = [i for i in range(len(classes)) if not counts[i]]
    if not empty:
        return list(labels), classes, ()
    kept = [i for i in range(len(classes)) if counts[i]]
    number = {old: new for new, old in enumerate(kept)}
    files = sum(sources[i] for i in empty) if sources else 0
    names = ", ".join(repr(classes[i]) for i in empty[:5]) + (f" and {len(empty) - 5:,} more" if len(empty) > 5 else "")
    reason = f"none of {files:,} files can be read" if files else "no sample has this label"
    word = "class" if len(empty) == 1 else "classes"
    text = f"{word} without a sample, left out: {names} ({reason}); {len(kept):,} of {len(classes):,} classes are left"
    return [number[label] for label in labels], tuple(classes[i] for i in kept), (text,)


def doubt_classes(labels: Sequence[object], classes: Sequence[str], what: str) -> tuple[str, ...]:
    """A sentence if the labels are hardly classes, because nearly each sample has its own."""
    if len(classes) > 10 and len(labels) < MANY * len(classes):
        return (f"{what}: {len(labels):,} samples have {len(classes):,} labels; expected many samples of each class",)
    return ()


def doubt_alike(classes: Sequence[str]) -> tuple[str, ...]:
    """A sentence if the names of two classes look alike: cat and Cat, 1 and 01, or with signs that cannot be seen."""
    seen: dict[str, str] = {}
    for name in classes:
        key = "".join(sign for sign in compose(name).casefold() if unicodedata.category(sign) not in ("Cf", "Zs"))
        key = re.sub(r"^\+?0*(?=\d)", "", key)
        if key in seen:
            pair = f"{printable(seen[key], 40)!r} and {printable(name, 40)!r}"
            return (f"the classes {pair} look alike, and are read as two; give them one name if they are one",)
        seen[key] = name
    return ()


def doubt_balance(labels: Sequence[int], classes: Sequence[str]) -> tuple[str, ...]:
    """A sentence if a class has far fewer samples than another."""
    counts = Counter(labels)
    if len(counts) < 2:
        return ()
    (most, many), (least, few) = counts.most_common()[0], counts.most_common()[-1]
    if many < UNLIKE * few:
        return ()
    small = f"class {classes[least]!r} has {spell_count(few, 'samples')} and {classes[most]!r} has {many:,}"
    return (f"{small}: small classes are learned badly",)


def _join(several: Iterable[Sequence[str]]) -> list[str]:
    """Each combination of labels as one name, as in 3+7."""
    return ["+".join(row) or NONE for row in several]


def _describe_several(several: Sequence[Sequence[str]], what: str) -> str:
    count = len(set(map(tuple, several)))
    return f"{what}: several labels a sample; each of the {count:,} combinations is read as a class of its own"
