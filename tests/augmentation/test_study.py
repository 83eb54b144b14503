"""A study, from the command to its files: the generator sees the few labels only, and what is finished is kept."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from ganvas.augmentation import study as study_module
from ganvas.augmentation import study_cell
from ganvas.augmentation.small_training import Judge
from ganvas.augmentation.study import open_splits, study
from ganvas.augmentation.study_plan import StudyOptions, plan_settings
from ganvas.augmentation.study_report import Change
from ganvas.cli.app import app
from ganvas.data.table import TableDataset
from ganvas.errors import DataError, UsageError
from ganvas.games.recipes import resolve_recipe
from ganvas.inference import feature_extractors, model_file

SHORT = StudyOptions(labels=(4,), imbalance=1, seeds=2, images=64, shown=64)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[TableDataset]:
    """The data that generators were trained on; tests are of 60 pictures."""
    found: list[TableDataset] = []
    real = study_cell.train_drawer

    def record(recipe: Any, data: TableDataset, *words: Any) -> Any:
        found.append(data)
        return real(recipe, data, *words)

    monkeypatch.setattr(study_cell, "train_drawer", record)
    game: Any = model_file.load(feature_extractors.NETWORKS / "digits.safetensors", "cpu")[0]
    monkeypatch.setattr(study_cell, "train_judge", lambda *_, **__: Judge(game))  # each training takes a part of a second
    monkeypatch.setattr(study_module, "TESTS", 60)
    monkeypatch.setattr(study_cell, "TRIES", 1)
    return found


def _hashes(images: Tensor) -> set[bytes]:
    return {image.numpy().tobytes() for image in images}


def test_a_study_is_kept_and_its_generators_see_the_few_labels_only(
    tmp_path: Path, seen: list[TableDataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = study("cgan-mnist", tmp_path / "s", SHORT)

    # Each generator learnt from 4 pictures of each class, none of which is in the tests.
    train, (tests, _) = open_splits(resolve_recipe("cgan-mnist"))
    assert len(seen) == 2
    for data in seen:
        few = _hashes(data.fields["real"])
        assert len(few) == 40
        assert few <= _hashes(train.fields["real"])
        assert not few & _hashes(tests)
    assert _hashes(seen[0].fields["real"]) != _hashes(seen[1].fields["real"])

    # Every arm has its number of different pictures, and a recall for each class, whose mean is the accuracy.
    arms = found.cells[0]["arms"]
    assert arms["nothing"]["pictures"] == arms["shifts"]["pictures"] == 40
    assert arms["more real"]["pictures"] == arms["samples unfiltered and shifts"]["pictures"] == 80
    assert arms["samples"]["pictures"] <= 80
    assert all(len(arm["recall"]) == 10 for arm in arms.values())
    text = found.text()
    assert "labels a class" in text
    assert "as many more real pictures" in text
    assert {path.name for path in (tmp_path / "s").iterdir()} >= {"study.json", "study.png", "samples-4.png", "cells"}

    # The same call computes nothing again, a new seed only itself, and another study is refused.
    first = json.loads((tmp_path / "s" / "study.json").read_text())
    monkeypatch.setattr(study_module, "play_cell", None)
    assert study("cgan-mnist", tmp_path / "s", SHORT).to_dict() == first
    with pytest.raises(UsageError, match=r"holds another study \(options.labels \[4\], not \[5\]\)"):
        study("cgan-mnist", tmp_path / "s", StudyOptions(labels=(5,), imbalance=1, seeds=2, images=64, shown=64))
    for damaged in ("{", "[]", "{}"):
        (tmp_path / "s" / "cells" / "4-seed1.json").write_text(damaged)
        with pytest.raises(DataError, match=r"4-seed1\.json .*; delete this file: the same command computes it again"):
            study("cgan-mnist", tmp_path / "s", SHORT)
    (tmp_path / "s" / "cells" / "4-seed1.json").unlink()
    with pytest.raises(TypeError):
        study("cgan-mnist", tmp_path / "s", SHORT)


@pytest.mark.slow
def test_more_real_pictures_help_a_classifier_of_digits(tmp_path: Path) -> None:
    options = ["--labels", "8", "--imbalance", "1", "--seeds", "2", "--images", "640", "--out", str(tmp_path / "s"), "--json"]
    app(["augment", "cgan-mnist", "--study", *options], exit_on_error=False, print_error=False, result_action="return_value")
    found = json.loads((tmp_path / "s" / "study.json").read_text())
    assert [setting["name"] for setting in found["settings"]] == ["8"]
    arms = found["settings"][0]["arms"]
    assert arms["more real and shifts"]["accuracy"] > arms["shifts"]["accuracy"] > 0.5
    assert arms["samples alone"]["accuracy"] < arms["shifts"]["accuracy"]
    assert all(cell["too_far"] for cell in found["cells"])  # a generator after 640 pictures


def test_what_cannot_be_studied_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    out = tmp_path / "s"
    with pytest.raises(UsageError, match="no samples of a class on request"):
        study("dcgan-mnist", out)
    with pytest.raises(DataError, match="--labels expects 9,000"):
        study("cgan-mnist", out, StudyOptions(labels=(9000,)))
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    with pytest.raises(UsageError, match="new or an empty folder"):
        study("cgan-mnist", tmp_path / "full")
    assert not out.exists()


def test_the_command_says_which_options_belong_to_what(tmp_path: Path) -> None:
    def typed(*words: str) -> None:
        app(["augment", *words], exit_on_error=False, print_error=False, result_action="return_value")

    with pytest.raises(UsageError, match="--per-class is an option to fill classes"):
        typed("cgan-mnist", "--study", "--per-class", "10")
    with pytest.raises(UsageError, match="--labels is an option of a study; add --study"):
        typed("cgan-mnist", "--labels", "20")
    with pytest.raises(UsageError, match="--shown is an option of a study; add --study"):
        typed("cgan-mnist", "--shown", "20000")
    with pytest.raises(UsageError, match="--shown"):
        typed("cgan-mnist", "--study", "--shown", "10")
    with pytest.raises(UsageError, match="may have seen the labels and the tests"):
        typed(str(tmp_path), "--study")
    with pytest.raises(UsageError, match="is a recipe, not a trained model"):
        typed("stylegan2-images-conditional", "--data", "x")


def test_a_change_is_clear_only_beyond_its_interval() -> None:
    assert Change(0.02, 0.01).verdict == "helps"
    assert Change(-0.02, 0.01).verdict == "hurts"
    assert Change(0.01, 0.02).verdict == "no clear difference"
    assert Change(-0.021, 0.01).text() == "-2.1 ± 1.0"


def test_changes_are_paired_by_seed() -> None:
    (setting,) = plan_settings((4,), 2, 1)

    def cell(seed: int, values: Sequence[float]) -> dict[str, Any]:
        arms = zip(setting.arms(), values, strict=False)
        return {"setting": "4", "seed": seed, "arms": {arm.name: {"accuracy": v, "recall": [v, v]} for arm, v in arms}}

    cells = (cell(0, (0.5, 0.6)), cell(1, (0.7, 0.8)), cell(2, (0.6, 0.7)))
    plain, shifts = setting.arms()[:2]
    found = study_module.StudyResult("r", "d", "t", ("a", "b"), (setting,), SHORT, cells)
    change = found.change(setting, shifts, plain)
    assert change.mean == pytest.approx(0.1)
    assert change.half < 1e-9  # each seed changes alike, although seeds differ
    assert torch.equal(found.values(setting, plain), torch.tensor([0.5, 0.7, 0.6], dtype=torch.float64))
