"""What is due at the step of a checkpoint, or of a stop: snapshot, held-out measure and log row are there as in any run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support import PLAN, digest

from ganvas.engine import checkpoint
from ganvas.games.recipes import adapt_recipe, open_data, parse_recipe, resolve_recipe
from ganvas.training.log import read_log
from ganvas.training.run_folder import Run, open_run
from ganvas.training.trainer import fit
from ganvas.utils.settings import to_dict

SETTINGS = {
    "config.width": "8",
    "config.depth": "1",
    "train.batch": "32",
    "train.checkpoint_every": "64",
    "train.snapshots": "8",
}
DUE = 256  # images: a checkpoint, a measurement and a snapshot


class Killed(BaseException):
    """The process is gone."""


def begun(folder: Path) -> Run:
    recipe = resolve_recipe("gan-ring", SETTINGS, images=640, eval_every=64)
    data = open_data(recipe)
    run = Run(folder, parse_recipe(to_dict(adapt_recipe(recipe, data))), PLAN)  # as a resumed run reads it
    run.write()
    run.attach_data(data)
    return run


def everything(folder: Path) -> dict[str, Any]:
    """What a run leaves that does not depend on the clock."""
    pictures = {path.name: path.read_bytes() for path in (folder / "samples").iterdir()}
    notes = {name: (folder / name).read_text() for name in ("log.jsonl", "best.json")}
    return {**pictures, **notes, "weights": digest(folder), "best": (folder / "best.safetensors").read_bytes()}


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    run = begun(tmp_path_factory.mktemp("due") / "run")
    for _ in fit(run):
        pass
    found = everything(run.folder)
    assert f"{DUE / 1000:010.3f}k.png" in found
    assert any(row["items"] == DUE and "floor" in row for row in read_log(run.folder / "log.jsonl"))
    return found


@pytest.mark.parametrize("items", [0, 64, DUE, 640])
def test_a_kill_right_after_a_checkpoint_loses_nothing(
    items: int, tmp_path: Path, unbroken: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    run, save = begun(tmp_path / "run"), checkpoint.save

    def save_and_die(folder: Path, at: int, *rest: Any) -> Path:
        path = save(folder, at, *rest)
        if at == items:
            raise Killed
        return path

    monkeypatch.setattr(checkpoint, "save", save_and_die)
    with pytest.raises(Killed):
        list(fit(run))
    monkeypatch.undo()
    list(fit(open_run(run.folder)))
    assert everything(run.folder) == unbroken


@pytest.mark.parametrize("items", [64, DUE])
def test_a_stop_loses_nothing(items: int, tmp_path: Path, unbroken: dict[str, Any]) -> None:
    run, asked = begun(tmp_path / "run"), [False]
    for progress in fit(run, stop=lambda: asked[0]):
        asked[0] = progress.items >= items - 32
    assert not run.finished
    assert [row["items"] for row in read_log(run.folder / "log.jsonl") if "floor" in row] == list(range(64, items + 1, 64))
    list(fit(open_run(run.folder)))
    assert everything(run.folder) == unbroken


def test_an_end_that_was_cut_off_is_repeated_without_double_rows(
    tmp_path: Path, unbroken: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = begun(tmp_path / "run")

    def die(*_: Any) -> None:
        raise Killed

    monkeypatch.setattr("ganvas.training.trainer.save_learning_gif", die)
    with pytest.raises(Killed):
        list(fit(run))
    monkeypatch.undo()
    assert not run.finished
    list(fit(open_run(run.folder)))
    assert everything(run.folder) == unbroken
