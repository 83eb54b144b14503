"""Runs of games that take inputs: trained in a run folder, validated, resumed, evaluated, examined by the doctor, shown."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import miniatures
import pytest
import torch
from PIL import Image
from support import PLAN

from ganvas.config import DataConfig
from ganvas.core.game import Game
from ganvas.evaluation.evaluate import evaluate, record
from ganvas.games.recipes import open_data
from ganvas.inference import model_file
from ganvas.inference.model import load
from ganvas.studio.run_kind import describe_kind, explain_absence
from ganvas.training.doctor import Diagnosis, diagnose, format_findings
from ganvas.training.log import read_log
from ganvas.training.run_folder import Run, open_run
from ganvas.training.trainer import fit

EVERY = pytest.mark.parametrize("name", miniatures.RECIPES)


@pytest.fixture(autouse=True)
def _games(monkeypatch: pytest.MonkeyPatch) -> None:
    miniatures.install(monkeypatch)


def begin(folder: Path, name: str, **train: Any) -> Run:
    """A run of a miniature in `folder`, with 60 held-out rows."""
    recipe = miniatures.RECIPES[name]
    train = {"eval_every": 160, "checkpoint_every": 80, "snapshots": 3} | train
    recipe = replace(recipe, train=replace(recipe.train, **train), data=DataConfig(source=name, held_out=0.25))
    run = Run(folder / "run", recipe, PLAN)
    run.write()
    run.attach_data(open_data(recipe))
    return run


@EVERY
def test_a_run_is_trained_validated_and_evaluated(name: str, tmp_path: Path) -> None:
    run = begin(tmp_path, name)
    assert run.held_out is not None
    assert len(run.held_out) == 60
    events = [event for progress in fit(run) for event in progress.events]
    metric = "swd60" if name == "miniature-cycle" else "mae60"
    assert [event.split()[0] for event in events] == [metric] * 2 + [metric] * (len(events) - 2)
    rows = [row for row in read_log(run.folder / "log.jsonl") if metric in row]
    assert [row["items"] for row in rows] == [160, 320]
    assert all(("floor" in row) == (name == "miniature-cycle") for row in rows)
    best = json.loads((run.folder / "best.json").read_text())
    assert best["metric"] == metric
    assert best["value"] == min(row[metric] for row in rows)
    model_file.load(run.folder / "best.safetensors")
    pictures = sorted((run.folder / "samples").glob("*k.png"))
    assert len(pictures) == 4
    assert pictures[0].read_bytes() != pictures[-1].read_bytes()
    with Image.open(run.folder / "sheet.png") as sheet, Image.open(run.folder / "learning.gif") as film:
        assert sheet.height < film.height  # the film has a caption
        assert film.n_frames > 1  # type: ignore[attr-defined]
    assert run.result["items"] == 320
    outputs = run.result["outputs"]
    assert outputs["name"] == metric
    assert outputs["value"] > 0
    assert ("floor" in outputs) == (name == "miniature-cycle")
    trivial = {"miniature-larger": "bicubic", "miniature-filler": "diffusion fill"}
    assert outputs["trivial"]["name"] == trivial.get(name, "copied input")
    assert outputs["trivial"]["value"] > 0
    report = evaluate(run.folder)
    assert "test split" in report.reference
    assert report.measures
    record(run.folder, report, 0)
    assert load(run.folder).card["data"]["name"].startswith(name)


@EVERY
def test_an_interrupted_run_is_resumed_bit_for_bit(name: str, tmp_path: Path) -> None:
    whole, broken = begin(tmp_path / "a", name), begin(tmp_path / "b", name)
    list(fit(whole))
    stopped = [False]
    for progress in fit(broken, stop=lambda: stopped[0]):
        stopped[0] = progress.items >= 200
    list(fit(open_run(broken.folder)))
    for file in ("model.safetensors", "best.safetensors", "log.jsonl", "sheet.png"):
        assert (broken.folder / file).read_bytes() == (whole.folder / file).read_bytes(), file


def test_the_error_falls_in_training(tmp_path: Path) -> None:
    run = begin(tmp_path, "miniature-pair", images=4800, eval_every=800)
    list(fit(run))
    errors = [row["mae60"] for row in read_log(run.folder / "log.jsonl") if "mae60" in row]
    assert errors[-1] < 0.7 * errors[0]


def test_images_too_small_for_the_measure_do_not_end_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganvas.metrics.sliced_wasserstein.SIDE", 64)
    run = begin(tmp_path, "miniature-cycle")
    events = [event for progress in fit(run) for event in progress.events]
    assert run.finished
    assert [event.partition(": ")[0] for event in events] == [
        "no held-out measure, training goes on",
        "the outputs cannot be measured",  # so result.json has none
    ]


def begun(folder: Path, name: str) -> Path:
    """A run folder with an untrained model and no log."""
    run = begin(folder, name)
    next(fit(run))
    return run.folder


Translate = Callable[[Game, dict[str, torch.Tensor], str, torch.Tensor | None], torch.Tensor]


def translating(monkeypatch: pytest.MonkeyPatch, make: Callable[[torch.Tensor], torch.Tensor]) -> None:
    """Let both games that translate make their output from the source by `make`."""

    def pair(self: Game, inputs: dict[str, torch.Tensor], direction: str, z: torch.Tensor | None = None) -> torch.Tensor:
        return make(inputs[direction.partition(">")[0]])

    for game in (miniatures.PatchPair, miniatures.Cycle):
        monkeypatch.setattr(game, "translate", pair)


@pytest.mark.parametrize("name", ["miniature-pair", "miniature-cycle"])
@pytest.mark.parametrize(
    ("make", "finding", "evidence"),
    [
        (lambda x: -x, "", ""),
        (torch.zeros_like, "generator ignores its input", "differ by 0 of 255"),
        (lambda x: x * 0.999, "generator copies its input", "differ from their inputs by"),
        (lambda x: x * float("nan"), "non-finite values", "NaN"),
    ],
)
def test_the_doctor_examines_outputs(
    name: str,
    make: Callable[[torch.Tensor], torch.Tensor],
    finding: str,
    evidence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = begun(tmp_path, name)
    translating(monkeypatch, make)
    found = diagnose(folder, "cpu")
    assert [each.name for each in found] == ([finding] if finding else [])
    assert not finding or (evidence in found[0].evidence and found[0].advice.startswith("--"))
    assert isinstance(found, Diagnosis)
    assert found.unchecked[0] == "memorization (the outputs belong to held-out inputs)"
    assert f"not examined: {found.unchecked[0]}" in format_findings(found)


@pytest.mark.parametrize("name", ["miniature-puppet", "miniature-filler", "miniature-larger"])
def test_the_doctor_says_what_it_did_not_look_at(name: str, tmp_path: Path) -> None:
    text = format_findings(diagnose(begun(tmp_path, name), "cpu"))
    says = {
        "miniature-puppet": "statistics of outputs against reals (they are for single images, and the outputs are clips)",
        "miniature-filler": "inpainting: whether the missing pixels depend on the others",
        "miniature-larger": "memorization",
    }
    assert says[name] in text.splitlines()[-1]
    assert "the sizes differ" not in text, "an enlargement is compared with the bicubic one instead"


def test_frames_that_do_not_move_are_copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = begun(tmp_path, "miniature-puppet")
    monkeypatch.setattr(miniatures.Puppet, "animate", lambda self, source, driving: source[:, None].expand_as(driving))
    assert [each.name for each in diagnose(folder, "cpu")] == ["generator copies its input"]


def test_a_model_that_cannot_be_read_is_reported(tmp_path: Path) -> None:
    folder = begun(tmp_path, "miniature-pair")
    (folder / "model.safetensors").write_bytes(b"")
    assert "not examined: samples of the model (it cannot be read)" in format_findings(diagnose(folder, "cpu"))
    (folder / "model.safetensors").unlink()  # as of a branch before its first step
    assert "not examined: samples of the model (the run has saved none yet)" in format_findings(diagnose(folder, "cpu"))


@EVERY
def test_the_studio_shows_the_run_and_says_why_it_cannot_explore_it(name: str, tmp_path: Path) -> None:
    recipe = json.loads((begin(tmp_path, name).folder / "recipe.json").read_text())
    found = describe_kind(recipe)
    assert {"unit": "images", "draws": True, "explores": False, "alike": "", "inverts": False}.items() <= found.items()
    takes = {
        "cycle": ["a", "b"],
        "pair": ["source"],
        "puppet": ["source", "driving"],
        "filler": ["image", "mask"],
        "larger": ["low"],
    }
    assert found["takes"] == takes[name.removeprefix("miniature-")]
    assert explain_absence(recipe).startswith("it makes its output from inputs, not from noise")
