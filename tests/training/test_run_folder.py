"""Run folders: where they can be made, what they remember, and what is said of a damaged one."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from support import PLAN, ganvas, miniature, python

from ganvas.errors import DataError, ResourceError, UsageError
from ganvas.games.recipes import adapt_recipe, open_data, resolve_recipe
from ganvas.games.registry import find_recipe
from ganvas.runtime.distributed import Ranks
from ganvas.runtime.plan import Plan
from ganvas.training.doctor import diagnose
from ganvas.training.run_folder import Run, agree_on_plan, open_run
from ganvas.training.start import start_run
from ganvas.training.trainer import fit


@pytest.mark.parametrize("place", ["file/run", "/proc/ganvas/run"])
def test_a_place_that_cannot_hold_a_run_is_refused_before_any_work(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def settled(*_: Any) -> None:
        pytest.fail("timed steps first")

    monkeypatch.setattr("ganvas.training.run_folder.choose_plan", settled)
    (tmp_path / "file").write_text("")
    with pytest.raises(ResourceError, match="cannot make the run folder"):
        start_run(find_recipe("gan-ring"), out=tmp_path / place)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("target", ["nowhere", "no/where", "link"])
def test_a_link_that_leads_nowhere_is_named(target: str, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(target)
    with pytest.raises(ResourceError, match=r"cannot make the run folder .*: File exists; a file or a link has this name"):
        start_run(find_recipe("gan-ring"), out=tmp_path / "link")
    assert [path.name for path in tmp_path.iterdir()] == ["link"]


@pytest.mark.parametrize("minutes", [math.nan, math.inf, 0, -1])
def test_minutes_that_are_none(minutes: float, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"minutes: expected a number from 0\.01 to 5,256,000"):
        start_run(find_recipe("gan-ring"), out=tmp_path / "run", minutes=minutes)
    assert not (tmp_path / "run").exists()


def test_the_test_split_is_not_for_training(tmp_path: Path) -> None:
    recipe = find_recipe("gan-ring")
    with pytest.raises(UsageError, match=r"data\.split"):
        start_run(replace(recipe, data=replace(recipe.data, split="test")), out=tmp_path / "run")


@pytest.mark.parametrize("name", ["recipe.json", "env.json", "result.json"])
@pytest.mark.parametrize("text", ["[]", "{", "{}", '{"game": [], "plan": 1, "items": "x"}'])
def test_damaged_files_are_named(name: str, text: str, tmp_path: Path) -> None:
    run = Run(tmp_path / "run", find_recipe("gan-ring"), PLAN)
    run.write()
    (run.folder / name).write_text(text)
    with pytest.raises(DataError, match=str(run.folder)):
        _ = run.result if name == "result.json" else open_run(run.folder)


def test_a_bundle_is_no_run_folder(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"x")
    said = r"model\.safetensors is not a run folder that can be read: it is a file; give the folder of a run"
    for read in (open_run, diagnose):
        with pytest.raises(DataError, match=said):
            read(tmp_path / "model.safetensors")


@pytest.mark.parametrize("read", [open_run, diagnose])
def test_a_folder_that_is_not_there_is_told_as_such(read: Callable[[Path], object], tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nope: no such folder; check the path of the run$"):
        read(tmp_path / "nope")


def test_a_relative_path_holds_from_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.save(tmp_path / "points.npy", np.random.default_rng(0).normal(size=(100, 2)))
    monkeypatch.setattr("ganvas.training.run_folder.choose_plan", lambda *_: PLAN)
    monkeypatch.chdir(tmp_path)
    recipe = resolve_recipe("gan-ring", data="points.npy")
    run = start_run(recipe, out=Path("run"))
    start_run(recipe, out=Path("run"))  # the same run
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert open_run(tmp_path / "run").recipe.data.source == str(tmp_path / "points.npy")
    assert len(run.data) == 100
    with pytest.raises(UsageError, match="holds another run"):
        start_run(resolve_recipe("gan-ring"), out=Path(os.pardir) / "run")


def test_a_run_goes_on_under_a_version_that_describes_its_recipe_in_other_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ganvas.training.run_folder.choose_plan", lambda *_: PLAN)
    before = replace(resolve_recipe("gan-ring"), about="a ring", paper="none", minutes=9)
    start_run(before, out=tmp_path / "run")
    assert start_run(resolve_recipe("gan-ring"), out=tmp_path / "run").recipe.about == "a ring"
    with pytest.raises(UsageError, match=r"train\.batch=99"):
        start_run(resolve_recipe("gan-ring", {"train.batch": "99"}), out=tmp_path / "run")


@pytest.mark.parametrize(("settings", "channels"), [({}, 3), ({"config.channels": "1"}, 1), ({"config.channels": 3}, 3)])
def test_pictures_have_the_channels_asked_for(settings: dict[str, str], channels: int, tmp_path: Path) -> None:
    for i in range(3):
        Image.new("RGB", (32, 32), (i, 9, 90)).save(tmp_path / f"{i}.png")
    recipe = resolve_recipe("dcgan-images", {**settings, "config.resolution": 32}, data=str(tmp_path))
    data = open_data(recipe)
    assert (data.channels, adapt_recipe(recipe, data).config.channels) == (channels, channels)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("cgan-mnist", "give one folder per class, or name no recipe: ganvas then chooses one$"),
        ("cogan-images", "give one folder per class, or --data edges:FOLDER$"),
        ("classifier-mnist", "give one folder per class$"),
        ("stylegan2-images-conditional", "give one folder per class, or use stylegan2-images$"),
        ("vae-mnist-conditional", "give one folder per class, or use vae-mnist$"),
        ("voxel-shapes", "voxel needs solids and .* holds images"),
    ],
)
def test_what_to_do_without_classes(name: str, says: str, tmp_path: Path) -> None:
    for i in range(3):
        Image.new("L", (32, 32), i).save(tmp_path / f"{i}.png")
    recipe = resolve_recipe(name, data=str(tmp_path))
    with pytest.raises(DataError, match=says):
        adapt_recipe(recipe, open_data(recipe))


def test_a_curve_needs_held_out_samples_in_any_game(tmp_path: Path) -> None:
    """A VAE has no critic; measured every 200 images, it keeps the best model all the same."""
    rng = np.random.default_rng(0)
    np.save(tmp_path / "pictures.npy", rng.integers(0, 256, (1200, 28, 28), dtype=np.uint8))
    settings = {"config.width": 8, "data.held_out": 0.1}
    recipe = resolve_recipe("vae-mnist", settings, data=str(tmp_path / "pictures.npy"), images=400, eval_every=200)
    run = Run(tmp_path / "run", recipe, PLAN)
    run.write()
    run.attach_data(open_data(recipe))
    events = [event for progress in fit(run) for event in progress.events]
    assert sum(event.startswith("swd120") for event in events) >= 2
    assert (run.folder / "best.safetensors").exists()


def begun_on(device: str, tmp_path: Path, **env: Any) -> Run:
    """A run of the ring that was begun on `device`."""
    run = Run(tmp_path / "run", resolve_recipe("gan-ring", {"config.width": "8"}, images=512), replace(PLAN, device=device))
    run.write(probe={"minutes": 1})
    path = run.folder / "env.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **env}))
    return open_run(run.folder)


def test_a_run_of_an_absent_device_says_how_to_go_on(tmp_path: Path) -> None:
    run = begun_on("cuda:3", tmp_path)
    with pytest.raises(ResourceError, match=r"was started on cuda:3.*ganvas resume .*run --device auto$"):
        run.move(None, Ranks())
    with pytest.raises(ResourceError, match="use --device cpu"):
        run.move("cuda", Ranks())


def test_a_run_goes_on_on_another_device(tmp_path: Path) -> None:
    run = begun_on("cuda", tmp_path)
    told = run.move("cpu", Ranks())
    assert told.startswith("continued on cpu instead of cuda: float32, 1 rank(s)")
    assert open_run(run.folder).plan == run.plan
    assert run.plan.device == "cpu"
    assert json.loads((run.folder / "env.json").read_text())["probe"] == {"minutes": 1}
    assert run.move("cpu", Ranks()) == run.move(None, Ranks()) == run.move("auto", Ranks()) == ""
    for _ in fit(run):
        pass
    assert run.finished


def test_resume_takes_a_device(tmp_path: Path) -> None:
    begun_on("cuda", tmp_path)
    assert "--device auto" in ganvas("resume", "run", cwd=tmp_path).stderr
    done = ganvas("resume", "run", "--device", "auto", cwd=tmp_path)
    assert (done.returncode, (tmp_path / "run" / "result.json").exists()) == (0, True), done.stderr
    assert "continued on cpu instead of cuda" in done.stderr


def test_a_folder_of_a_later_version_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"format 99.*use a newer ganvas"):
        begun_on("cpu", tmp_path, format=99)
    with pytest.raises(DataError, match="format 0, and this version reads 1 to"):
        begun_on("cpu", tmp_path / "odd", format=0)


def test_a_folder_of_before_formats_and_new_plan_fields_opens(tmp_path: Path) -> None:
    old = {"device": "cpu", "precision": "float32", "channels_last": True, "ranks": 2, "threads": 1}
    run = begun_on("cpu", tmp_path, plan=old)
    env = json.loads((run.folder / "env.json").read_text())
    del env["format"]
    (run.folder / "env.json").write_text(json.dumps(env))
    assert open_run(run.folder).plan == Plan(ranks=2)


def test_gpu_settings_are_remembered(tmp_path: Path) -> None:
    run = begun_on("cpu", tmp_path)
    assert json.loads((run.folder / "env.json").read_text())["gpu_settings"] == {"cudnn_benchmark": True, "tf32": False}


@pytest.mark.parametrize("failed", [UsageError("no"), None])
def test_one_rank_takes_the_times_and_all_fail_alike(failed: Exception | None, monkeypatch: pytest.MonkeyPatch) -> None:
    class Second(Ranks):
        def broadcast(self, value: Any) -> Any:
            assert value == (None, None)
            return (None, failed) if failed else (PLAN, None)

    monkeypatch.setattr("ganvas.training.run_folder.choose_plan", lambda *_: pytest.fail("rank 1 takes no times"))
    recipe, data = miniature("gan-ring")
    if failed is None:
        assert agree_on_plan(recipe, data, "cpu", "2", Second(1, 2)) == PLAN
    else:
        with pytest.raises(UsageError, match="no"):
            agree_on_plan(recipe, data, "cpu", "2", Second(1, 2))


def test_an_error_leaves_no_rank_behind(tmp_path: Path) -> None:
    """In a Python session the process lives on: the next run must not join the peers of the failed one."""
    program = """
import os, subprocess
from pathlib import Path
from ganvas.runtime.device import available_cores
from ganvas.runtime.distributed import Ranks
from ganvas.runtime.processes import local_ranks
from ganvas.games.recipes import resolve_recipe
from ganvas.training.start import start_run
from ganvas.training.api import resume
import torch.distributed as dist
import time
before = available_cores()
run = start_run(resolve_recipe("gan-line", {"train.batch": "64"}, images=640), out=Path("run"), ranks="2")
try:
    with local_ranks(run.folder, run.plan, Ranks()):
        raise KeyError("a bug")
except KeyError:
    pass
assert not dist.is_initialized()
assert "WORLD_SIZE" not in os.environ
end = time.monotonic() + 10
while (left := Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()) and time.monotonic() < end:
    time.sleep(0.1)
assert not left, left
resume(run.folder)
assert run.finished
assert available_cores() == before, "still pinned to one core"
"""
    done = python(program, tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_a_process_may_lead_two_ranks_twice(tmp_path: Path) -> None:
    """What the first run told the other rank through the environment is no longer true for the second."""
    program = """
from pathlib import Path
from ganvas.games.recipes import resolve_recipe
from ganvas.training.start import start_run
from ganvas.training.api import resume
for name in ("one", "other"):
    run = start_run(resolve_recipe("gan-line", {"train.batch": "64"}, images=512), out=Path(name), ranks="2")
    assert run.plan.ranks == 2
    resume(run.folder)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr
    assert all((tmp_path / name / "result.json").exists() for name in ("one", "other"))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    run = Run(tmp_path / "run", find_recipe("gan-ring"), PLAN)
    run.write()
    (run.folder / "env.json").unlink()
    with pytest.raises(DataError, match=r"can be read: env\.json: No such file or directory"):
        open_run(run.folder)
    (run.folder / "env.json").write_text('{"format": 1}')
    with pytest.raises(DataError, match=r"can be read: env\.json lacks minutes and plan"):
        open_run(run.folder)
