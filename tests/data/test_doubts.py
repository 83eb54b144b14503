"""What is doubtful about data is told before a training: by `data`, by `train`, and from Python."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ganvas import train
from ganvas.cli.app import app
from ganvas.cli.arguments import report_doubts
from ganvas.config import DataConfig
from ganvas.data.open import open_source
from ganvas.data.report import inspect
from ganvas.errors import DataError, GanvasWarning

STRAY = "pictures beside the folders of the classes are left out (1 of 25): cover.png"
FEW = "there are 24 samples; training needs hundreds"
SMALL = {"config.width": 4, "config.critic_width": 4, "config.head": 4, "config.latent_dim": 4}


@pytest.fixture
def folder(tmp_path: Path, write_picture: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two classes, and a picture beside them."""
    for i in range(24):
        write_picture(tmp_path / "p" / "ab"[i % 2] / f"{i}.png", i, (28, 28))
    write_picture(tmp_path / "p" / "cover.png", 99, (28, 28))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "p"


def typed(*words: object) -> Any:
    return app([str(word) for word in words], exit_on_error=False, print_error=False, result_action="return_value")


def test_the_command_lines_tell_the_same(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    typed("data", folder)
    shown = capsys.readouterr()
    assert f"\nwarning: {STRAY}\n" in shown.out
    assert shown.err == "skipped cover.png: beside the folders of the classes\n"
    typed("data", folder, "--json")
    shown = capsys.readouterr()
    assert json.loads(shown.out)["warnings"] == [STRAY]
    lines = ["warning: " + STRAY, "skipped cover.png: beside the folders of the classes"]
    assert shown.err.splitlines() == lines
    settings = [word for name, value in SMALL.items() for word in ("--set", f"{name}={value}")]
    typed("train", "cgan-mnist", "--data", folder, "--images", 16, "--batch", 16, "--ranks", 1, "--out", "run", *settings)
    assert capsys.readouterr().err.splitlines()[:3] == [lines[0], "warning: " + FEW, lines[1]]


def test_python_warns(folder: Path) -> None:
    with pytest.warns(GanvasWarning) as caught:
        model = train("cgan-mnist", data=folder, images=32, batch=16, ranks=1, out=folder.parent / "run", **SMALL)
    assert [str(each.message) for each in caught] == [STRAY, FEW]
    assert model.classes == ["a", "b"]


def test_an_evaluation_and_a_comparison_tell_it_once(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def open_twice(*_: object, **__: object) -> None:
        for _ in range(2):
            open_source(DataConfig(source=str(folder)))
        raise DataError("enough")

    monkeypatch.setattr("ganvas.evaluation.evaluate.evaluate", open_twice)
    monkeypatch.setattr("ganvas.evaluation.comparison.compare", open_twice)
    for words in (("eval", folder, "--against", folder), ("compare", folder, folder)):
        with pytest.raises(DataError, match="enough"):
            typed(*words)
        assert capsys.readouterr().err == f"warning: {STRAY}\n"


def test_a_training_lists_few_of_many_skipped_files(capsys: pytest.CaptureFixture[str]) -> None:
    report_doubts(["w"], [(f"{i}.png", "damaged") for i in range(25)], most=20)
    lines = capsys.readouterr().err.splitlines()
    assert (len(lines), lines[0], lines[1]) == (22, "warning: w", "skipped 0.png: damaged")
    assert lines[-1] == "skipped 5 more; `ganvas data` lists them all"


def test_copies_and_blank_pictures_are_told_where_there_are_many(tmp_path: Path, write_picture: Callable[..., Path]) -> None:
    for i in range(120):
        write_picture(tmp_path / "p" / f"{i:03d}.png", 0 if i < 2 else i)
    assert open_source(DataConfig(source=str(tmp_path / "p"))).warnings == ()
    for i in range(2, 6):
        Image.new("L", (16, 16), i).save(tmp_path / "p" / f"{i:03d}.png")
    write_picture(tmp_path / "p" / "119.png", 0)
    found = [
        f"{count} of 120 pictures are {what}; `ganvas data` shows which"
        for count, what in (
            (2, "exact copies of others"),
            (4, "nearly blank"),
        )
    ]
    assert open_source(DataConfig(source=str(tmp_path / "p"))).warnings == tuple(found)
    facts = inspect(str(tmp_path / "p")).images
    assert facts is not None
    assert (facts.duplicates, len(facts.blank)) == (2, 4)


def test_a_class_far_smaller_than_another_is_told(tmp_path: Path) -> None:
    for few, told in ((2, False), (1, True)):
        labels = np.array([0] * 50 + [1] * few)
        np.savez(tmp_path / f"{few}.npz", points=np.random.default_rng(0).normal(size=(len(labels), 2)), labels=labels)
        text = "class '1' has 1 sample and '0' has 50: small classes are learned badly"
        assert open_source(DataConfig(source=str(tmp_path / f"{few}.npz"))).warnings == ((text,) if told else ())
