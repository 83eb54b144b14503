"""A finished run says how good it is: result.json has the distance of its samples to the data, with its floor."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from support import PLAN, miniature

from ganvas.core.modality import IMAGES
from ganvas.errors import DataError
from ganvas.training import end_measures
from ganvas.training.doctor_case import Case
from ganvas.training.run_folder import Run
from ganvas.training.trainer import fit


def finished(folder: Path, name: str) -> tuple[dict[str, Any], list[str]]:
    recipe, data = miniature(name)
    run = Run(folder / name, replace(recipe, train=replace(recipe.train, images=64, snapshots=1)), PLAN)
    run.write()
    run.attach_data(data)
    events = [event for progress in fit(run) for event in progress.events]
    return json.loads((run.folder / "result.json").read_text()), events


def test_the_distance_of_a_run_is_in_its_result_with_its_floor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganvas.training.doctor_case.FEWEST", 4)  # a miniature has 48 samples
    result, events = finished(tmp_path, "gan-ring")
    found = result["distance"]
    assert found["name"].startswith("swd")
    assert found["value"] > found["floor"] > 0  # 64 points do not train a network
    assert not events


def test_data_that_are_too_few_for_a_distance_are_told(tmp_path: Path) -> None:
    result, events = finished(tmp_path, "gan-ring")
    assert "distance" not in result
    assert "no distance to the data: the run trains on 48 points; expected at least 64" in events
    assert result["not_measured"] in events


def test_outputs_that_are_too_few_for_an_error_are_told(tmp_path: Path) -> None:
    result, events = finished(tmp_path, "pix2pix-emoji")
    assert "outputs" not in result
    assert result["not_measured"].startswith("no error of held-out outputs: ")
    assert result["not_measured"].endswith(" held out; expected at least 50")
    assert result["not_measured"] in events


def test_one_training_image_is_singular() -> None:
    class One:
        modality = IMAGES

        def __len__(self) -> int:
            return 1

    case = SimpleNamespace(fakes=1, run=SimpleNamespace(data=One()))
    assert vars(Case)["missing_distance"].fget(case).startswith("the run trains on 1 image;")


def test_what_generates_nothing_has_no_distance(tmp_path: Path) -> None:
    result, events = finished(tmp_path, "classifier-mnist")
    assert "distance" not in result
    assert not any("distance" in event for event in events)


def test_a_distance_that_cannot_be_measured_loses_no_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(Case):
        @property
        def distance(self) -> Any:  # type: ignore[override]
            raise DataError("the samples hold NaN")

    monkeypatch.setattr(end_measures, "Case", Broken)
    result, events = finished(tmp_path, "gan-ring")
    assert result["items"] == 64
    assert "no distance to the data: the samples hold NaN" in events


def test_the_last_line_of_a_training_and_its_result_have_one_pace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the end measures and draws takes seconds in which nothing is trained."""
    recipe, data = miniature("gan-ring")
    run = Run(tmp_path / "run", replace(recipe, train=replace(recipe.train, images=64, snapshots=1)), PLAN)
    run.write()
    run.attach_data(data)
    clock = [0.0]
    monkeypatch.setattr("ganvas.training.trainer.time.perf_counter", lambda: clock[0])

    def measure_slowly(*_: object) -> dict[str, Any]:
        clock[0] += 1000
        return {}

    monkeypatch.setattr("ganvas.training.trainer.measure_end", measure_slowly)
    for progress in fit(run):
        clock[0] += 1
        last = progress
    assert round(last.rate, 1) == run.result["images_per_second"]
    assert round(last.seconds, 2) == run.result["seconds"] < 1000
