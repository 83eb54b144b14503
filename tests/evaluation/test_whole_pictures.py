"""Super-resolution and filters on whole photographs: of any size, one by one, beside the bicubic or the copied input."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import miniatures
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from miniatures import RECIPES, fresh_game
from PIL import Image
from torch import Tensor

from ganvas.data.computed_pairs import TEACHERS
from ganvas.errors import DataError, UsageError
from ganvas.evaluation.evaluate import evaluate
from ganvas.evaluation.whole_pictures import suits, translate_photographs
from ganvas.inference import model_file
from ganvas.inference.model import load
from ganvas.metrics.luma_psnr import psnr_y
from ganvas.utils.settings import to_dict

SIZES = ((70, 41), (66, 96), (33, 80))


@pytest.fixture(autouse=True)
def _games(monkeypatch: pytest.MonkeyPatch) -> None:
    miniatures.install(monkeypatch)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for k, size in enumerate(SIZES):
        coarse = np.random.default_rng(k).integers(0, 256, (7, 7), np.uint8)
        Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC).save(folder / f"{k}.png")
    return folder


def bundle(name: str, folder: Path, pair: str = "") -> Path:
    recipe = replace(RECIPES[name], data=replace(RECIPES[name].data, pair=pair))
    path = folder / f"{name}.safetensors"
    model_file.save(path, fresh_game(name), {"recipe": to_dict(recipe), "items": 8, "classes": []})
    return path


def bicubic(self: Any, low: Tensor, strength: float = 1.0) -> Tensor:
    size = (2 * low.shape[2], 2 * low.shape[3])
    return F.interpolate(low, size=size, mode="bicubic", antialias=True)


def test_a_bicubic_model_is_its_own_baseline(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(miniatures.Larger, "upscale", bicubic)
    report = evaluate(bundle("miniature-larger", tmp_path), against=str(photos))
    assert report.reference == f"3 whole photographs of {photos}"
    assert report.baseline == "bicubic"
    assert set(report.measures) == {f"{name}3" for name in ("mae", "psnr", "ssim", "psnr_y", "ssim_y", "sharpness")}
    for name, found in report.measures.items():
        assert found.value == pytest.approx(found.baseline, rel=1e-2), name
        assert (found.floor is not None) == name.startswith("sharpness")
    assert any("left out: fd" in note for note in report.notes)  # grey pictures have no extractor
    assert "bicubic" in report.text()


def test_sizes_are_kept_and_the_border_does_not_count(photos: Path, tmp_path: Path) -> None:
    model = load(bundle("miniature-larger", tmp_path))
    notes: list[str] = []
    found = list(translate_photographs(model, str(photos), notes))
    assert [tuple(each.output.shape[2:]) for each in found] == [(40, 70), (96, 66), (80, 32)]
    assert all(each.truth.shape == each.output.shape == each.baseline.shape for each in found)
    values = [psnr_y(each.output, each.truth, 2).item() for each in found]
    report = evaluate(bundle("miniature-larger", tmp_path), against=str(photos), metrics=["psnr_y"])
    assert report.measures["psnr_y3"].value == pytest.approx(sum(values) / 3)


def test_a_filter_is_compared_with_its_teacher(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(miniatures.PatchPair, "translate", lambda self, inputs, direction, z=None: inputs["source"])
    monkeypatch.setattr(miniatures.PatchPair, "multiple", 8)
    path = bundle("miniature-pair", tmp_path, "sketch")
    report = evaluate(path, against=str(photos), metrics=["mae", "psnr"])
    assert report.baseline == "copied input"
    pixels = np.asarray(Image.open(photos / "0.png"))[..., None]
    apart = np.abs(TEACHERS["sketch"].truth(pixels).astype(float) - pixels).mean() / 255
    whole = next(translate_photographs(load(path), str(photos), []))
    assert (whole.truth.double() - whole.output.double()).abs().mean() / 255 == pytest.approx(apart)
    assert report.measures["mae3"].value == report.measures["mae3"].baseline > 0


def test_half_of_a_change_is_half_as_far(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(miniatures.PatchPair, "translate", lambda self, inputs, direction, z=None: inputs["source"] + 0.2)
    monkeypatch.setattr(miniatures.PatchPair, "multiple", 8)
    path = bundle("miniature-pair", tmp_path, "sketch")
    outputs = [next(translate_photographs(load(path), str(photos), [], share)).output.float() for share in (0.0, 0.5, 1.0)]
    assert torch.equal(outputs[0], next(translate_photographs(load(path), str(photos), [])).baseline.float())
    assert (outputs[1] - outputs[0]).max() == 13
    assert (outputs[2] - outputs[0]).max() == 26
    report = evaluate(path, against=str(photos), metrics=["mae"], strength=0.5)
    assert "at strength 0.5" in report.subject
    for bad in (1.5, float("nan")):
        with pytest.raises(UsageError, match="from 0 to 1"):
            evaluate(path, against=str(photos), strength=bad)
    with pytest.raises(UsageError, match="has a strength"):
        evaluate(photos, against=str(photos), strength=0.5)


def test_what_is_measured_whole(photos: Path, tmp_path: Path) -> None:
    larger, pair = (load(bundle(name, tmp_path)) for name in ("miniature-larger", "miniature-pair"))
    assert suits(larger, str(photos))
    assert not suits(larger, "miniature-larger")  # the rows of its own data
    assert not suits(larger, "mnist")
    assert not suits(pair, str(photos))  # its pairs come from the user
    assert suits(load(bundle("miniature-pair", tmp_path, "oil")), str(photos))


def test_bad_files_are_listed_and_bad_measures_refused(photos: Path, tmp_path: Path) -> None:
    path = bundle("miniature-larger", tmp_path)
    (photos / "broken.png").write_bytes(b"nothing")
    report = evaluate(path, against=str(photos), metrics=["mae"])
    assert set(report.measures) == {"mae3"}
    assert any("broken.png" in note for note in report.notes)
    with pytest.raises(UsageError, match="metric of whole photographs"):
        evaluate(path, against=str(photos), metrics=["swd"])
    with pytest.raises(DataError, match="no such file or folder"):
        evaluate(path, against=str(tmp_path / "nowhere"))


def test_a_picture_that_is_too_small_is_listed_and_the_rest_measured(photos: Path, tmp_path: Path) -> None:
    Image.new("L", (1, 900)).save(photos / "strip.png")
    report = evaluate(bundle("miniature-larger", tmp_path), against=str(photos))
    assert report.reference == f"3 whole photographs of {photos}"
    assert any("strip.png" in note and "1 x 900" in note for note in report.notes), report.notes


def test_large_photographs_are_shrunk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, photos: Path) -> None:
    monkeypatch.setattr("ganvas.evaluation.whole_pictures.LONGEST", 48)
    found = list(translate_photographs(load(bundle("miniature-larger", tmp_path)), str(photos), []))
    assert max(max(each.truth.shape[2:]) for each in found) == 48
    assert all(torch.isfinite(each.output.float()).all() for each in found)
