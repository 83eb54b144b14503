"""How long a recipe takes on this machine: by its own runs, by a timing, by the ratio of two machines."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from ganvas.games import RECIPES
from ganvas.runtime.device import available_cores, processor_name
from ganvas.studio.storage import Storage
from ganvas.studio.train import pace
from ganvas.utils.settings import to_dict


def finish(storage: Storage, name: str, recipe: str, speed: float, cores: int = 0, steps: int = 200, **config: object) -> None:
    folder = storage.runs / name
    folder.mkdir(parents=True)
    values = to_dict(RECIPES[recipe])
    values["config"].update(config)
    machine = {"processor": processor_name(), "cores": cores or len(available_cores())}
    (folder / "recipe.json").write_text(json.dumps(values))
    (folder / "env.json").write_text(json.dumps({"machine": machine}))
    (folder / "result.json").write_text(json.dumps({"items": steps * RECIPES[recipe].train.batch, "images_per_second": speed}))


def test_a_finished_run_of_the_same_networks_on_this_machine_counts(tmp_path: Path) -> None:
    storage = Storage(tmp_path)
    assert pace.read_paces(storage) == {}
    assert pace.estimate_seconds(RECIPES["gan-ring"], {}) is None
    finish(storage, "00000-a", "gan-ring", 1000.0)
    finish(storage, "00001-b", "gan-ring", 5000.0)  # newer
    finish(storage, "00002-c", "gan-ring", 9e9, width=8)
    finish(storage, "00003-d", "gan-grid", 9e9, cores=999)
    assert pace.read_paces(storage) == {"gan-ring": 5000.0}
    assert pace.estimate_seconds(RECIPES["gan-ring"], {"gan-ring": 5000.0}) == RECIPES["gan-ring"].train.images / 5000


def test_a_short_run_and_one_of_another_size_tell_no_pace(tmp_path: Path) -> None:
    storage = Storage(tmp_path)
    finish(storage, "00000-a", "fastgan-images", 3.0, steps=199)
    finish(storage, "00001-b", "fastgan-images", 5.0, resolution=128)
    finish(storage, "00002-c", "gan-mnist", 5.0, shape=[1, 32, 32])
    assert pace.read_paces(storage) == {}
    finish(storage, "00003-d", "fastgan-images", 9.0, channels=1)
    finish(storage, "00004-e", "classifier-shapes", 7.0, steps=75)  # its whole length
    assert pace.read_paces(storage) == {"fastgan-images": 9.0, "classifier-shapes": 7.0}


def test_a_timing_is_kept_and_others_are_estimated_from_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = Storage(tmp_path)
    one, two = RECIPES["cgan-mnist"], RECIPES["dcgan-mnist"]
    half = one.train.images / (60 * one.minutes) / 2  # this machine is half as fast
    pace.write_pace(storage, one.name, half)
    pace.write_pace(storage, "not a recipe", 5.0)
    paces = pace.read_paces(storage)
    assert paces == {one.name: half}
    assert pace.estimate_seconds(two, paces) == pytest.approx(2 * 60 * two.minutes)
    assert pace.estimate_seconds(dataclasses.replace(two, minutes=1), paces) == pytest.approx(120)
    monkeypatch.setattr(pace, "processor_name", lambda: "another machine")
    assert pace.read_paces(storage) == {}
