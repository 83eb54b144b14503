"""A test split has the classes that can be trained on, also if one of them is damaged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ganvas.config import DataConfig
from ganvas.data.open import open_source
from ganvas.data.report import inspect
from ganvas.errors import DataError


@pytest.fixture
def folder(tmp_path: Path, write_picture: Callable[..., Path]) -> Path:
    for i, name in enumerate(("train/a/1", "train/c/1", "test/a/1", "test/b/1", "test/c/1")):
        write_picture(tmp_path / f"pets/{name}.png", i)
    (tmp_path / "pets/train/b").mkdir()
    (tmp_path / "pets/train/b/1.png").write_bytes(b"junk")
    return tmp_path / "pets"


def test_a_class_that_cannot_be_read_is_left_out_of_the_test_split_and_told(folder: Path) -> None:
    train, test = (open_source(DataConfig(source=str(folder), split=split)) for split in ("train", "test"))
    assert train.classes == test.classes == ("a", "c")
    assert test.fields["label"].tolist() == [0, 1]
    assert test.warnings == ("test split: 1 of 3 samples are left out: 'b' cannot be trained on",)
    assert test.skipped == (("test/b/1.png", "its class has no readable sample in the training split"),)
    assert inspect(str(folder), split="test").classes == {"a": 1, "c": 1}


def test_a_class_without_a_training_sample_in_an_array_is_left_out_too(tmp_path: Path) -> None:
    images, classes = np.random.default_rng(0).integers(0, 256, (4, 8, 8), dtype=np.uint8), np.array(list("xyz"))
    arrays = {"y_train": np.array([0, 2, 0, 2]), "y_test": np.array([0, 1, 2, 2]), "classes": classes}
    for name, samples in (("images", images), ("points", images[:, 0, :2].astype(float))):
        np.savez(tmp_path / f"{name}.npz", x_train=samples, x_test=samples, **arrays)
        test = open_source(DataConfig(source=str(tmp_path / f"{name}.npz"), split="test"))
        assert (test.classes, test.fields["label"].tolist()) == (("x", "z"), [0, 1, 1])
    assert np.array_equal(test.fields["real"].numpy(), images[[0, 2, 3], 0, :2])


def test_nothing_left_is_one_line(folder: Path, write_picture: Callable[..., Path]) -> None:
    for name in ("a", "c"):
        (folder / f"test/{name}/1.png").unlink()
    with pytest.raises(DataError, match="pets: no sample of the test split is of a class with a readable sample"):
        open_source(DataConfig(source=str(folder), split="test"))
