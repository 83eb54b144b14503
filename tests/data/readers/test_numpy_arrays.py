"""NumPy files and CSV: shapes, ranges, keys, and what is refused."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from ganvas.config import DataConfig
from ganvas.data.open import open_source
from ganvas.data.table import TableDataset
from ganvas.errors import DataError

IMAGES = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3), dtype=np.uint8)


def opened(path: Path, split: str = "train") -> TableDataset:
    return open_source(DataConfig(source=str(path), split=split))  # type: ignore[arg-type]


def saved(path: Path, array: object) -> Path:
    np.save(path, array)  # type: ignore[arg-type]
    return path


def test_our_own_samples_come_back(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", images=IMAGES, labels=np.array([1, 0, 1, 1]), classes=np.array(["a", "b"]))
    source = opened(tmp_path / "x.npz")
    assert np.array_equal(source.fields["real"].numpy(), IMAGES.transpose(0, 3, 1, 2))
    assert (source.classes, source.fields["label"].tolist()) == (("a", "b"), [1, 0, 1, 1])


def test_keras_keys_have_splits(tmp_path: Path) -> None:
    grey = IMAGES[..., 0]
    np.savez_compressed(tmp_path / "k.npz", x_train=grey, y_train=np.array([[5], [7], [7], [5]]), x_test=grey[:1], y_test=[7])
    train = opened(tmp_path / "k.npz")
    assert (train.classes, train.fields["label"].tolist(), train.channels) == (("5", "7"), [0, 1, 1, 0], 1)
    assert len(opened(tmp_path / "k.npz", "test")) == 1


@pytest.mark.parametrize("key", ["arr_0", "anything"])
def test_a_single_array_needs_no_key(tmp_path: Path, key: str) -> None:
    np.savez(tmp_path / "x.npz", **{key: IMAGES})  # type: ignore[arg-type]
    assert len(opened(tmp_path / "x.npz")) == 4
    with pytest.raises(DataError, match="no test split"):
        opened(tmp_path / "x.npz", "test")


@pytest.mark.parametrize(
    "array",
    [
        IMAGES,
        IMAGES.transpose(0, 3, 1, 2),
        IMAGES.astype(np.int64),
        IMAGES.astype(np.uint16) * 257,
        IMAGES.astype(np.float32),
        IMAGES / 255,
        (IMAGES / 127.5 - 1).astype(np.float32),
        np.concatenate([IMAGES, np.full_like(IMAGES[..., :1], 255)], -1),
        np.asfortranarray(IMAGES),
    ],
)
def test_ranges_and_orders_of_images(tmp_path: Path, array: object) -> None:
    source = opened(saved(tmp_path / "x.npy", array))
    assert np.array_equal(source.fields["real"].numpy(), IMAGES.transpose(0, 3, 1, 2))


def test_alpha_is_laid_on_white_and_truth_is_white(tmp_path: Path) -> None:
    assert opened(saved(tmp_path / "x.npy", np.zeros((1, 2, 2, 4), np.uint8))).fields["real"].min() == 255
    assert opened(saved(tmp_path / "y.npy", np.ones((1, 2, 2), bool))).fields["real"].min() == 255


@pytest.mark.parametrize("shape", [(50,), (50, 1), (50, 2), (50, 3)])
def test_points(tmp_path: Path, shape: tuple[int, ...]) -> None:
    values = np.random.default_rng(0).normal(size=shape)
    source = opened(saved(tmp_path / "p.npy", values))
    assert np.array_equal(source.fields["real"].numpy(), values.reshape(50, -1).astype(np.float32))
    assert source.fingerprint


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        (np.zeros((3, 784)), "expected points"),
        (np.zeros((0, 2)), "expected points"),
        (np.array([[np.inf, 1.0]]), "not finite"),
        (np.zeros((0, 8, 8, 3), np.uint8), "expected images"),
        (np.zeros((2, 8, 8, 7), np.uint8), "expected images"),
        (np.zeros((2, 8, 8, 8, 3), np.uint8), "expected images"),
        (np.full((2, 8, 8), np.nan), "not finite numbers"),
        (np.zeros((2, 8, 8), complex), "expected numbers"),
        (np.array(["a"]), "expected numbers, found <U1"),
        (np.zeros(4, [("a", "i4")]), "expected numbers"),
        (np.zeros((4, 2), "M8[s]"), "expected numbers, found datetime64"),
        (np.array([{}, {}], dtype=object), "Python objects"),
    ],
)
def test_what_is_neither_is_named(tmp_path: Path, array: object, reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        opened(saved(tmp_path / "x.npy", array))


def test_objects_inside_npz_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", images=np.array([{}], dtype=object))
    with pytest.raises(DataError, match="Python objects"):
        opened(tmp_path / "x.npz")


def test_lying_headers_allocate_nothing(tmp_path: Path) -> None:
    small = saved(tmp_path / "x.npy", np.zeros((10, 8, 8), np.uint8)).read_bytes()
    lie = small.replace(b"(10, 8, 8)", b"(9**9,8,8)").replace(b"(9**9,8,8)", b"(99999999,)")[: len(small)]
    (tmp_path / "x.npy").write_bytes(lie)
    with pytest.raises(DataError, match=r"x\.npy"):
        opened(tmp_path / "x.npy")
    lie = small.replace(b"(10, 8, 8), ", b"(99, 99, 99),")
    (tmp_path / "x.npy").write_bytes(lie)
    with pytest.raises(DataError, match="claims 970,299 bytes"):
        opened(tmp_path / "x.npy")
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as file:
        file.writestr("images.npy", lie)
    with pytest.raises(DataError, match="claims 970,299 bytes"):
        opened(tmp_path / "x.npz")


@pytest.mark.parametrize("content", [b"", b"junk", b"\x93NUMPY", b"\x93NUMPY\x01\0\x76\0{'descr':", b"PK\3\4junk"])
def test_damaged_files_are_named(tmp_path: Path, content: bytes) -> None:
    for name in ("x.npy", "x.npz"):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError, match=r"not a readable NumPy file"):
            opened(tmp_path / name)


def test_unclear_keys_are_listed(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", a=IMAGES, b=IMAGES)
    with pytest.raises(DataError, match=r"found a \[4, 8, 8, 3\], b"):
        opened(tmp_path / "x.npz")
    np.savez(tmp_path / "x.npz", images=IMAGES, labels=[0.5] * 4)
    with pytest.raises(DataError, match="expected 4 whole numbers"):
        opened(tmp_path / "x.npz")


@pytest.mark.parametrize(
    ("data", "labels"),
    [
        *[("X", "y"), ("Images", "Labels"), ("images", "y"), ("image", "label"), ("data", "target"), ("X_train", "y_train")],
        *[("train_images", "train_labels"), ("train_x", "train_y"), ("arr_0", "labels"), ("x_training", "y_training")],
    ],
)
def test_names_of_other_libraries_are_known_in_any_case(tmp_path: Path, data: str, labels: str) -> None:
    np.savez(tmp_path / "x.npz", **{data: IMAGES, labels: np.array([1, 0, 1, 1])})
    source = opened(tmp_path / "x.npz")
    assert (source.fields["label"].tolist(), source.warnings) == ([1, 0, 1, 1], ())


@pytest.mark.parametrize("test", ["test", "val", "valid", "dev"])
def test_splits_of_medmnist(tmp_path: Path, test: str) -> None:
    arrays = {
        f"{word}_{what}": IMAGES[:n] if what == "images" else np.arange(n)[:, None] % 2
        for word, n in (("train", 4), (test, 2))
        for what in ("images", "labels")
    }
    np.savez(tmp_path / "x.npz", **arrays)
    assert (len(opened(tmp_path / "x.npz")), len(opened(tmp_path / "x.npz", "test"))) == (4, 2)
    assert opened(tmp_path / "x.npz").splits == ("train", "test")


def test_an_array_that_may_be_the_labels_is_told(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", images=IMAGES, digits=[1, 0, 1, 1], mean=[0.5], x_test=IMAGES, y_test=[0, 1, 0, 1])
    assert [warning.partition(".npz: ")[2] for warning in opened(tmp_path / "x.npz").warnings] == [
        "digits: not used; if these are the labels, call them labels"
    ]


def test_an_array_that_is_not_used_may_be_anything(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", images=IMAGES, labels=[1, 0, 1, 1], meta=np.array({}, dtype=object))
    assert len(opened(tmp_path / "x.npz").classes) == 2
    np.savez(tmp_path / "y.npz", images=IMAGES, labels=np.array([1, "a", None, {}], dtype=object))
    with pytest.raises(DataError, match=r"labels\.npy: holds Python objects"):
        opened(tmp_path / "y.npz")


@pytest.mark.parametrize("shape", [(8, 8, 3), (3, 8, 8), (16, 16, 9), (8, 8, 8)])
def test_axes_in_another_order_are_told(tmp_path: Path, shape: tuple[int, ...]) -> None:
    random = np.random.default_rng(0)
    source = opened(saved(tmp_path / "x.npy", random.integers(0, 256, shape, dtype=np.uint8)))
    assert f"the shape {list(shape)} is read as {shape[0]} grey pictures" in source.warnings[0]
    assert opened(saved(tmp_path / "y.npy", random.integers(0, 256, (9, 8, 8), dtype=np.uint8))).warnings == ()


def test_points_of_truth_values_are_points(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 2, (50, 2)).astype(bool)
    assert np.array_equal(opened(saved(tmp_path / "x.npy", values)).fields["real"].numpy(), values)


def test_an_error_names_the_file(tmp_path: Path) -> None:
    for array in (np.full((2, 8, 8), np.nan), np.zeros((2, 8, 8, 7))):
        with pytest.raises(DataError, match=r"x\.npy: "):
            opened(saved(tmp_path / "x.npy", array))


@pytest.mark.parametrize("shape", [(2_000_000, 1, 1), (200_000, 2, 9), (200_000, 9, 1, 3)])
def test_very_many_tiny_pictures_are_refused_at_once(tmp_path: Path, shape: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match="expected pictures of at least 3 pixels a side, if there are more than 100,000"):
        opened(saved(tmp_path / "x.npy", np.zeros(shape, np.uint8)))
