"""The tool: each class is filled with samples that pass the filters, or nothing is written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from ganvas.augmentation import class_filling
from ganvas.augmentation.class_filling import fill_classes
from ganvas.augmentation.small_training import Judge
from ganvas.cli.app import app
from ganvas.config import DataConfig
from ganvas.data.open import open_source
from ganvas.errors import DataError, UsageError
from ganvas.inference import feature_extractors, model_file
from ganvas.inference.model import Model, load

COUNTS = (24, 30, 12, 30, 30, 30, 30, 30, 30, 30)  # of each digit in the folder to fill


def write_digits(folder: Path, source: str = "mnist") -> Path:
    """A folder for each digit, with the first pictures of this class of a source."""
    data = open_source(DataConfig(source=source))
    for c, count in enumerate(COUNTS):
        (folder / str(c)).mkdir(parents=True)
        for i, row in enumerate((data.fields["label"] == c).nonzero()[:count, 0].tolist()):
            Image.fromarray(data.fields["real"][row, 0].numpy()).save(folder / str(c) / f"{i}.png")
    return folder


@pytest.fixture(scope="module")
def model() -> Model:
    return load("cgan-mnist", "cpu")


@pytest.fixture(autouse=True)
def _trained_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    """The classifier of the filter is the digit network that comes with ganvas: its training takes seconds."""
    game: Any = model_file.load(feature_extractors.NETWORKS / "digits.safetensors", "cpu")[0]
    monkeypatch.setattr(class_filling, "train_judge", lambda *_, **__: Judge(game))


def test_every_class_is_filled_to_the_commonest_with_one_file_a_picture(tmp_path: Path, model: Model) -> None:
    data, out = write_digits(tmp_path / "data"), tmp_path / "out"
    found = fill_classes(model, out, data=str(data), near=0.3)
    written = {name: sorted(out.glob(f"{name}/*")) for name in model.classes}
    assert [len(written[str(c)]) for c in range(10)] == [max(COUNTS) - count for count in COUNTS]
    assert json.loads((out / "augment.json").read_text()) == found.to_dict()
    assert any("was trained on mnist" in note for note in found.notes)  # it may have seen the test pictures
    assert "6 of" in found.text()
    picture = Image.open(written["2"][0])
    assert picture.size == (28, 28)
    assert picture.info["synthetic"] == "true"
    # The file names the seed: it is the sample that `ganvas sample` makes of it.
    again = model.sample(1, seed=int(picture.info["seeds"]), label="2")[0, ..., 0]
    assert np.array_equal(np.asarray(picture), again)


def test_mixed_folders_are_training_data_of_equal_classes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, out = write_digits(tmp_path / "data"), tmp_path / "out"
    (data / "3" / "broken.png").write_bytes(b"")
    words = ["augment", "cgan-mnist", "--data", str(data), "--per-class", "32", "--mix", "--out", str(out), "--device", "cpu"]
    app(words, exit_on_error=False, print_error=False, result_action="return_value")
    printed = capsys.readouterr()
    assert f"{out} (44 samples and the real ones, a folder for each class)" in printed.out
    assert "not on these pictures" in printed.err
    assert "skipped 3/broken.png: not an image" in printed.err
    mixed = open_source(DataConfig(source=str(out)))
    assert torch.bincount(mixed.fields["label"]).tolist() == [32] * 10


def test_a_generator_that_is_far_from_the_pictures_is_refused_and_nothing_is_written(tmp_path: Path, model: Model) -> None:
    clothes = tmp_path / "noise"
    for c in range(10):
        (clothes / str(c)).mkdir(parents=True)
        for i in range(10):
            Image.fromarray(np.random.default_rng(10 * c + i).integers(0, 256, (28, 28), np.uint8)).save(
                clothes / str(c) / f"{i}.png"
            )
    with pytest.raises(DataError, match=r"too far from these pictures .* \d+% of the way"):
        fill_classes(model, tmp_path / "out", data=str(clothes), per_class=20)
    assert {path.name for path in tmp_path.iterdir()} == {"noise"}


def test_too_few_samples_that_pass_are_refused_and_nothing_is_written(
    tmp_path: Path, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = write_digits(tmp_path / "data")
    monkeypatch.setattr(Judge, "name_classes", lambda _, images: torch.full((len(images),), 2))  # sees a 2 in everything
    with pytest.raises(DataError, match=r"class '0': 0 of 120 kept \(refused: 120 another class\), expected 6"):
        fill_classes(model, tmp_path / "out", data=str(data))
    assert {path.name for path in tmp_path.iterdir()} == {"data"}


def test_what_does_not_fit_is_refused(tmp_path: Path, model: Model) -> None:
    data, out = write_digits(tmp_path / "data"), tmp_path / "out"
    with pytest.raises(UsageError, match="nothing to fill"):
        fill_classes(model, out, data=str(data), per_class=5)
    with pytest.raises(UsageError, match=r"is inside the data .*; choose another --out"):
        fill_classes(model, data / "new", data=str(data))
    assert not (data / "new").exists()
    with pytest.raises(UsageError, match="--near"):
        fill_classes(model, out, data=str(data), near=2)
    with pytest.raises(UsageError, match="makes no pictures of a class on request"):
        fill_classes(load("spade-earth", "cpu"), out, data=str(data))
    (data / "0").rename(data / "zero")
    with pytest.raises(DataError, match="has 'zero'"):
        fill_classes(model, out, data=str(data))
    assert not out.exists()
