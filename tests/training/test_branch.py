"""A branch: the same networks from a checkpoint on, with a setting changed."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from support import PLAN, state_hash

from ganvas.config import Recipe
from ganvas.engine import checkpoint
from ganvas.errors import DataError, ResourceError, UsageError
from ganvas.games.recipes import open_data, resolve_recipe
from ganvas.training.branch import branch, list_checkpoints
from ganvas.training.log import read_log
from ganvas.training.run_folder import Run, open_run
from ganvas.training.trainer import fit

SMALL = {"train.images": "640", "train.batch": "32", "train.snapshots": "3", "train.keep_all": "true"}
SMALL |= {"config.width": "8", "config.depth": "1", "data.held_out": "0"}


def recipe(**settings: str) -> Recipe:
    return resolve_recipe("gan-ring", {**SMALL, **settings})


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A finished run of the ring in miniature, with a checkpoint for every picture."""
    found = Run(tmp_path / "parent", recipe(), PLAN)
    found.write()
    found.attach_data(open_data(found.recipe))
    for _ in fit(found):
        pass
    return found


def last(folder: Path) -> int:
    found = checkpoint.load(folder / "checkpoints")
    assert found
    return state_hash(found.tensors)


def test_every_picture_has_a_checkpoint(run: Run) -> None:
    pictures = sorted(round(float(path.name[:10]) * 1000) for path in (run.folder / "samples").glob("*.png"))
    assert list_checkpoints(run.folder) == pictures
    assert len(pictures) == 4


def test_a_branch_goes_on_from_its_checkpoint(run: Run, tmp_path: Path) -> None:
    at = list_checkpoints(run.folder)[2]
    made = branch(run.folder, tmp_path / "child", {"train.learning_rate": "1e-4"}, at)
    assert list_checkpoints(made.folder) == [at]
    opened = open_run(made.folder)
    assert opened.recipe.train.learning_rate == 1e-4
    for _ in fit(opened):
        pass
    assert opened.finished
    rows, before = read_log(made.folder / "log.jsonl"), read_log(run.folder / "log.jsonl")
    shared = [row for row in before if row["items"] <= at]
    assert rows[: len(shared)] == shared
    assert last(made.folder) != last(run.folder)
    story = json.loads((made.folder / "branch.json").read_text())
    rates = [run.recipe.train.learning_rate, 1e-4]
    assert story == {"parent": "parent", "items": at, "changed": {"train.learning_rate": rates}}


def test_a_change_that_trains_alike_ends_alike(run: Run, tmp_path: Path) -> None:
    at = list_checkpoints(run.folder)[1]
    made = branch(run.folder, tmp_path / "child", {"train.checkpoint_every": "320"}, at)
    for _ in fit(open_run(made.folder)):
        pass
    assert last(made.folder) == last(run.folder)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({}, "needs a setting that is changed"),
        ({"config.width": "16"}, "config.width changes the networks"),
        ({"config.shape": "[3]"}, "the data decides it"),
        ({"train.images": "300"}, "expected more than the 640 images"),
        ({"train.learning_rat": "1"}, "unknown setting"),
    ],
)
def test_refusals_leave_nothing(run: Run, tmp_path: Path, settings: dict[str, str], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        branch(run.folder, tmp_path / "child", settings)
    assert {path.name for path in tmp_path.iterdir()} == {"parent"}


def test_points_with_more_coordinates_are_refused_for_the_data(run: Run, tmp_path: Path) -> None:
    np.save(tmp_path / "points.npy", np.random.default_rng(0).normal(size=(100, 3)))
    with pytest.raises(UsageError, match=r"^the data changes config\.shape and with it the networks.* data of the same shape"):
        branch(run.folder, tmp_path / "child", {"train.images": "1280"}, source=str(tmp_path / "points.npy"))


def test_the_loss_may_change(run: Run, tmp_path: Path) -> None:
    made = branch(run.folder, tmp_path / "child", {"config.rules.r1_gamma": "0.25"}, list_checkpoints(run.folder)[1])
    assert made.recipe.config.rules.r1_gamma == 0.25


def test_no_such_checkpoint(run: Run, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no checkpoint at 77 images; expected one of: 0, "):
        branch(run.folder, tmp_path / "child", {"train.learning_rate": "1e-4"}, 77)


def test_a_damaged_checkpoint(run: Run, tmp_path: Path) -> None:
    at = list_checkpoints(run.folder)[1]
    path = run.folder / "checkpoints" / f"{at:09d}" / "game.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(DataError, match="damaged"):
        branch(run.folder, tmp_path / "child", {"train.learning_rate": "1e-4"}, at)
    assert not (tmp_path / "child").exists()


def test_a_branch_may_go_on_on_another_device(run: Run, tmp_path: Path) -> None:
    """Of a run that was trained on a GPU, here where there is none."""
    path = run.folder / "env.json"
    env = json.loads(path.read_text())
    env["plan"]["device"] = "cuda"
    path.write_text(json.dumps(env))
    settings = {"train.checkpoint_every": "320"}
    at = list_checkpoints(run.folder)[1]
    assert branch(run.folder, tmp_path / "there", settings, at).plan.device == "cuda"
    made = branch(run.folder, tmp_path / "here", settings, at, "cpu")
    assert open_run(made.folder).plan.device == "cpu"
    with pytest.raises(ResourceError, match="use --device cpu"):
        branch(run.folder, tmp_path / "nowhere", settings, at, "cuda:9")
    assert not (tmp_path / "nowhere").exists()


def test_a_link_to_a_device_in_a_checkpoint_is_damage(run: Run, tmp_path: Path) -> None:
    """It is not copied: the disk would be full."""
    at = list_checkpoints(run.folder)[1]
    file = run.folder / "checkpoints" / f"{at:09d}" / "game.safetensors"
    file.unlink()
    file.symlink_to("/dev/zero")
    with pytest.raises(DataError, match=r"the checkpoint at .* is damaged: .* is a device, not a regular file"):
        branch(run.folder, tmp_path / "child", {"train.learning_rate": "1e-4"}, at)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["parent"]


@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
def test_a_log_that_is_no_file_is_left_out_and_said(kind: str, run: Run, tmp_path: Path) -> None:
    log = run.folder / "log.jsonl"
    log.unlink()
    if kind == "pipe":
        os.mkfifo(log)
    elif kind == "device":
        log.symlink_to("/dev/zero")
    else:
        log.mkdir()
    made = branch(run.folder, tmp_path / "child", {"train.learning_rate": "1e-4"}, list_checkpoints(run.folder)[1])
    assert f"is a {kind}, not a regular file" in made.notice
    assert not (made.folder / "log.jsonl").exists()


def test_data_that_is_given_twice_is_refused(run: Run, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--data and --set data\.source both set data\.source; give one of them"):
        branch(run.folder, tmp_path / "child", {"data.source": "moons"}, source="spiral")
    assert not (tmp_path / "child").exists()


@pytest.mark.parametrize("damage", ["gone", "damaged", "emptied"])
@pytest.mark.parametrize("story", [True, False], ids=["", "damaged story"])
def test_a_branch_that_lost_its_checkpoint_does_not_begin_with_new_weights(
    damage: str, story: bool, run: Run, tmp_path: Path
) -> None:
    at = list_checkpoints(run.folder)[2]
    made = branch(run.folder, tmp_path / "child", {"train.learning_rate": "1e-4"}, at)
    checkpoints = made.folder / "checkpoints"
    if damage == "damaged":
        next((checkpoints / f"{at:09d}").glob("*.safetensors")).write_bytes(b"")
    else:
        shutil.rmtree(checkpoints)
    if damage == "emptied":
        checkpoints.mkdir()
    if not story:
        (made.folder / "branch.json").write_text("[")
    before = sorted(path.name for path in made.folder.iterdir()), (made.folder / "log.jsonl").read_bytes()
    again = f"ganvas branch {run.folder} --at {at} --out NEW" if story else "ganvas branch RUN --at IMAGES --out NEW"
    with pytest.raises(DataError, match=f"child is a branch and none of its checkpoints can be used, .*: {again}") as told:
        next(fit(open_run(made.folder)))
    assert "\n" not in str(told.value)
    assert (sorted(path.name for path in made.folder.iterdir()), (made.folder / "log.jsonl").read_bytes()) == before


def test_a_run_that_lost_its_checkpoints_says_that_it_starts_again(run: Run) -> None:
    (run.folder / "result.json").unlink()
    shutil.rmtree(run.folder / "checkpoints")
    told = next(fit(open_run(run.folder))).events
    assert "no checkpoint of this run can be used, so it starts again from 0 images" in told


def test_a_new_run_says_nothing_of_checkpoints(tmp_path: Path) -> None:
    new = Run(tmp_path / "new", recipe(), PLAN)
    new.write()
    new.attach_data(open_data(new.recipe))
    assert not any("checkpoint" in event for event in next(fit(new)).events)
