"""`ganvas classify` names digits, also of paper; what cannot be read or classified is told in one line."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw
from support import miniature_model

import ganvas
from ganvas.cli import app, model_commands
from ganvas.config import DataConfig
from ganvas.core.modality import VOXELS
from ganvas.data.open import open_source
from ganvas.errors import DataError, UsageError
from ganvas.inference.card import check_card
from ganvas.inference.classify_files import classify_files
from ganvas.inference.model import Model

COUNT = 12


@pytest.fixture(scope="module")
def digits() -> Model:
    return ganvas.load("classifier-mnist", "cpu")


@pytest.fixture(scope="module")
def test_digits() -> tuple[Any, list[int]]:
    source = open_source(DataConfig(source="mnist", split="test"), resolution=28, channels=1)
    return source.fields["real"][:COUNT].movedim(1, -1).numpy(), source.fields["label"][:COUNT].tolist()


@pytest.fixture
def folder(tmp_path: Path, test_digits: tuple[Any, list[int]]) -> Path:
    found = tmp_path / "digits"
    (found / "more").mkdir(parents=True)
    for i, (picture, label) in enumerate(zip(*test_digits, strict=True)):
        Image.fromarray(picture[..., 0]).save(found / ("more" if i % 2 else ".") / f"{i:02}-{label}.png")
    return found


def test_test_digits_get_their_names(digits: Model, folder: Path) -> None:
    found = classify_files(digits, [folder])
    assert len(found.names) == COUNT
    assert [found.rank(i)[0][0] for i in range(COUNT)] == [name[-5] for name in found.names]
    assert found.shares.sum(1).numpy() == pytest.approx(1, abs=1e-5)
    rows = json.loads(json.dumps(found.to_dict()))["pictures"]
    assert all(row["class"] == max(row["probabilities"], key=row["probabilities"].get) for row in rows)


def test_python_gives_the_same_numbers(digits: Model, folder: Path, test_digits: tuple[Any, list[int]]) -> None:
    shares = digits.classify(test_digits[0])
    assert shares.dtype == np.float32
    assert [digits.named_classes[k] for k in shares.argmax(1)] == [str(label) for label in test_digits[1]]
    found = classify_files(digits, [folder])
    order = [int(Path(name).name[:2]) for name in found.names]
    np.testing.assert_allclose(found.shares.numpy(), shares[order], atol=1e-5)


def test_a_digit_on_paper_is_made_like_the_data(digits: Model, tmp_path: Path) -> None:
    page = Image.new("RGB", (600, 400), "white")
    ImageDraw.Draw(page).line([(200, 80), (320, 80), (240, 300)], fill="black", width=22)
    page.save(tmp_path / "paper.jpg")
    found = classify_files(digits, [tmp_path / "paper.jpg"])
    assert found.rank(0)[0][0] == "7"
    assert "light and dark exchanged" in found.aligned[0]
    assert classify_files(digits, [tmp_path / "paper.jpg"], align=False).aligned == ("",)


def test_a_small_digit_in_the_corner_of_a_page_with_a_shadow(digits: Model, tmp_path: Path) -> None:
    page = Image.new("L", (1_600, 1_200), 230)
    ImageDraw.Draw(page).line([(1_200, 200), (1_300, 200), (1_230, 390)], fill=40, width=10)
    lit = np.asarray(page, np.float32) * np.where(np.arange(1_600) < 500, 0.6, 1)
    Image.fromarray(lit.astype(np.uint8)).save(tmp_path / "paper.jpg")
    found = classify_files(digits, [tmp_path / "paper.jpg"])
    assert found.rank(0)[0][0] == "7"
    assert found.aligned[0].startswith("its light made even, light and dark exchanged")


def test_it_is_told_that_a_picture_is_not_aligned_and_why(
    digits: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.new("L", (60, 50), 240).save(tmp_path / "blank.png")
    assert classify_files(digits, [tmp_path / "blank.png"]).aligned == ("not aligned: nothing is on it",)
    monkeypatch.setattr(digits, "card", digits.card | {"recipe": digits.card["recipe"] | {"data": {"source": "not-here"}}})
    monkeypatch.setattr("ganvas.inference.model.load", lambda *_: digits)
    model_commands.classify("classifier-mnist", str(tmp_path / "blank.png"))
    said = capsys.readouterr()
    assert said.err.startswith("warning: pictures are not made light on dark")
    assert said.err.rstrip().endswith("not on this machine")
    assert "aligned" not in said.out  # it stands once, not beside each picture


def test_a_conditional_vae_classifies_too(folder: Path) -> None:
    one = miniature_model("vae-mnist-conditional")
    found = classify_files(one, [folder], align=False)
    assert found.shares.shape == (COUNT, len(one.classes))


def test_what_cannot_be_read_is_listed(digits: Model, folder: Path) -> None:
    (folder / "broken.png").write_bytes(b"no picture")
    found = classify_files(digits, [folder])
    assert len(found.names) == COUNT
    assert [name for name, _ in found.skipped] == ["broken.png"]
    with pytest.raises(DataError, match=rf"^{re.escape(str(folder))}/broken\.png: "):
        classify_files(digits, [folder / "broken.png"])


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("gan-mnist", "does not classify; choose a model of a classifier"),
        ("classifier-shapes", "classifies voxels, not pictures"),
    ],
)
def test_models_that_name_no_pictures(name: str, says: str, folder: Path) -> None:
    with pytest.raises(UsageError, match=says):
        classify_files(miniature_model(name), [folder])


def test_arrays_of_another_size(digits: Model) -> None:
    with pytest.raises(UsageError, match="28, 28"):
        digits.classify(np.zeros((1, 32, 32, 1), np.uint8))
    with pytest.raises(UsageError, match="does not classify"):
        miniature_model("gan-mnist").classify(np.zeros((1, 28, 28, 1), np.uint8))


def test_solids_are_classified_from_python() -> None:
    one = miniature_model("classifier-shapes")
    solids = open_source(DataConfig(source="shapes", split="test"), resolution=32, channels=1).fields["real"][:3]
    filled = (solids[:, 0] > 127).numpy()
    assert one.classify(filled).shape == (3, len(one.named_classes))
    np.testing.assert_array_equal(one.classify(filled), one.classify(filled.astype(np.uint8)))
    expected = one.game.classify(VOXELS.normalize(solids)).softmax(1)  # type: ignore[attr-defined]
    np.testing.assert_allclose(one.classify(filled), expected.detach().numpy(), atol=1e-5)
    with pytest.raises(UsageError, match="solids: expected uint8"):
        one.classify(255 * filled.astype(np.uint8))


def test_a_card_with_too_few_names_is_refused(digits: Model) -> None:
    with pytest.raises(DataError, match="names 9 classes, and its networks have 10"):
        check_card(digits.game, digits.card | {"classes": [str(k) for k in range(9)]})


def test_the_command(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert app.COMMANDS["classify"] is model_commands.classify
    model_commands.classify("classifier-mnist", str(folder / "00-7.png"))
    assert capsys.readouterr().out.startswith("00-7.png: 7 ")
    with pytest.raises(UsageError, match="expected a picture, a folder or a zip"):
        model_commands.classify("classifier-mnist")
