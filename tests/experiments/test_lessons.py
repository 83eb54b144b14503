"""Lessons in miniature: every variant resolves, one command plays, measures and draws them."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image
from support import PLAN, miniature

from ganvas.cli import comparison_commands
from ganvas.cli.arguments import Running
from ganvas.data.table import TableDataset
from ganvas.errors import UsageError
from ganvas.evaluation import generative_classifier
from ganvas.evaluation.comparison import Row, table
from ganvas.evaluation.evaluate import OTHERS
from ganvas.evaluation.measures import COMPARE, Measurement
from ganvas.evaluation.output_measures import NAMES
from ganvas.experiments import lessons
from ganvas.experiments.lesson_list import LESSONS, OTHER_LESSONS, find_lesson
from ganvas.experiments.lesson_parts import Lesson, Variant
from ganvas.games import RECIPES
from ganvas.games.registry import build
from ganvas.inference.model import Model
from ganvas.utils.settings import to_dict

TINY = {"config.width": "8", "config.depth": "1", "train.snapshots": "1"}


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No timing of plans, and few samples."""
    monkeypatch.setattr("ganvas.training.run_folder.choose_plan", lambda *_: PLAN)


def shrunk(name: str, monkeypatch: pytest.MonkeyPatch, keep: int, **changes: object) -> None:
    """Make a lesson small: its first variants, tiny networks, few samples."""
    lesson = LESSONS[name]
    small = replace(lesson, variants=lesson.variants[:keep], settings={**lesson.settings, **TINY}, samples=100, **changes)  # type: ignore[arg-type]
    monkeypatch.setattr("ganvas.experiments.lesson_list.LESSONS", {**LESSONS, name: small})


@pytest.mark.parametrize("lesson", LESSONS.values(), ids=lambda lesson: lesson.name)
def test_every_variant_is_another_game_that_can_be_built(lesson: Lesson) -> None:
    recipes = [lessons.variant_recipe(lesson, variant) for variant in lesson.variants]
    assert len({json.dumps(to_dict(recipe)) for recipe in recipes}) == len(recipes) >= 2
    assert len({lessons.name_folder(variant, 0) for variant in lesson.variants}) == len(recipes)
    for recipe in recipes:
        assert recipe.train.images == lesson.images
        build(recipe)
    assert set(lesson.metrics) <= {*COMPARE, *OTHERS, *NAMES}
    assert 1 <= lesson.minutes <= 15
    assert lesson.question.endswith("?")
    assert len(lesson.variants) <= 8  # colours of a curve


def test_a_lesson_of_points(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quick: None, capsys: pytest.CaptureFixture[str]
) -> None:
    shrunk("mode-collapse", monkeypatch, 2, looks=2)
    for _ in range(2):  # the second time nothing is left to train
        assert (
            comparison_commands.lesson(
                "mode-collapse", images=6400, seeds=2, out=tmp_path / "m", ranks="1", running=Running(json=True)
            )
            == 0
        )
        told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert json.loads((tmp_path / "m" / "lesson.json").read_text()) == told
    assert [row["name"] for row in told["variants"]] == ["log(1 - D)", "-log D"]
    assert sorted(told["variants"][0]["measures"]) == ["captured", "high_quality", "reverse_kl", "skill", "spread"]
    assert told["seeds"] == 2
    assert told["images"] == told["variants"][0]["items"] == 6400
    assert "real samples of" in told["reference"]
    with Image.open(tmp_path / "m" / "sheet.png") as sheet:
        assert sheet.size[0] == 3 * 200 + 2 * 12  # two variants and the reals
        assert sheet.info["lesson"] == "mode-collapse"
    assert (tmp_path / "m" / "curves.png").exists()
    assert sorted(path.name for path in (tmp_path / "m").glob("*seed*")) == [
        "log-1-d-seed0",
        "log-1-d-seed1",
        "log-d-seed0",
        "log-d-seed1",
    ]


def test_a_lesson_of_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quick: None) -> None:
    shrunk("saturating", monkeypatch, 2, metrics=("sharpness",))
    found = lessons.lesson("saturating", tmp_path / "s", images=2560, ranks="1")
    assert found.curves == tmp_path / "s" / "curves.png"
    text = found.text()
    assert text.startswith(LESSONS["saturating"].question)
    assert text.endswith(LESSONS["saturating"].teaches)
    assert re.search(r"^log\(1 - D\) +0\.\d+ ± ", text, re.MULTILINE)
    assert "gradient_generator" in text
    assert "other real samples" in text
    with pytest.raises(UsageError, match="is finished after 2,560 images; to train it longer, branch it"):
        lessons.lesson("saturating", tmp_path / "s", images=4000, ranks="1")


def test_a_lesson_of_inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quick: None) -> None:
    lesson = LESSONS["paired-unpaired"]
    small = {"config.resolution": "16", "train.snapshots": "1", "data.held_out": "0", "train.batch": "4"}
    narrow = {"config.widths": "[8,8,8]", "config.critic_widths": "[8,8,8]", "config.slopes": "false"}
    variants = tuple(replace(each, settings={**each.settings, **narrow}) for each in lesson.variants)
    tiny = replace(lesson, variants=variants, settings={**lesson.settings, **small}, metrics=("mae", "ssim"), samples=100)
    monkeypatch.setattr("ganvas.experiments.lesson_list.LESSONS", {lesson.name: tiny})
    found = lessons.lesson(lesson.name, tmp_path, images=16, ranks="1")
    assert [sorted(row.measures) for row in found.rows] == [["mae100", "ssim100"]] * 2  # of one direction, under one name
    assert found.reference == "100 rows of the test split of emoji-shading"
    with Image.open(tmp_path / "sheet.png") as sheet:
        cell = 2 * 4 * 16 + 2
        assert sheet.size == (5 * cell + 2, 6 * cell + 2 + 16)  # input, two outputs, truth, the way back of the second


@pytest.mark.parametrize("finished", [True, False])
def test_the_folder_of_another_lesson_is_left_alone(finished: bool, tmp_path: Path, quick: None) -> None:
    chosen, other = LESSONS["saturating"], LESSONS["mode-collapse"]
    first = lessons.name_folder(other.variants[-1], 1)
    (tmp_path / first).mkdir()
    (tmp_path / first / "recipe.json").write_text("{}")
    if finished:
        (tmp_path / "lesson.json").write_text(json.dumps({"lesson": other.name}))
    before = sorted(tmp_path.rglob("*"))
    says = "holds the lesson 'mode-collapse', not 'saturating'" if finished else f"holds {first}, which is no run"
    for play in (lessons.lesson, lambda name, out: comparison_commands.lesson(name, out=out)):
        with pytest.raises(UsageError, match=f"{says}.*; choose another --out"):
            play("saturating", tmp_path)
    assert sorted(tmp_path.rglob("*")) == before
    (tmp_path / first / "recipe.json").unlink()
    (tmp_path / "lesson.json").write_text(json.dumps({"lesson": chosen.name}))
    assert next(lessons.start_runs(chosen, tmp_path, ranks="1"))[0] == chosen.variants[0]


def test_the_sheet_of_something_else_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "curves.png").write_bytes(b"mine")
    with pytest.raises(UsageError, match=r"curves\.png: found a file that would be replaced; choose another --out"):
        next(lessons.start_runs(LESSONS["saturating"], tmp_path, ranks="1"))
    assert [path.name for path in tmp_path.iterdir()] == ["curves.png"]


def test_unknown_lessons_are_answered_with_the_nearest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError, match="did you mean 'mode-collapse'"):
        comparison_commands.lesson("mode-colapse", out=tmp_path)
    with pytest.raises(UsageError, match="--seeds: expected at least 1"):
        lessons.lesson("saturating", tmp_path, seeds=0)
    assert comparison_commands.lesson() == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in LESSONS)
    assert comparison_commands.lesson(running=Running(json=True)) == 0
    assert [row["name"] for row in json.loads(capsys.readouterr().out)] == list(LESSONS)


def test_a_table_has_a_dash_for_what_a_model_cannot_do() -> None:
    some = {"a": Measurement(0.5, 0.1, None, 10, "none")}
    rows = [Row("one", 10, 2.0, some), Row("two", 20, None, {"b": Measurement(3.0, None, None, 10, "none")})]
    lines = table(rows).splitlines()
    assert lines[0].split() == ["a", "b", "images", "seconds"]
    assert lines[1].split() == ["one", "0.5", "±", "0.1", "-", "10", "2"]
    assert lines[2].split() == ["two", "-", "3", "20", "-"]
    assert len(lines) == 3


def test_strangers_are_told_by_a_threshold_of_the_known() -> None:
    known = torch.arange(100.0, dtype=torch.float64)
    assert generative_classifier.detection_rate(known, torch.full((10,), -5.0, dtype=torch.float64)) == 1
    assert generative_classifier.detection_rate(known, known) == pytest.approx(0.05)
    assert generative_classifier.detection_rate(known, torch.full((10,), 500.0, dtype=torch.float64)) == 0


@pytest.mark.parametrize(
    ("name", "able"),
    [
        ("classifier-mnist", {"named", "noticed"}),
        ("vae-mnist-conditional", {"named", "noticed", "taught"}),
        ("cgan-mnist", {"named", "noticed", "taught"}),
        ("gan-mnist", set()),
    ],
)
def test_models_are_measured_by_what_they_can_do(name: str, able: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    recipe, data = miniature(name)
    seen = []

    def score(images: torch.Tensor, labels: torch.Tensor, test: TableDataset, seed: int, shown: int, device: str) -> float:
        seen.append((len(images), labels.tolist(), shown))
        return 0.25

    monkeypatch.setattr("ganvas.evaluation.generative_classifier.classification_accuracy.classification_accuracy_score", score)
    torch.manual_seed(0)
    model = Model(build(recipe).eval(), {"recipe": to_dict(recipe), "classes": list(data.classes)}, "")
    found = generative_classifier.measure_classification(model, data, data, data, 40, 0)
    assert set(found) == able
    if "noticed" in able:
        assert found["noticed"].value == pytest.approx(3 / 48)  # the known themselves: below their own 5 % quantile
    if "taught" in able:
        assert seen == [(40, data.fields["label"][:40].tolist(), 40)]
        assert found["taught"].value == 0.25


def test_scores_are_those_of_each_kind() -> None:
    x = torch.rand(3, 1, 28, 28)
    torch.manual_seed(0)
    classifier, critic, plain = (build(miniature(name)[0]).eval() for name in ("classifier-mnist", "cgan-mnist", "gan-mnist"))
    found = generative_classifier.score_classes(classifier, x)
    assert found is not None
    torch.testing.assert_close(found.exp().sum(1), torch.ones(3, dtype=torch.float64), atol=1e-5, rtol=0)
    verdicts = generative_classifier.score_classes(critic, x)
    assert verdicts is not None
    with torch.no_grad():
        torch.testing.assert_close(verdicts[:, 4].float(), critic.judge(x, torch.full((3,), 4)))  # type: ignore[operator]
    assert generative_classifier.score_classes(plain, x) is None


def test_variants_say_what_recipe_they_change() -> None:
    variant = Variant(label="A b!", recipe="gan-ring")
    assert lessons.name_folder(variant, 3) == "a-b-seed3"
    assert variant.recipe in RECIPES


def test_each_page_of_a_lesson_is_a_lesson_or_has_a_command() -> None:
    pages = {path.stem for path in (Path(__file__).parents[2] / "docs" / "lessons").glob("*.md")} - {"README"}
    assert pages == {*LESSONS, *OTHER_LESSONS}
    for name, (_, command) in OTHER_LESSONS.items():
        with pytest.raises(UsageError, match=f"^the lesson {name} has a command of its own: {command} "):
            find_lesson(name)
