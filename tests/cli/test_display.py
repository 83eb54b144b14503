"""What a terminal is told: means that stay finite, commands that can be typed."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from support import PLAN, miniature

from ganvas.cli.display import Display, describe_balance
from ganvas.training.run_folder import Run
from ganvas.training.trainer import Progress


def display(name: str, classes: tuple[str, ...], folder: Path, as_json: bool = False) -> Display:
    """Of a run that never was, in `folder`."""
    recipe, data = miniature(name)
    run = Run(folder, recipe, PLAN)
    run.data = replace(data, classes=classes)
    return Display(run, as_json=as_json)


@pytest.mark.parametrize("first", [1.0, float("nan")])
def test_a_value_that_is_not_finite_leaves_no_trace(first: float, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown = display("gan-ring", (), tmp_path, as_json=True)
    for value in (first, float("nan"), float("inf")):
        shown.shown = -1e9
        shown.update(Progress(1, 2, 1.0, 1.0, {"D": torch.tensor(value)}, ("D",)))
    assert shown.smooth.get("D", 1.0) == 1.0
    rows = capsys.readouterr().out.splitlines()
    assert len(rows) == 3
    assert all(json.loads(row, parse_constant=pytest.fail)["items"] == 1 for row in rows)
    shown.losses()


def test_a_row_says_which_values_are_losses_and_how_the_players_stand(tmp_path: Path) -> None:
    shown = display("gan-ring", (), tmp_path, as_json=True)
    progress = Progress(1, 2, 3.0, 4.0, {"D": torch.tensor(1.5), "skill": torch.tensor(0.99)}, ("D",))
    shown.shown = 1e18  # collected, not printed
    shown.update(progress)
    row = shown.row(progress)
    assert row["terms"] == ["D"]
    assert row["balance"] == "the critic is far ahead (99% right)"
    assert row["seconds"] == 3.0
    assert "when nobody can tell" in row["reference"]


@pytest.mark.parametrize(
    ("name", "classes", "one", "two"),
    [
        ("cgan-mnist", tuple("0123456789"), "7", "3,8"),
        ("cgan-mnist", ("a cat", "dog"), "dog", "a cat,dog"),
        ("cgan-mnist", ("cats, fat", "dogs, thin"), "1", "0,1"),
        ("dcgan-mnist", ("cat", "dog"), None, None),
    ],
)
def test_the_next_commands_name_classes_that_exist(
    name: str, classes: tuple[str, ...], one: str | None, two: str | None, tmp_path: Path
) -> None:
    folder = tmp_path / "my run"
    for command, label in zip(display(name, classes, folder).next_commands(folder), (one, two), strict=False):
        words = shlex.split(command)
        assert words[2] == str(folder)
        assert (words[words.index("--label") + 1] if "--label" in words else None) == label


@pytest.mark.parametrize(
    ("skill", "lead", "augment", "share", "words"),
    [
        (0.5, 0.0, 0.0, 0.0, "the critic guesses (50% right)"),
        (0.8, 0.0, 0.0, 0.6, "level (80% right)"),
        (0.98, 1.0, 0.0, 0.96, "the critic is far ahead (98% right), its learning rate is 0.083 of the recipe's"),
        (0.9, 0.0, 0.4, 0.8, "level (90% right), augmentation 40%"),
    ],
)
def test_the_gauge_says_who_is_ahead_and_what_is_done(
    skill: float, lead: float, augment: float, share: float, words: str
) -> None:
    found, told = describe_balance({"skill": skill, "lead": lead, "augment": augment})
    assert found == pytest.approx(share)
    assert told == words


def test_the_gauge_is_in_the_line_of_a_watched_game(tmp_path: Path) -> None:
    shown = display("gan-ring", (), tmp_path)
    shown.smooth["skill"] = 0.7
    assert "balance: level (70% right)" in shown.line(Progress(1, 2, 1.0, 1.0, {}, ()))
    shown.drawing(Progress(1, 2, 1.0, 1.0, {}, ()))
