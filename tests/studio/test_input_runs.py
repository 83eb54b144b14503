"""Runs of games that take inputs on the pages /train and /explore."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import miniatures
import pytest
from support import PLAN

from ganvas.config import DataConfig
from ganvas.errors import UsageError
from ganvas.games.recipes import open_data
from ganvas.studio.explore import page
from ganvas.studio.explore.client import ModelClient
from ganvas.studio.explore.explorer import Explorer
from ganvas.studio.storage import Storage, read_json
from ganvas.studio.train import monitor
from ganvas.studio.train.jobs import Jobs
from ganvas.training.run_folder import Run
from ganvas.training.trainer import fit


@pytest.fixture(params=["miniature-cycle", "miniature-puppet"])
def storage(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Storage:
    """A studio's folder with one finished run."""
    miniatures.install(monkeypatch)
    recipe = replace(miniatures.RECIPES[request.param], data=DataConfig(source=request.param))
    run = Run(tmp_path / "runs" / "run", replace(recipe, train=replace(recipe.train, images=64)), PLAN)
    run.write()
    run.attach_data(open_data(run.recipe))
    list(fit(run))
    return Storage(tmp_path / "runs")


def test_the_page_train_shows_unit_and_snapshots(storage: Storage) -> None:
    found = monitor.describe_run(storage, Jobs(storage), "run")
    assert (found["unit"], found["draws"], found["explores"]) == ("images", True, False)
    assert (found["state"], found["items"], found["total"]) == ("finished", 64, 64)
    assert len(found["snapshots"]) == 4
    assert monitor.find_snapshot(storage.find_run("run"), found["snapshots"][-1]).exists()


def test_the_page_explore_says_why_it_does_not_list_the_model(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    translates = read_json(storage.find_run("run") / "recipe.json")["game"] == "miniature-cycle"
    where = "use the page Translate" if translates else "use the page Animate"
    monkeypatch.setattr(page, "get_service", lambda request: SimpleNamespace(storage=storage, client=ModelClient()))
    request: Any = None
    assert "run" not in [one["id"] for one in page.list_models(request)]
    (absent,) = page.list_absent(request)
    assert absent == {"id": "run", "reason": f"it makes its output from inputs, not from noise; {where}"}
    with pytest.raises(UsageError, match="makes its output from inputs, not from noise alone; use ganvas"):
        Explorer(storage.find_run("run"), "cpu").abilities()
