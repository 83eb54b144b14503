"""The layout of an image collection, from its file names: splits, classes, labels. The same for folders and zip files."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ganvas.data.images import FORMATS, SUFFIXES
from ganvas.data.table import Skipped
from ganvas.errors import DataError
from ganvas.utils.parsing import printable

TABLE = "dataset.json"
BOTH = ("train", "test")
TEST_FOLDERS = ("test", "val", "valid", "validation")  # in order of preference


@dataclass(frozen=True)
class Layout:
    """The images of one split: its members in order, with their labels."""

    text: str
    members: tuple[str, ...]
    labels: tuple[int, ...] | None = None
    classes: tuple[str, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    splits: tuple[str, ...] = ("train",)  # the splits that the collection has


def arrange(names: Sequence[str], split: str, read_table: Callable[[str], bytes]) -> Layout:
    """The layout of a collection from the relative names (with "/") of all its files. `read_table` reads its dataset.json.

    Raises:
        DataError: it has no images, or not this split, or its dataset.json cannot be used.
    """
    seen, members, skipped = drop_hidden_files(names)
    root = _find_wrapper([*members, *(name for name in seen if name.split("/")[-1] == TABLE)])
    if root + TABLE in seen:
        return _arrange_by_table(root, members, read_table(root + TABLE), split, skipped)
    inside = _folders(root, members)
    splits = BOTH if "train" in inside and not inside - {"train", *TEST_FOLDERS} and len(inside) > 1 else ("train",)
    members, root, classes, what = _split(root, members, split)
    if not classes:
        return Layout(f"{what}pictures without labels", tuple(members), skipped=skipped, splits=splits)
    number = {name: i for i, name in enumerate(classes)}
    first = [name[len(root) :].split("/")[0] for name in members]
    strangers = tuple(
        Skipped(printable(n), "its class is not in train/") for n, c in zip(members, first, strict=True) if c not in number
    )
    kept = [(name, number[c]) for name, c in zip(members, first, strict=True) if c in number]
    if not kept:
        raise DataError(f"no picture of the {split} split is in a folder of a class of train/: {', '.join(classes)}")
    pictures, labels = zip(*kept, strict=True)
    names = tuple(map(printable, classes))
    return Layout(f"{what}one folder per class", pictures, labels, names, skipped + strangers, splits)


def drop_hidden_files(names: Sequence[str]) -> tuple[list[str], list[str], tuple[Skipped, ...]]:
    """All names without hidden files, the names of images, and the other files. Raises: DataError: no images."""
    seen = sorted(name for name in names if not any(part.startswith((".", "__MACOSX")) for part in name.split("/")))
    members = [name for name in seen if name.lower().endswith(SUFFIXES)]
    others = Counter(_suffix(name) for name in seen if not name.lower().endswith((*SUFFIXES, TABLE)))
    if not members:
        raise DataError(f"no pictures: expected {', '.join(FORMATS)} files; found {_list_endings(others) or 'nothing'}")
    skipped = tuple(Skipped(f"*{suffix}", f"{count:,} not {'/'.join(FORMATS)}") for suffix, count in sorted(others.items()))
    return seen, members, skipped


def missing_test_split(what: str) -> DataError:
    """The error for a collection without a test split."""
    return DataError(f"no test split: expected a folder test/ beside train/, found {what}; use split train")


def _suffix(name: str) -> str:
    base = name.split("/")[-1]
    return printable("." + base.rsplit(".", 1)[1].lower(), 20) if "." in base else " (no ending)"


def _list_endings(others: Counter[str]) -> str:
    return ", ".join(f"{count:,} *{suffix}" for suffix, count in others.most_common(5))


def _folders(root: str, members: Sequence[str]) -> set[str]:
    """The folders directly below `root`; "" stands for files in `root` itself."""
    return {name[len(root) :].split("/")[0] if "/" in name[len(root) :] else "" for name in members}


def _find_wrapper(members: Sequence[str]) -> str:
    """The path of folders that contain nothing but the collection: "" or "faces/" or "archive/faces/"."""
    root = ""
    while len(inside := _folders(root, members)) == 1 and not inside & {"", "train", *TEST_FOLDERS}:
        root += inside.pop() + "/"
    return root


def _split(root: str, members: list[str], split: str) -> tuple[list[str], str, tuple[str, ...], str]:
    """The members of the split, their folder, the classes (those of train/), and a description."""
    inside = _folders(root, members)
    if "train" not in inside or inside - {"train", *TEST_FOLDERS}:
        if split == "test":
            raise missing_test_split("no folder train/")
        return members, root, _classes(root, members), ""
    folder = "train" if split == "train" else next((name for name in TEST_FOLDERS if name in inside), None)
    if folder is None:
        raise missing_test_split("train/ alone")
    trained = [name for name in members if name.startswith(f"{root}train/")]
    chosen = [name for name in members if name.startswith(f"{root}{folder}/")]
    return chosen, f"{root}{folder}/", _classes(f"{root}train/", trained), f"{folder}/ of a split collection, "


def _classes(root: str, members: Sequence[str]) -> tuple[str, ...]:
    """The sorted names of the classes: the folders in `root`, if there are two or more and no image is directly in `root`."""
    inside = _folders(root, members)
    return () if "" in inside or len(inside) < 2 else tuple(sorted(inside))


def _arrange_by_table(root: str, members: list[str], table: bytes, split: str, skipped: tuple[Skipped, ...]) -> Layout:
    """The layout of StyleGAN's dataset_tool: dataset.json gives each member a class number, or null."""
    if split == "test":
        raise missing_test_split(TABLE)
    numbers = _numbers(table)
    if numbers is None:
        return Layout(f"StyleGAN layout ({TABLE} without labels)", tuple(members), skipped=skipped)
    kept = [name for name in members if name[len(root) :] in numbers]
    bare = tuple(Skipped(printable(name), f"no label in {TABLE}") for name in members if name[len(root) :] not in numbers)
    if not kept:
        raise DataError(f"{TABLE}: none of its {len(numbers):,} names is a picture here; expected names relative to it")
    values = [numbers[name[len(root) :]] for name in kept]
    distinct = sorted(set(values))
    labels = tuple(map({value: i for i, value in enumerate(distinct)}.__getitem__, values))
    return Layout(f"StyleGAN layout ({TABLE} with labels)", tuple(kept), labels, tuple(map(str, distinct)), skipped + bare)


def _numbers(table: bytes) -> dict[str, int] | None:
    """The labels of a dataset.json by name, or None if it has none."""
    try:
        content: Any = json.loads(table)
        labels = content["labels"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise DataError(f'{TABLE}: expected {{"labels": [["name.png", 0], ...]}} or {{"labels": null}}') from None
    if labels is None:
        return None
    numbers: dict[str, int] = {}
    for entry in labels if isinstance(labels, list) else [labels]:
        match entry:
            case [str(name), bool()]:
                raise DataError(f"{TABLE}: {printable(name)}: expected a whole number as label, got a truth value")
            case [str(name), int(number)]:
                numbers[name.replace("\\", "/")] = number
            case _:
                raise DataError(f"{TABLE}: expected entries like [name, whole number], got {printable(repr(entry), 80)}")
    return numbers
