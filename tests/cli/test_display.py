"""The display of a training: means that stay finite, every discriminator, commands that can be typed."""

from __future__ import annotations

import io
import json
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from rich.console import Console
from support import PLAN, miniature, miniature_model

from ganvas.cli.display import Display
from ganvas.errors import DataError
from ganvas.inference.model import Model
from ganvas.runtime.exits import run_and_exit
from ganvas.training.progress_text import describe_balance
from ganvas.training.run_folder import Run
from ganvas.training.trainer import Progress
from ganvas.utils.parsing import printable


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
        shown.updated = -1e9
        shown.update(Progress(1, 2, 1.0, 1.0, {"D": torch.tensor(value)}, ("D",)))
    assert shown.smooth.get("D", 1.0) == 1.0
    rows = capsys.readouterr().out.splitlines()
    assert len(rows) == 3
    assert all(json.loads(row, parse_constant=pytest.fail)["items"] == 1 for row in rows)
    shown.format_losses()


def test_a_row_says_which_values_are_losses_and_how_the_players_stand(tmp_path: Path) -> None:
    shown = display("gan-ring", (), tmp_path, as_json=True)
    progress = Progress(1, 2, 3.0, 4.0, {"D": torch.tensor(1.5), "skill": torch.tensor(0.99)}, ("D",))
    shown.updated = 1e18  # collected, not printed
    shown.update(progress)
    row = shown.make_row(progress)
    assert row["terms"] == ["D"]
    assert row["balance"] == "D is far ahead (99% right)"
    assert row["seconds"] == 3.0
    assert row["reference"].endswith("if D only guesses")


@pytest.mark.parametrize(
    ("name", "classes", "one", "two"),
    [
        ("cgan-mnist", tuple("0123456789"), "7", "3,8"),
        ("cgan-mnist", ("a cat", "dog"), "dog", "a cat,dog"),
        ("cgan-mnist", ("cats, fat", "dogs, thin"), "#1", "#0,#1"),
        ("cgan-mnist", ("1", "10", "2", "0"), "#3", "2,#3"),
        ("cgan-mnist", ("cat", "all"), "#1", "cat,#1"),
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
        (0.5, 0.0, 0.0, 0.0, "D only guesses (50% right)"),
        (0.7, 0.0, 0.0, 0.4, "level (70% right)"),
        (0.8, 0.0, 0.0, 0.6, "D is ahead (80% right)"),
        (0.98, 1.0, 0.0, 0.96, "D is far ahead (98% right), its learning rate is 0.083 of the recipe's"),
        (0.9, 0.0, 0.4, 0.8, "D is ahead (90% right), augmentation 40%"),
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
    assert "balance: level (70% right)" in shown.make_line(Progress(1, 2, 1.0, 1.0, {}, ()))
    shown.make_panel(Progress(1, 2, 1.0, 1.0, {}, ()))


def test_the_last_batch_may_go_beyond_the_number_of_images(tmp_path: Path) -> None:
    assert "32 of 32 points, 1/s, 0 s left" in display("gan-ring", (), tmp_path).make_line(Progress(32, 10, 1.0, 1.0, {}, ()))


def print_panel(shown: Display, progress: Progress) -> str:
    console = Console(width=120, file=io.StringIO(), record=True)
    console.print(shown.make_panel(progress))
    return console.export_text()


def test_the_words_of_the_display(tmp_path: Path) -> None:
    shown = display("gan-ring", (), tmp_path)
    shown.smooth |= {"verdict_real": 0.73, "verdict_fake": 0.44, "skill": 0.65, "D": 1.25}
    shown.terms["D"] = None
    progress = Progress(48, 84, 1.0, 4.0, {}, ())
    line = shown.make_line(progress)
    assert line.startswith("48 of 84 points, 4/s, 9 s left | discriminator: reals called real 73%, fakes called real 44% | ")
    assert line.endswith("if D only guesses)")
    panel = print_panel(shown, progress)
    for words in ("48 of 84 points", "discriminator: reals", "73% called real", "discriminator: fakes", "level (65% right)"):
        assert words in panel


def test_every_discriminator_is_shown(tmp_path: Path) -> None:
    shown = display("gan-ring", (), tmp_path)
    shown.smooth |= {"verdict_real_a": 0.9, "verdict_fake_a": 0.2, "verdict_real_b": 0.6, "skill_a": 0.85, "skill_b": 0.5}
    progress = Progress(1, 2, 1.0, 1.0, {}, ())
    line = shown.make_line(progress)
    assert "discriminator a: reals called real 90%, fakes called real 20% | discriminator b: reals called real 60%" in line
    assert "balance a: D is ahead (85% right) | balance b: D only guesses (50% right)" in line
    assert "discriminator b: reals" in print_panel(shown, progress)
    assert shown.make_row(progress)["balance"] == "D is ahead (85% right); D only guesses (50% right)"


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("classifier-mnist", "ganvas classify", "ganvas bench"),
        ("classifier-shapes", "ganvas doctor", "ganvas bench"),
        ("textlm-names", "ganvas sample", "ganvas eval"),
        ("voxel-shapes", "ganvas sample", "solid.stl"),
        ("vae-mnist", "ganvas sample", "ganvas reconstruct"),
        ("gan-ring", "ganvas sample", "ganvas eval"),
        ("pix2pix-emoji", "ganvas translate", "ganvas eval"),
        ("spade-earth", "ganvas paint", "ganvas eval"),
    ],
)
def test_the_next_commands_follow_what_the_game_can_do(name: str, first: str, last: str, tmp_path: Path) -> None:
    commands = display(name, (), tmp_path).next_commands(tmp_path)
    assert len(commands) == 3
    assert commands[0].startswith(first)
    assert last in commands[2]


def test_the_results_of_a_translation_stand_beside_their_baseline(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outputs = {"name": "mae54", "value": 0.05881, "trivial": {"name": "copied input", "value": 0.063}}
    result = {"items": 1, "seconds": 1, "dropped": 0, "images_per_second": 1, "outputs": outputs}
    (tmp_path / "result.json").write_text(json.dumps(result))
    for name in ("sheet.png", "learning.gif"):
        (tmp_path / name).touch()
    display("pix2pix-emoji", (), tmp_path).show_results()
    said = capsys.readouterr().out
    assert "held-out outputs: mae54 0.0588 (copied input 0.063)" in said
    assert "inputs and outputs" in said
    assert "the same inputs during training" in said


@pytest.mark.parametrize("name", ["[/b]", "[red]x", ":smile:", "a\x1b[31mb\rc"])
def test_odd_names_are_shown_as_they_are(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / name
    folder.mkdir(parents=True)
    result = {"items": 1, "seconds": 1, "dropped": 1, "images_per_second": 1}
    (folder / "result.json").write_text(json.dumps(result))
    (folder / "sheet.png").touch()
    shown = display("cgan-mnist", (name, "b"), folder)
    shown.show_results()
    said = capsys.readouterr().out
    assert "\x1b" not in said
    assert "\r" not in said
    assert said.count(printable(name)) >= 4


def test_errors_and_class_names_reach_the_terminal_without_escape_sequences(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise DataError("x\x1b[31mred\x07\u202e\nnext")

    with pytest.raises(SystemExit):
        run_and_exit(fail)
    assert capsys.readouterr().err == "ganvas: x\\x1b[31mred\\x07\\u202e next\n"
    plain = miniature_model("cgan-mnist")
    model = Model(plain.game, {**plain.card, "classes": ["\x1b[2J", *"123456789"]}, plain.identity)
    assert model.classes[0] == "\\x1b[2J"
    assert model.class_index("\x1b[2J") == 0
