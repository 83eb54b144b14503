"""The held-out curve of a run, and its floor."""

from __future__ import annotations

from pathlib import Path

from support import PLAN

from ganvas.engine.autotune import initial_state
from ganvas.evaluation import validation
from ganvas.games.recipes import open_data, resolve_recipe
from ganvas.training.log import read_log
from ganvas.training.run_folder import Run
from ganvas.training.trainer import fit

SMALL = {"config.width": "8", "config.depth": "1", "train.batch": "32", "train.images": "128", "train.eval_every": "64"}


def test_the_floor_is_what_other_reals_score(tmp_path: Path) -> None:
    run = Run(tmp_path, resolve_recipe("gan-ring", SMALL), PLAN)
    run.attach_data(open_data(run.recipe))
    assert run.held_out
    game = initial_state(run.recipe, PLAN).average
    floor = validation.floor(run.data, run.held_out, game)
    found = validation.measure(game, run.held_out)
    assert found
    assert floor
    assert 0 < floor < found[1] / 10
    assert floor == validation.floor(run.data, run.held_out, game)


def test_a_run_of_text_is_measured_in_nats_and_has_no_floor(tmp_path: Path) -> None:
    settings = {"config.width": "8", "train.batch": "32", "train.images": "128", "train.eval_every": "64"}
    run = Run(tmp_path / "run", resolve_recipe("textlm-names", settings), PLAN)
    run.write()
    run.attach_data(open_data(run.recipe))
    for _ in fit(run):
        pass
    rows = [row for row in read_log(run.folder / "log.jsonl") if any(name.startswith("nats") for name in row)]
    assert [row["items"] for row in rows][:2] == [64, 128]
    assert not any("floor" in row for row in rows)


def test_each_measurement_in_the_log_has_its_floor(tmp_path: Path) -> None:
    run = Run(tmp_path / "run", resolve_recipe("gan-ring", SMALL), PLAN)
    run.write()
    run.attach_data(open_data(run.recipe))
    for _ in fit(run):
        pass
    rows = [row for row in read_log(run.folder / "log.jsonl") if "floor" in row]
    assert [row["items"] for row in rows][:2] == [64, 128]
    assert len({row["floor"] for row in rows}) == 1
