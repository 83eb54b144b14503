"""One list of options for the command line and for Python."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from support import ganvas

from ganvas.cli.training_commands import train as train_by_command
from ganvas.errors import UsageError
from ganvas.games.recipes import ARGUMENTS
from ganvas.training.api import train
from ganvas.training.options import TrainOptions, split_options


def test_every_option_is_one_of_the_recipe_or_of_the_run() -> None:
    options = TrainOptions()
    assert set(options.recipe_fields) == {*ARGUMENTS, "objective", "minutes"}
    both = set(options.recipe_fields) | set(options.run_fields)
    assert both | {"log"} == {f.name for f in dataclasses.fields(TrainOptions)}


def test_python_takes_paths_and_numbers() -> None:
    named = {"data": Path("a"), "out": "b", "ranks": 2, "images": 5, "train.batch": 4}
    options, settings = split_options(named)
    assert options == TrainOptions(data="a", out=Path("b"), ranks="2", images=5)
    assert settings == {"train.batch": 4}
    assert TrainOptions().ranks == "auto"  # as on the command line


def test_the_command_line_and_python_train_the_same_model(tmp_path: Path) -> None:
    words = ["--images", "512", "--seed", "3", "--ranks", "1", "--precision", "float32", "--set", "config.width=8", "--quiet"]
    done = ganvas("train", "gan-ring", *words, "--out", "typed", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    settings = {"config.width": 8}
    model = train("gan-ring", images=512, seed=3, ranks=1, precision="float32", out=tmp_path / "called", **settings)
    assert (tmp_path / "typed" / "recipe.json").read_text() == (tmp_path / "called" / "recipe.json").read_text()
    assert model.card["items"] == 512


def test_python_and_the_command_line_start_the_same_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise one seed would give other weights: the number of ranks decides how they are rounded."""
    started: list[tuple[Any, dict[str, Any]]] = []

    def note(recipe: Any, **how: Any) -> None:
        started.append((recipe, {name: value for name, value in how.items() if name != "peers"}))
        raise KeyboardInterrupt

    monkeypatch.setattr("ganvas.training.api.start_run", note)
    monkeypatch.setattr("ganvas.training.start.start_run", note)
    for start in (lambda: train("gan-ring", seed=3), lambda: train_by_command("gan-ring", options=TrainOptions(seed=3))):
        with pytest.raises(KeyboardInterrupt):
            start()
    assert started[0] == started[1]
    assert started[0][1]["ranks"] == "auto"


def test_a_typo_is_named() -> None:
    with pytest.raises(UsageError, match="unknown setting 'imags'"):
        train("gan-ring", imags=5)
    with pytest.raises(UsageError, match="ranks: expected a number or auto, got 'two'"):
        train("gan-ring", ranks="two")
