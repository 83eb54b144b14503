"""Labels beside arrays, whatever they are: numbers, names, one-hot rows, several; and those of a test split."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ganvas.config import DataConfig
from ganvas.data.open import open_source
from ganvas.data.report import inspect
from ganvas.data.table import TableDataset
from ganvas.errors import DataError

GREY = np.random.default_rng(0).integers(0, 256, (4, 8, 8), dtype=np.uint8)


def opened(path: Path, split: str = "train", **arrays: Any) -> TableDataset:
    if arrays:
        np.savez(path, **arrays)
    return open_source(DataConfig(source=str(path), split=split))  # type: ignore[arg-type]


def named(data: TableDataset) -> list[str]:
    """The name of the class of each sample."""
    return [data.classes[number] for number in data.fields["label"].tolist()]


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        ([2, 10, 2, 3], "2 10 2 3"),
        ([2.0, 10.0, 2.0, 3.0], "2 10 2 3"),
        (np.array([2, 10, 2, 3], ">i2"), "2 10 2 3"),
        ([True, False, True, True], "1 0 1 1"),
        (["cat", "dog", "cat", "cow"], "cat dog cat cow"),
        ([b"cat", b"dog", b"cat", b"cow"], "cat dog cat cow"),
        (["A\u030a", "\u00c5", "b", "b"], "\u00c5 \u00c5 b b"),
        (np.eye(3)[[0, 2, 0, 1]], "0 2 0 1"),
        (np.eye(3, dtype=bool)[[0, 2, 0, 1]], "0 2 0 1"),
        (np.eye(3, dtype=np.uint8)[[0, 2, 0, 1]] * 255, "0 2 0 1"),
        (np.eye(3)[[0, 2, 0, 1]] * 2 - 1, "0 2 0 1"),
        ([[2], [10], [2], [3]], "2 10 2 3"),
        (["10", "9", "9", "10"], "10 9 9 10"),
    ],
)
def test_labels_of_any_type_are_classes(labels: Any, names: str, tmp_path: Path) -> None:
    data = opened(tmp_path / "x.npz", images=GREY, labels=np.asarray(labels))
    assert named(data) == names.split()
    assert data.warnings == ()
    order = sorted(set(names.split()), key=lambda name: (int(name) if name.isdecimal() else 0, name))
    assert data.classes == tuple(order)
    assert inspect(str(tmp_path / "x.npz")).classes == {name: names.split().count(name) for name in order}


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        ([[1, 0, 1], [0, 1, 0], [0, 0, 0], [1, 0, 1]], "0+2 1 none 0+2"),
        ([[5, 7], [5, 8], [5, 7], [6, 7]], "5+7 5+8 5+7 6+7"),
        ([["a", "x"], ["a", "y"], ["a", "x"], ["b", "x"]], "a+x a+y a+x b+x"),
    ],
)
def test_several_labels_are_one_class_for_each_combination_and_are_told(labels: Any, names: str, tmp_path: Path) -> None:
    data = opened(tmp_path / "x.npz", images=GREY, labels=np.array(labels))
    assert named(data) == names.split()
    assert data.warnings[0].endswith("x.npz: several labels a sample; each of the 3 combinations is read as a class of its own")


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        ([0.5, 1, 2, 3], "with other values; round them"),
        ([np.nan, 1, 2, 3], "with other values; round them"),
        ([0, 1, 2], "expected 4 whole numbers"),
        (np.array([1j, 0, 0, 0]), "found complex128"),
        (np.zeros((4, 0)), "expected 4 whole numbers"),
        (np.array("2020-01-01", "M8[D]").repeat(4), "found datetime64"),
        (np.zeros((4, 8, 8), np.uint8), "one for each sample, found uint8 .4, 8, 8."),
        (["a", "", "a", "b"], "found an empty one of sample 1"),
    ],
)
def test_what_is_no_label_is_refused(labels: Any, reason: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=reason):
        opened(tmp_path / "x.npz", images=GREY, labels=np.asarray(labels))


def test_names_of_classes_are_used_if_the_labels_are_among_them(tmp_path: Path) -> None:
    names = np.array(["b", "A\u0308", "c"])
    data = opened(tmp_path / "n.npz", images=GREY, labels=[0, 1, 2, 0], classes=names)
    assert (data.classes, named(data)) == (("b", "\u00c4", "c"), ["b", "\u00c4", "c", "b"])
    assert named(opened(tmp_path / "s.npz", images=GREY, labels=["c", "b", "\u00c4", "b"], classes=names)) == [
        "c",
        "b",
        "\u00c4",
        "b",
    ]
    odd = opened(tmp_path / "o.npz", images=GREY, labels=[0, 1, 2, 3], classes=names)
    assert odd.classes == ("0", "1", "2", "3")
    assert "the labels are not among the 3 classes" in odd.warnings[0]


def test_a_test_split_has_the_classes_of_the_training_split(tmp_path: Path) -> None:
    arrays = {"x_train": GREY, "y_train": [5, 7, 9, 5], "x_test": GREY, "y_test": [9, 8, 9, 5]}
    assert opened(tmp_path / "x.npz", **arrays).classes == ("5", "7", "9")
    test = opened(tmp_path / "x.npz", "test")
    assert (test.classes, test.fields["label"].tolist()) == (("5", "7", "9"), [2, 2, 0])
    assert np.array_equal(test.fields["real"][:, 0].numpy(), GREY[[0, 2, 3]])
    assert test.skipped == (("#1", "its class is not in the training split"),)
    with pytest.raises(DataError, match="no sample of this split is of a class of the training split"):
        opened(tmp_path / "y.npz", "test", **{**arrays, "y_test": [1, 2, 3, 4]})


def test_an_idx_test_split_has_the_classes_of_the_training_split(tmp_path: Path) -> None:
    for split, labels in (("train", [3, 4, 8]), ("t10k", [8, 8, 3])):
        head = np.array([3, 8, 8], ">u4").tobytes()
        (tmp_path / f"{split}-images-idx3-ubyte").write_bytes(b"\0\0\x08\x03" + head + GREY[:3].tobytes())
        (tmp_path / f"{split}-labels-idx1-ubyte").write_bytes(b"\0\0\x08\x01\0\0\0\x03" + bytes(labels))
    test = opened(tmp_path, "test")
    assert (test.classes, test.fields["label"].tolist()) == (("3", "4", "8"), [2, 2, 0])


def test_points_may_have_labels(tmp_path: Path) -> None:
    points = np.random.default_rng(0).normal(size=(4, 2))
    assert named(opened(tmp_path / "p.npz", points=points, labels=["a", "b", "a", "b"])) == ["a", "b", "a", "b"]
    plain = opened(tmp_path / "r.npz", x=points, y=[0.5, 1.5, 2.5, 0.1])
    assert "label" not in plain.fields
    assert plain.warnings[0].startswith("read without labels: ")


CUBES = (np.random.default_rng(0).random((4, 8, 8, 8)) < 0.3).astype(np.uint8)


@pytest.mark.parametrize(
    "solids",
    [CUBES, CUBES.astype(bool), CUBES * 255, CUBES.astype(np.float32), CUBES[:, None], CUBES[..., None], CUBES * 2.0 - 1],
)
def test_voxels_of_any_range_and_order(solids: Any, tmp_path: Path) -> None:
    np.save(tmp_path / "v.npy", solids)
    data = opened(tmp_path / "v.npy")
    assert data.modality.name == "voxels"
    assert np.array_equal(data.fields["real"].numpy(), CUBES[:, None] * 255)
    report = inspect(str(tmp_path / "v.npy"))
    assert "4 solids" in report.text()
    report.preview(tmp_path / "v.png")


def test_voxels_have_labels_and_small_cubes_a_name(tmp_path: Path) -> None:
    data = opened(tmp_path / "v.npz", voxels=CUBES[:, :3, :3, :3], labels=[1, 0, 1, 1], classes=["lamp", "chair"])
    assert (data.fields["real"].shape, named(data)) == ((4, 1, 3, 3, 3), ["chair", "lamp", "chair", "chair"])
    assert opened(tmp_path / "i.npz", images=CUBES[:, :3, :3, :3]).modality.name == "images"


def test_larger_solids_are_reduced_and_others_keep_their_side(tmp_path: Path) -> None:
    np.save(tmp_path / "v.npy", CUBES)
    source = DataConfig(source=str(tmp_path / "v.npy"))
    small = open_source(source, resolution=4, pictures=False)
    expected = CUBES.reshape(4, 4, 2, 4, 2, 4, 2).max((2, 4, 6)) * 255
    assert np.array_equal(small.fields["real"][:, 0].numpy(), expected)
    assert small.warnings == ("the solids have 8 voxels a side and were reduced to 4",)
    assert small.fingerprint != open_source(source).fingerprint
    same = open_source(source, resolution=32, pictures=False)
    assert (same.resolution, same.warnings) == (8, ("the solids have 8 voxels a side: the model takes 8, not 32",))


def test_doubtful_voxels_are_told_and_bad_ones_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "e.npy", np.concatenate([CUBES, CUBES * 0]))
    assert opened(tmp_path / "e.npy").warnings[0].endswith("4 of 8 solids are empty")
    for solids, reason in (
        (np.full((2, 8, 8, 8), np.nan), "not finite"),
        (np.zeros((2, 300, 300, 300), bool), "expected at most 256 a side"),
        (np.zeros((2, 8, 8, 9), np.uint8), "expected images"),
    ):
        np.save(tmp_path / "b.npy", solids)
        with pytest.raises(DataError, match=reason):
            opened(tmp_path / "b.npy")


def test_classes_with_one_name_are_one_class_and_told(tmp_path: Path) -> None:
    for same in (["x", "x", "z"], ["A\u030a", "\u00c5", "z"]):
        data = opened(tmp_path / "x.npz", images=GREY, labels=np.array([0, 1, 2, 1]), classes=np.array(same))
        assert (len(data.classes), data.fields["label"].tolist()) == (2, [0, 0, 1, 0])
        assert "several classes are called" in data.warnings[0]
    with pytest.raises(DataError, match="expected a name for each class, found an empty one among 2"):
        opened(tmp_path / "x.npz", images=GREY, labels=np.array([0, 1, 0, 1]), classes=np.array(["a", ""]))


def test_names_in_an_unknown_encoding_stay_apart(tmp_path: Path) -> None:
    data = opened(tmp_path / "x.npz", images=GREY, labels=np.array([b"\xe9", b"\xe8", b"a", b"a"]))
    assert len(data.classes) == 3


def test_solids_that_are_no_cubes_are_refused_as_such(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="with D = H = W"):
        opened(tmp_path / "x.npz", voxels=np.zeros((4, 8, 16, 16)))
    with pytest.raises(DataError, match="expected at least 2 a side"):
        opened(tmp_path / "x.npz", voxels=np.ones((4, 1, 1, 1)))
