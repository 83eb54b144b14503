"""Measures of games that take inputs: against the truth, as sets, and which one fits."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import miniatures
import numpy as np
import pytest
import torch
from miniatures import fresh_game, save_bundle
from PIL import Image
from support import PLAN, miniature

from ganvas.cli.arguments import Running
from ganvas.cli.model_commands import sample
from ganvas.engine.autotune import initial_state
from ganvas.errors import DataError, UsageError
from ganvas.evaluation import validation
from ganvas.evaluation.comparison import compare
from ganvas.evaluation.evaluate import Report, evaluate
from ganvas.evaluation.map_measures import MAPS
from ganvas.evaluation.measure_names import INPUTS
from ganvas.evaluation.motion_measures import MOTIONS
from ganvas.evaluation.output_measures import CYCLE, NAMES, InputRows, _choose_two_sets, choose_rows, held_out_rows
from ganvas.evaluation.output_sheet import draw_output_sheet
from ganvas.evaluation.truth_measures import TRUTH, absolute_error, pixel_accuracy
from ganvas.inference import model_file
from ganvas.inference.model import load
from ganvas.utils.settings import to_dict


@pytest.fixture(autouse=True)
def _games(monkeypatch: pytest.MonkeyPatch) -> None:
    miniatures.install(monkeypatch)


def measured(name: str, folder: Path, **options: Any) -> Report:
    return evaluate(save_bundle(name, folder), **options)


def perfect(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the paired game and the cycle translate without error."""
    monkeypatch.setattr(miniatures.PatchPair, "translate", lambda self, inputs, direction, z=None: -inputs["source"])
    monkeypatch.setattr(
        miniatures.Cycle, "translate", lambda self, inputs, direction, z=None: -inputs["a" if direction == "a>b" else "b"]
    )


def test_errors_of_known_images() -> None:
    a = torch.zeros(2, 1, 4, 4, dtype=torch.uint8)
    b = torch.stack([a[0] + 51, a[1]])
    assert absolute_error(a, b).tolist() == pytest.approx([0.2, 0.0])
    maps = torch.tensor([[[0, 1], [2, 255]], [[1, 1], [1, 1]]], dtype=torch.uint8)
    guess = torch.tensor([[[0, 1], [1, 3]], [[1, 1], [1, 0]]], dtype=torch.uint8)
    assert pixel_accuracy(guess, maps).tolist() == pytest.approx([2 / 3, 0.75])


def test_every_measure_has_a_name_for_the_help() -> None:
    assert set(INPUTS) == {*TRUTH, CYCLE, *MAPS, *MOTIONS}


@pytest.mark.parametrize("name", [name for name in miniatures.RECIPES if name != "miniature-cycle"])
def test_pairs_are_measured_against_their_truth(name: str, tmp_path: Path) -> None:
    report = measured(name, tmp_path)
    expected = {"mae240", "psnr240", "ssim240"}
    expected |= {"swd240", "sharpness240"} if name != "miniature-puppet" else {"equivariance240"}
    expected |= {"psnr_y240", "ssim_y240"} if name == "miniature-larger" else set()
    expected |= {"psnr_hole240"} if name == "miniature-filler" else set()
    assert set(report.measures) == expected
    trivial = {"miniature-larger": "bicubic", "miniature-filler": "diffusion fill"}
    assert report.baseline == trivial.get(name, "copied input")
    assert all(each.baseline is not None for each in report.measures.values())
    assert report.reference == f"240 rows of the test split of {name}"
    mae, decibels = report.measures["mae240"], report.measures["psnr240"]
    assert 0 < mae.value < 1
    assert mae.interval
    assert 0 < mae.interval < mae.value
    assert mae.floor is None
    assert 0 < decibels.value < 60
    assert -1 < report.measures["ssim240"].value < 1
    assert "mae240" in report.text()
    assert report.baseline in report.text().splitlines()[1]
    assert report.to_dict()["mae240"]["baseline"] == mae.baseline


def test_a_perfect_model_has_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    perfect(monkeypatch)
    values = {name: m.value for name, m in measured("miniature-pair", tmp_path).measures.items()}
    assert {name: values[name] for name in ("mae240", "psnr240", "ssim240")} == {
        "mae240": 0.0,
        "psnr240": 100.0,
        "ssim240": pytest.approx(1.0),
    }
    assert values["swd240"] == measured("miniature-pair", tmp_path).measures["swd240"].floor


def test_outputs_are_compared_with_reals_of_other_inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A set that is pair by pair like the reference is nearer to it than reals are; so the truth itself is the floor."""
    perfect(monkeypatch)
    found = measured("miniature-pair", tmp_path, metrics=["swd", "sharpness"]).measures
    for each in found.values():
        assert each.value == each.floor
        assert each.value > 0
        assert each.baseline != each.value


def test_domains_without_pairs_are_measured_as_sets_in_each_direction(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    untrained = measured("miniature-cycle", tmp_path)
    assert set(untrained.measures) == {f"{name}240 {way}" for name in ("cycle", "swd", "sharpness") for way in ("a>b", "b>a")}
    assert len(untrained.notes) == 1  # one line for all that need an extractor
    assert "left out: fd, kd, precision, recall, density, coverage (there is no extractor" in untrained.notes[0]
    perfect(monkeypatch)
    good = measured("miniature-cycle", tmp_path)
    for way in ("a>b", "b>a"):
        before, after = (report.measures[f"swd240 {way}"] for report in (untrained, good))
        assert after.floor == before.floor
        assert after.floor
        assert after.value < 2 * after.floor < before.value
        assert untrained.measures[f"cycle240 {way}"].value > 0.01
        assert good.measures[f"cycle240 {way}"].value == 0  # each domain is the negative of the other: back at the input


def test_the_cycle_needs_two_directions(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="two directions"):
        measured("miniature-pair", tmp_path, metrics=["cycle"])


def test_a_set_is_as_large_as_that_of_its_floor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the training split has fewer rows than the test split, fewer outputs are measured: a floor is of as many reals."""

    def open_data(recipe: Any) -> Any:
        return miniatures.table(recipe.data.source, 240 if recipe.data.split == "test" else 90)

    monkeypatch.setattr("ganvas.evaluation.output_measures.open_data", open_data)
    found = measured("miniature-cycle", tmp_path, metrics=["swd"]).measures
    assert set(found) == {"swd90 a>b", "swd90 b>a"}
    assert all(each.samples == 90 and each.floor for each in found.values())


def test_a_set_measure_of_pairs_may_be_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = measured("miniature-pair", tmp_path, metrics=["mae", "swd"], samples=100).measures
    assert set(found) == {"mae100", "swd100"}
    assert found["swd100"].floor


def test_measures_that_do_not_fit_are_refused_in_one_line(tmp_path: Path) -> None:
    for metrics, says in (
        (["ssin"], "did you mean 'ssim'"),
        (["ppl"], f"ppl does not fit a model that takes inputs; choose among {', '.join(NAMES)}"),
        (["fd"], "there is no extractor for grey pictures"),
        (["pixel_accuracy"], "pixel_accuracy does not fit images"),
        (["found"], "only images made from label maps have it"),
    ):
        with pytest.raises(UsageError, match=says):
            measured("miniature-pair", tmp_path, metrics=metrics)
    with pytest.raises(UsageError, match="it compares with the truth, and this data has no pairs"):
        measured("miniature-cycle", tmp_path, metrics=["mae"])


@pytest.mark.parametrize("name", miniatures.RECIPES)
def test_models_that_take_inputs_are_compared_on_the_same_held_out_rows(name: str, tmp_path: Path) -> None:
    path = save_bundle(name, tmp_path)
    found = compare([path, path], tmp_path / "out", against=name, samples=100)
    one, other = found.rows
    assert one.measures == other.measures != {}
    with Image.open(found.sheet) as sheet:
        pixels = np.asarray(sheet.convert("L"))
    one_block = draw_output_sheet(load(path), held_out_rows(load(path), name, 40), 8)
    assert pixels.shape[1] >= 2 * one_block.width
    assert json.loads((tmp_path / "out" / "comparison.json").read_text())["models"][1]["measures"]
    recipe, _ = miniature("gan-ring")
    noise = tmp_path / "noise.safetensors"
    model_file.save(noise, initial_state(recipe, PLAN).average, {"recipe": to_dict(recipe), "items": 8, "classes": []})
    with pytest.raises(UsageError, match="some of the models take inputs"):
        compare([path, noise], tmp_path / "other", against=name)


@pytest.mark.parametrize("name", miniatures.RECIPES)
def test_sample_draws_held_out_inputs_beside_their_outputs(name: str, tmp_path: Path) -> None:
    path = save_bundle(name, tmp_path)
    sample(path, count=3, out=tmp_path / "sheet.png", running=Running(quiet=True, device="cpu"))
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == draw_output_sheet(load(path), held_out_rows(load(path), name, 40), 3).size
        assert sheet.text["recipe"] == name
    for count, out, says in ((0, "sheet.png", "at least 1, got 0"), (2, "sheet.npz", "a name ending in .png")):
        with pytest.raises(UsageError, match=says):
            sample(path, count=count, out=tmp_path / out, running=Running(device="cpu"))


def test_without_a_test_split_held_out_rows_are_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def open_data(recipe: Any) -> Any:
        if recipe.data.split == "test":
            raise DataError("no test split")
        return miniatures.table(recipe.data.source, 240)

    monkeypatch.setattr("ganvas.evaluation.output_measures.open_data", open_data)
    recipe = miniatures.RECIPES["miniature-pair"]
    recipe = replace(recipe, data=replace(recipe.data, held_out=0.25))
    found = choose_rows(recipe, 1000, None, trained=True)
    assert (len(found.rows), len(found.others), found.words) == (60, 180, "60 held-out rows of miniature-pair (no test split)")
    assert choose_rows(recipe, 1000, None, trained=False).words == "240 rows of the training split of miniature-pair"
    with pytest.raises(DataError, match="no test split"):
        choose_rows(recipe, 1000, "test", trained=True)
    few = replace(recipe, data=replace(recipe.data, held_out=0.0))
    with pytest.raises(DataError, match="expected at least 20"):
        choose_rows(few, 10, None, trained=True)


@pytest.mark.parametrize("name", miniatures.RECIPES)
def test_validation_is_an_error_where_there_is_a_truth_and_a_distance_elsewhere(name: str) -> None:
    game, data = fresh_game(name), miniatures.table(name, 60)
    found = validation.measure(game, data)
    assert found
    assert found[0] == ("swd60" if name == "miniature-cycle" else "mae60")
    assert found[1] > 0
    floor = validation.floor(miniatures.table(name, 120), data, game)
    assert (floor is None) == (name != "miniature-cycle")
    assert floor is None or floor < found[1]
    assert validation.floor(miniatures.table(name, 50), data, game) is None, "fewer training samples than held-out ones"
    assert validation.measure(game, miniatures.table(name, 20)) is None, "too few to measure"


def test_without_other_samples_sets_are_halves_with_no_row_in_common() -> None:
    """The floor of a set against itself would be 0, and below that without its diagonal: no model could come near it."""
    data, others = (miniature_rows(40) for _ in range(2))
    rows = torch.arange(5, 36)
    some, picked = _choose_two_sets(InputRows(data, rows, data, ""))
    assert (len(some), len(picked)) == (15, 15)
    assert not set(rows[some].tolist()) & set(picked.tolist())
    assert set(picked.tolist()) <= set(rows.tolist())
    some, picked = _choose_two_sets(InputRows(data, rows, others, ""))
    assert (len(some), len(picked)) == (31, 31)
    assert int(picked.max()) >= 36  # any of the others


def miniature_rows(count: int) -> Any:
    """A data set of which only the length is asked."""
    return range(count)


def test_inpainting_is_measured_in_its_holes(tmp_path: Path) -> None:
    report = measured("miniature-filler", tmp_path)
    assert report.baseline == "diffusion fill"
    in_holes, whole = (
        next(m for name, m in report.measures.items() if name.startswith(each)) for each in ("psnr_hole", "psnr2")
    )
    assert in_holes.value < whole.value, "outside the holes there is no error"
    assert in_holes.baseline is not None
    assert any(note.startswith("psnr_hole of the mean color outside the hole: ") for note in report.notes)
    again = measured("miniature-filler", tmp_path)
    assert again.to_dict() == report.to_dict(), "the holes are the same each time"
    with pytest.raises(UsageError, match="only the outputs of inpainting have holes"):
        measured("miniature-pair", tmp_path, metrics=["psnr_hole"])
