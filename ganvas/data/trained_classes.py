"""A test split has the classes that the training split can be trained on: those with a sample that can be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ganvas.data.collection import ArrayCollection, ImageCollection
from ganvas.data.images import UnreadableError, silence_pillow
from ganvas.data.table import Skipped
from ganvas.errors import DataError

Samples = ImageCollection | ArrayCollection

REASON = "its class has no readable sample in the training split"


def find_trained_classes(train: Samples) -> list[int]:
    """The numbers of the classes with a sample that can be read. Of each class, samples are decoded until one is read."""
    if isinstance(train, ArrayCollection):
        return sorted(set(map(int, train.labels or ())))
    found: set[int] = set()
    with silence_pillow():
        for i, label in enumerate(map(int, train.labels or ())):
            if label not in found and _is_readable(train, i):
                found.add(label)
    return sorted(found)


def keep_trained_classes(test: Samples, train: Samples) -> Samples:
    """A test split without the classes that the training split leaves out; these samples are listed, and counted in a warning.

    Raises:
        DataError: nothing is left.
    """
    if test.labels is None or train.labels is None or test.classes != train.classes:
        return test
    trained = find_trained_classes(train)
    if len(trained) == len(test.classes):
        return test
    number = {old: new for new, old in enumerate(trained)}
    kept = [i for i, label in enumerate(map(int, test.labels)) if label in number]
    if not kept:
        raise DataError("no sample of the test split is of a class with a readable sample in the training split; repair these")
    labels, classes = [number[int(test.labels[i])] for i in kept], tuple(test.classes[i] for i in trained)
    names = ", ".join(repr(name) for i, name in enumerate(test.classes) if i not in number)
    lost = len(test.labels) - len(kept)
    doubts = (
        (f"test split: {lost:,} of {len(test.labels):,} samples are left out: {names} cannot be trained on",) if lost else ()
    )
    warnings: tuple[str, ...] = (*test.warnings, *doubts)
    if isinstance(test, ArrayCollection):
        return replace(test, samples=test.samples[kept], labels=labels, classes=classes, warnings=warnings)
    return _keep_pictures(replace(test, labels=labels, classes=classes, warnings=warnings), kept)


def _keep_pictures(pictures: ImageCollection, kept: Sequence[int]) -> ImageCollection:
    """The pictures with these indices; `labels` are theirs already."""
    peek, read, last, names = pictures.peek, pictures.read, pictures.last, pictures.names
    rest = set(range(len(names))) - set(kept)
    return replace(
        pictures,
        names=[names[i] for i in kept],
        peek=lambda i: peek(kept[i]),
        read=lambda i, enough: read(kept[i], enough),
        last=lambda i, pixels: last(kept[i], pixels),
        skipped=(*pictures.skipped, *(Skipped(names[i], REASON) for i in sorted(rest))),
    )


def _is_readable(pictures: ImageCollection, i: int) -> bool:
    try:
        pictures.read(i, 0)
    except UnreadableError:
        return False
    return True
