"""What names mean: splits, classes, dataset.json, wrapping folders, clutter."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganvas.data.folder_layout import Layout, arrange
from ganvas.errors import DataError
from ganvas.utils.parsing import printable


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


def paths(*folders: str, count: int = 2) -> list[str]:
    return [f"{folder}/{i}.png" for folder in folders for i in range(count)]


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("train", "test"),
        ("Train", "Test"),
        ("TRAINING", "testing"),
        ("Training", "Valid"),
        ("train", "val"),
        ("train", "eval"),
        ("train", "validation"),
        ("Train", "dev"),
    ],
)
@pytest.mark.parametrize("root", ["", "set/"])
def test_splits_are_known_by_their_usual_names_in_any_case(train: str, test: str, root: str) -> None:
    names = paths(*[f"{root}{split}/{name}" for split in (train, test) for name in ("cats", "dogs")])
    for split, folder in (("train", train), ("test", test)):
        layout = understood(*names, split=split)
        assert layout.classes == ("cats", "dogs")
        assert layout.members == tuple(sorted(name for name in names if name.startswith(f"{root}{folder}/")))
        assert (layout.labels, layout.splits, layout.warnings) == ((0, 0, 1, 1), ("train", "test"), ())
        assert layout.text == f"{folder}/ of a split collection, one folder per class"


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("training_set", "test_set"),
        ("Train Set", "Test-Set"),
        ("train_images", "test_images"),
        ("train2014", "val2017"),
        ("_train", "_test"),
        ("01_train", "02_test"),
        ("pets_train", "pets_test"),
        ("trn", "tst"),
        ("train", "tests"),
        ("train", "hold-out"),
        ("Trainingsdaten", "Testdaten"),
        ("entrai\u0302nement", "validation"),
        ("entrenamiento", "prueba"),
        ("обучение", "тест"),
        ("训练集", "测试集"),
        ("trainA", "testA"),
    ],
)
@pytest.mark.parametrize("below", ["", "images/"])
def test_splits_are_known_by_other_names_and_told(train: str, test: str, below: str) -> None:
    names = paths(*[f"{split}/{below}{name}" for split in (train, test) for name in ("cats", "dogs")])
    for split, folder in (("train", train), ("test", test)):
        layout = understood(*names, split=split)
        assert (layout.classes, layout.labels, layout.splits) == (("cats", "dogs"), (0, 0, 1, 1), ("train", "test"))
        assert layout.members == tuple(sorted(name for name in names if name.startswith(f"{folder}/")))
        what = "are read as the training and the test split"
        assert [warning.partition(what)[0] for warning in layout.warnings] == [f"{train}/ and {test}/ "]


def test_names_that_only_hold_such_words_are_classes() -> None:
    assert understood(*paths("train", "test tube")).classes == ("test tube", "train")
    assert understood(*paths("pets_train", "cars_train", "pets_test", "cars_test")).splits == ("train",)
    assert understood(*paths("train_test", "test_train")).splits == ("train",)


def test_masks_beside_the_splits_are_left_out() -> None:
    layout = understood(*paths("train_images", "train_masks", "test_images", "test_masks"))
    assert layout.members == tuple(paths("train_images"))
    assert [name for name, _ in layout.skipped] == ["test_masks/", "train_masks/"]


def test_a_folder_around_the_classes_of_a_split_is_walked_through() -> None:
    layout = understood(*paths("train/img/a", "train/img/b", "test/a"), split="test")
    assert (layout.classes, layout.labels) == (("a", "b"), (0, 0))
    assert understood(*paths("train/a", "test/a")).labels is None
    strayed = understood(*paths("train/img/a", "train/img/b", "test/img/a", "test/img/b"), "train/x.png", "test/y.png")
    assert (strayed.classes, len(strayed.members)) == (("a", "b"), 4)
    assert [name for name, _ in strayed.skipped] == ["train/x.png", "test/y.png"]
    assert strayed.warnings[0].startswith("pictures beside train/img/ are left out (2 of 6): train/x.png, test/y.png")


def test_a_class_may_have_no_test_split_of_its_own() -> None:
    names = paths("cat/train", "cat/test", "dog/train")
    assert understood(*names).members == tuple(paths("cat/train", "dog/train"))
    assert understood(*names, split="test").members == tuple(paths("cat/test"))
    assert understood(*paths("cat/train", "dog/train")).classes == ("cat", "dog")


@pytest.mark.parametrize(
    ("tests", "lost"), [(["test/a", "test/c"], "2 of 4"), (["test"], "2 of 2"), (["test/A", "test/B"], "4 of 4")]
)
def test_pictures_of_the_test_split_without_a_known_class_are_told_before_a_training(tests: list[str], lost: str) -> None:
    layout = understood(*paths("train/a", "train/b", *tests))
    assert layout.labels == (0, 0, 1, 1)
    assert [f"test split: {lost} pictures have no class of the training split" in each for each in layout.warnings] == [True]


def test_one_training_and_one_test_split() -> None:
    with pytest.raises(DataError, match="two folders are the training split: Train/ and train/; expected one"):
        understood(*paths("Train", "train", "test"))
    layout = understood(*paths("train", "val", "test"), split="test")
    assert layout.members == ("test/0.png", "test/1.png")
    assert layout.skipped == (("val/", "2 pictures test/ is the test split"),)


def test_a_folder_beside_the_splits_is_left_out_by_name() -> None:
    layout = understood(*paths("train/a", "train/b", "test/a", "docs"))
    assert (layout.classes, layout.splits) == (("a", "b"), ("train", "test"))
    assert layout.skipped == (("docs/", "2 pictures beside train/ and test/"),)
    assert len(layout.warnings) == 1
    assert layout.warnings[0].startswith("docs/: left out")


def test_two_domains_are_an_unpaired_data_set() -> None:
    names = paths("set/trainA", "set/trainB", "set/testA", "set/testB")
    layout = understood(*names, "set/cover.png")
    assert (layout.classes, layout.labels, layout.splits) == (("A", "B"), (0, 0, 1, 1), ("train", "test"))
    assert layout.members == tuple(paths("set/trainA", "set/trainB"))
    assert layout.warnings[0].startswith("this is an unpaired data set of two domains: set/trainA/ and set/trainB/")
    assert layout.skipped == (("set/cover.png", "beside set/trainA/ and set/trainB/"),)
    assert understood(*names, split="test").members == tuple(paths("set/testA", "set/testB"))
    assert understood(*paths("TRAIN_a", "train_B")).classes == ("A", "B")


def test_splits_inside_each_class_are_splits() -> None:
    names = paths("cat/train", "cat/test", "dog/Train", "dog/val")
    assert understood(*names).members == tuple(paths("cat/train", "dog/Train"))
    test = understood(*names, split="test")
    assert (test.members, test.labels, test.classes) == (tuple(paths("cat/test", "dog/val")), (0, 0, 1, 1), ("cat", "dog"))


def test_a_test_split_alone_is_read_and_doubted() -> None:
    layout = understood(*paths("test/a", "test/b"))
    assert layout.classes == ("a", "b")
    assert layout.warnings == ("there is no training split beside test/: its pictures are read as the training split",)


@pytest.mark.parametrize("names", [("train", "docs"), ("car", "train", "plane"), ("test", "val"), ("pets_train", "cars_test")])
def test_classes_called_like_splits_are_doubted(names: tuple[str, ...]) -> None:
    layout = understood(*paths(*names))
    assert layout.classes == tuple(sorted(names))
    assert "called like splits" in layout.warnings[0]
    assert understood(*paths("trainer", "test tube")).warnings == ()


STRAYS = [
    ("", ["train/a", "train/b", "test/a"], "train/ and test/"),
    ("", ["train/a", "train/b"], "train/"),
    ("", ["a", "b"], "the folders of the classes"),
    ("set/", ["set/a", "set/b"], "the folders of the classes"),
    ("", ["set/a", "set/b"], "the folder set/"),
    ("", ["set/train/a", "set/train/b", "set/test/b"], "the folder set/"),
    ("", ["a/train", "a/test", "b/train", "b/test"], "the folders of the splits"),
]


@pytest.mark.parametrize(("at", "folders", "beside"), STRAYS)
def test_a_stray_picture_changes_nothing_and_is_named(at: str, folders: list[str], beside: str) -> None:
    plain, strayed = understood(*paths(*folders)), understood(*paths(*folders), f"{at}cover.jpg")
    assert plain.labels is not None
    assert plain.warnings == plain.skipped == ()
    facts = (plain.members, plain.labels, plain.classes, plain.splits)
    assert (strayed.members, strayed.labels, strayed.classes, strayed.splits) == facts
    assert strayed.skipped == ((f"{at}cover.jpg", f"beside {beside}"),)
    assert len(strayed.warnings) == 1
    assert strayed.warnings[0].startswith(f"pictures beside {beside} are left out (1 of ")
    assert strayed.warnings[0].endswith(f": {at}cover.jpg")


def test_an_album_with_folders_stays_one_album() -> None:
    loose = [f"{i:03d}.jpg" for i in range(40)]
    layout = understood(*loose, *paths("2020", "2021"))
    assert (layout.labels, len(layout.members)) == (None, 44)
    assert layout.warnings[0].startswith("40 pictures lie beside 2 folders: all are read, without labels")
    assert understood(*loose, *paths("2020")).warnings == ()


def test_folders_of_a_class_are_doubted_if_only_some_classes_have_them() -> None:
    layout = understood(*paths("data/cats", "data/dogs", "docs"))
    assert layout.classes == ("data", "docs")
    assert layout.warnings == ("data/ is read as one class, though all its pictures are in folders of its own: cats, dogs",)
    assert understood(*paths("a/x", "a/y", "b/x", "b/y")).warnings == ()


def test_names_are_compared_composed() -> None:
    composed, decomposed = "\u00c4rger", "A\u0308rger"
    layout = understood(*paths(f"train/{decomposed}", "train/b", f"test/{composed}", "test/b"), split="test")
    assert (layout.classes, layout.labels) == (("b", composed), (0, 0, 1, 1))
    both = understood(*paths(composed, decomposed, "b"))
    assert (both.classes, len(both.members)) == (("b", composed), 6)
    assert both.warnings == ("folders with one name in two Unicode forms are read as one class",)


def test_a_picture_without_an_ending_is_read_for_what_it_is() -> None:
    heads = {"photo": b"\x89PNG", "a/scan": b"\xff\xd8\xff\xe0", "LICENSE": b"Copy", "lost": b""}
    layout = arrange(list(heads), "train", lambda _name: b"", heads.__getitem__)
    assert layout.members == ("a/scan", "photo")
    assert layout.skipped == (("* (no ending)", "2 not PNG/JPEG/WEBP/BMP/GIF/TIFF"),)


SPLIT_LIKE = ("train", "Test", "val", "trainA", "TrainB", "testA")
FOLDERS = st.sampled_from([*SPLIT_LIKE, "a", "b", "A\u030a", "\u00c5", "dataset.json", "\x1b[0m"])
NAMES = st.tuples(st.lists(FOLDERS, max_size=3), st.sampled_from(["1.png", "2.JPG", "3.txt", "scan", "labels.csv"])).map(
    lambda parts: "/".join([*parts[0], parts[1]])
)
TABLES = st.sampled_from([b"file,label\n1.png,x\na/1.png,y\n", b"", b"train/1.png,1\nTest/1.png,1\n"])


@settings(max_examples=300, deadline=None)
@given(
    st.sets(NAMES, max_size=12), st.sampled_from([b"file,label\n1.png,x\na/1.png,y\n", b"", b"train/1.png,1\nTest/1.png,1\n"])
)
def test_each_picture_is_trained_on_or_tested_on_or_listed(names: set[str], table: bytes) -> None:
    found: dict[str, Layout] = {}
    for split in ("train", "test"):
        with contextlib.suppress(DataError):
            found[split] = arrange(sorted(names), split, lambda _name: table, lambda _name: b"\x89PNG")
    if "train" not in found:
        return
    trained, tested = found["train"].members, found["test"].members if "test" in found else ()
    assert not {*trained} & {*tested}
    assert ("test" in found) <= (found["train"].splits == ("train", "test"))
    for layout in found.values():
        assert list(layout.members) == sorted(layout.members)
        assert layout.labels is None or len(layout.labels) == len(layout.members)
        assert layout.labels is None or {*layout.labels} <= {*range(len(layout.classes))}
        assert all(text.isprintable() for text in (*layout.warnings, *layout.classes, *map("".join, layout.skipped)))
    listed = [name for layout in found.values() for name, _ in layout.skipped]
    pictures = {name for name in names if name.endswith(("png", "JPG", "scan")) and not name.startswith(".")}
    for name in pictures - {*trained, *tested}:
        unreadable_test = found["train"].splits == ("train", "test") and "test" not in found
        assert unreadable_test or any(printable(name) == each or printable(name).startswith(each) for each in listed), name
