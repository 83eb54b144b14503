"""What names mean: splits, classes, dataset.json, wrapping folders, clutter."""

from __future__ import annotations

import json

import pytest

from ganvas.data.folder_layout import Layout, arrange
from ganvas.errors import DataError


def understood(*names: str, split: str = "train", table: object = None) -> Layout:
    return arrange(names, split, lambda _name: json.dumps(table).encode())


def test_flat_and_nested_pictures_are_unlabelled_and_sorted() -> None:
    layout = understood("b.png", "a.JPG", "deep/c.webp")
    assert layout.members == ("a.JPG", "b.png", "deep/c.webp")
    assert layout.labels is None


def test_a_folder_a_class() -> None:
    layout = understood("dog/1.png", "cat/x/2.png", "cat/1.png")
    assert layout.members == ("cat/1.png", "cat/x/2.png", "dog/1.png")
    assert (layout.labels, layout.classes) == ((0, 0, 1), ("cat", "dog"))


def test_wrapping_folders_are_walked_through() -> None:
    layout = understood("README.txt", "data/set/cat/1.png", "data/set/dog/1.png", "__MACOSX/._1.png", "data/.hidden.png")
    assert (layout.labels, layout.classes) == ((0, 1), ("cat", "dog"))
    assert layout.skipped == (("*.txt", "1 not PNG/JPEG/WEBP/BMP/GIF/TIFF"),)


@pytest.mark.parametrize(("split", "members"), [("train", ("train/a/1.png", "train/b/2.png")), ("test", ("test/b/3.png",))])
def test_splits_share_the_classes_of_train(split: str, members: tuple[str, ...]) -> None:
    layout = understood("train/a/1.png", "train/b/2.png", "test/b/3.png", "test/new/4.png", split=split)
    assert layout.members == members
    assert layout.classes == ("a", "b")
    assert layout.labels == ((0, 1) if split == "train" else (1,))
    assert [name for name, _ in layout.skipped] == ([] if split == "train" else ["test/new/4.png"])


def test_val_stands_in_for_test() -> None:
    assert understood("set/train/1.png", "set/val/2.png", split="test").members == ("set/val/2.png",)


def test_vehicles_are_not_a_split() -> None:
    assert understood("car/1.png", "train/2.png", "plane/3.png").classes == ("car", "plane", "train")


@pytest.mark.parametrize("names", [("a.png",), ("train/a.png",), ("car/1.png", "train/2.png")])
def test_missing_test_split_is_said(names: tuple[str, ...]) -> None:
    with pytest.raises(DataError, match="no test split"):
        understood(*names, split="test")


@pytest.mark.parametrize("root", ["", "set/"])
def test_stylegan_layout(root: str) -> None:
    names = [root + name for name in ("dataset.json", "00000/img0.png", "00000/img1.png", "00001/img2.png")]
    plain = understood(*names, table={"labels": None})
    assert (plain.members, plain.labels) == (tuple(names[1:]), None)
    labelled = understood(*names, table={"labels": [["00000/img1.png", 7], ["00000/img0.png", 3], ["gone.png", 1]]})
    assert (labelled.members, labelled.labels, labelled.classes) == (tuple(names[1:3]), (0, 1), ("3", "7"))
    assert labelled.skipped == ((names[3], "no label in dataset.json"),)


@pytest.mark.parametrize(
    "table", [3, [], {}, {"labels": 3}, {"labels": [1]}, {"labels": [["a.png", 0.5]]}, {"labels": [["a.png", True]]}]
)
def test_odd_tables_are_named(table: object) -> None:
    with pytest.raises(DataError, match=r"dataset\.json"):
        understood("a.png", "dataset.json", table=table)


def test_table_of_strangers_and_deep_nesting() -> None:
    with pytest.raises(DataError, match="none of its 1 names"):
        understood("a.png", "dataset.json", table={"labels": [["b.png", 0]]})
    with pytest.raises(DataError, match="expected"):
        arrange(["a.png", "dataset.json"], "train", lambda _name: b"[" * 200_000)


def test_nothing_to_read_says_what_is_there() -> None:
    with pytest.raises(DataError, match=r"found 2 \*\.heic, 1 \*\.zip"):
        understood("a.heic", "b.HEIC", "c.zip")
    with pytest.raises(DataError, match="found nothing"):
        understood()
