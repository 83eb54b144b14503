"""Which arrays of a file are the data and the labels of a split, by the names that libraries and papers give them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

Names = tuple[tuple[str, tuple[str, ...]], ...]  # of data, with those of its labels; in order of preference

LABELS = ("labels", "label", "y", "targets", "target")


def _of_split(*words: str) -> Names:
    """x_train and y_train of Keras, train_images and train_labels of MedMNIST, ..."""
    found: list[tuple[str, tuple[str, ...]]] = []
    for word in words:
        labels = (f"y_{word}", f"{word}_labels", f"{word}_label", f"{word}_y", f"{word}_targets", f"labels_{word}")
        data = (f"x_{word}", f"{word}_images", f"{word}_x", f"{word}_data", f"images_{word}")
        found += [(name, labels) for name in data]
    return tuple(found)


NAMES: Mapping[str, Names] = {
    "train": (
        *((name, LABELS) for name in ("images", "points", "voxels")),  # of `ganvas sample` first
        *_of_split("train", "training"),
        ("arr_0", ("arr_1", *LABELS)),  # of numpy.savez
        *((name, LABELS) for name in ("x", "data", "image", "imgs", "pictures", "samples")),
    ),
    "test": _of_split("test", "val", "valid", "validation", "dev"),
}


class Chosen(NamedTuple):
    """The names of arrays: of the data, and of its labels if it has some."""

    data: str
    labels: str | None


def choose_names(names: Sequence[str], split: str) -> Chosen | None:
    """The arrays of a split; capitals do not matter. None: there are no such names."""
    exact = {name.casefold(): name for name in reversed(names)} | {name: name for name in names}
    for data, labels in NAMES[split]:
        if data in exact:
            return Chosen(exact[data], next((exact[label] for label in labels if label in exact), None))
    return None


def find_unused(shapes: Mapping[str, Sequence[int]], chosen: Chosen, known: Iterable[str]) -> list[str]:
    """Arrays with an entry for each sample that are neither used nor of another split: perhaps they are labels."""
    count = shapes[chosen.data][:1]
    return [name for name, shape in shapes.items() if shape[:1] == count and name not in (*chosen, *known)]
