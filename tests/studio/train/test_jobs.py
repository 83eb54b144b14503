"""Trainings in processes of their own: to the end, paused, killed, branched; and read from outside."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from ganvas.errors import UsageError
from ganvas.games.recipes import resolve_recipe
from ganvas.games.registry import build
from ganvas.inference import model_file
from ganvas.studio.storage import Storage, UnknownIdError
from ganvas.studio.train import choices, monitor
from ganvas.studio.train.job_status import Status, describe_signal, make_options
from ganvas.studio.train.jobs import Jobs, make_resume
from ganvas.training.run_folder import open_run
from ganvas.training.trainer import fit
from ganvas.utils.settings import to_dict

T = TypeVar("T")
SMALL = {"train.batch": "32", "config.width": "8", "config.depth": "1", "data.held_out": "0", "train.snapshots": "4"}
LONG = 4_000_000  # images: more than any test waits for


def until(jobs: Jobs, name: str, *states: str, seconds: float = 60) -> Status:
    """Wait until the run is in one of the states."""
    return wait(lambda: found if (found := jobs.get_status(name)).state in states else None, seconds)


def wait(look: Callable[[], T | None], seconds: float = 60) -> T:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if (found := look()) is not None:
            return found
        time.sleep(0.05)
    raise TimeoutError


def rows(jobs: Jobs, name: str, least: int) -> int | None:
    """The images of the last row, once there are enough."""
    found = monitor.read_log(jobs.storage.find_run(name), monitor.LogPlace())["rows"]
    return found[-1]["items"] if len(found) >= least else None


def bundle(jobs: Jobs, name: str) -> str:
    return hashlib.sha256((jobs.storage.find_run(name) / "model.safetensors").read_bytes()).hexdigest()


def test_paused_and_resumed_is_as_if_nothing_had_happened(jobs: Jobs) -> None:
    name = jobs.start("gan-ring", settings=SMALL, images=12_800)
    assert jobs.get_status(name).state in ("starting", "running")
    wait(lambda: rows(jobs, name, 3))
    jobs.pause(name)
    with pytest.raises(UsageError, match="saving already"):
        jobs.pause(name)
    assert "bit for bit" in until(jobs, name, "paused", "finished").words
    assert jobs.get_status(name).state == "paused"
    assert not jobs.is_alive(name)
    half = monitor.summarize_run(jobs.storage, jobs, name)["items"]
    assert 0 < half < 12_800
    unbroken = jobs.storage.runs / "unbroken"
    unbroken.mkdir()
    for file in ("recipe.json", "env.json"):  # the same plan
        (unbroken / file).write_bytes((jobs.storage.find_run(name) / file).read_bytes())
    jobs.resume(name)
    for _ in fit(open_run(unbroken)):
        pass
    until(jobs, name, "finished")
    assert bundle(jobs, name) == bundle(jobs, "unbroken")
    logs = [monitor.read_log(jobs.storage.find_run(each), monitor.LogPlace()) for each in (name, "unbroken")]
    assert logs[0]["rows"] == logs[1]["rows"]
    found = monitor.describe_run(jobs.storage, jobs, name)
    assert found["snapshots"][0] == 0
    assert found["items"] == found["total"] == found["snapshots"][-1] == 12_800
    assert found["settings"]["config.width"] == 8
    assert found["distance"].startswith("distance to the data ")
    assert "data.source" not in found["settings"]
    with pytest.raises(UsageError, match="finished; branch"):
        jobs.resume(name)


def test_a_killed_training_is_told_and_resumed(jobs: Jobs, end_all: Callable[[Jobs], None]) -> None:
    settings = {**SMALL, "train.checkpoint_every": "2000"}
    name = jobs.start("gan-ring", settings=settings, images=LONG)
    wait(lambda: rows(jobs, name, 8))
    os.kill(json.loads(jobs.storage.find_note(name, "job.json").read_text())["pid"], signal.SIGKILL)
    told = until(jobs, name, "interrupted").words
    assert "SIGKILL" in told
    assert "resume continues from" in told
    restarted = Jobs(jobs.storage)  # a server that was started since knows no exit code
    assert "ended without a message" in restarted.get_status(name).words
    restarted.resume(name)
    assert jobs.is_alive(name)
    with pytest.raises(UsageError, match="being trained"):
        jobs.resume(name)
    until(jobs, name, "running")
    jobs.stop(name)
    assert until(jobs, name, "stopped").words == "saved; resume continues bit for bit"
    end_all(restarted)


@pytest.mark.parametrize(
    ("device", "words", "kind"),
    [("cpu", [], "cpu"), ("abacus:1", ["--device", "auto"], choices.find_device_kind("auto"))],
)
def test_a_run_of_a_device_that_is_not_here_continues_on_another(
    device: str, words: list[str], kind: str, tmp_path: Path
) -> None:
    (tmp_path / "env.json").write_text(json.dumps({"plan": {"device": device}}))
    assert make_resume(tmp_path) == (["resume", str(tmp_path), "--json", *words], kind)


def test_what_cannot_be_trained_says_why(jobs: Jobs) -> None:
    for recipe, settings, told in (
        ("gan-rin", {}, "did you mean 'gan-ring'"),
        ("gan-ring", {"train.nonsense": "3"}, "train.nonsense"),
        ("gan-ring", {"train.batch": "many"}, "train.batch"),
        ("dcgan-images", {}, "your own pictures"),
        ("motion-clips", {}, "your own clips, and none were chosen"),
    ):
        with pytest.raises(UsageError, match=told):
            jobs.start(recipe, settings=settings)
    assert jobs.storage.list_runs() == []
    assert not jobs.storage.runs.exists()


def test_a_run_begins_with_the_weights_of_another(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = resolve_recipe("gan-ring", SMALL)
    source = jobs.storage.reserve_run("gan-ring-seed0")
    model_file.save(source / "model.safetensors", build(recipe), {"recipe": to_dict(recipe), "classes": [], "items": 8})
    (source / "recipe.json").write_text(json.dumps(to_dict(recipe)))
    asked: list[list[str]] = []
    monkeypatch.setattr(jobs, "_submit", lambda _, words, __: asked.append(words))
    jobs.start("", settings={}, data="moons", from_run=source.name, images=640)
    jobs.start("gan-ring", settings=SMALL, data="moons", from_run=source.name)
    jobs.start("", settings={}, from_run="cgan-mnist")  # it comes with ganvas
    assert asked[0][:3] == ["train", "--from", str(source)]
    assert Path(asked[2][2]).name == "cgan-mnist.safetensors"
    assert asked[1][:4] == ["train", "gan-ring", "--from", str(source)]
    assert asked[0][-6:-2] == ["--data", "moons", "--images", "640"]
    for recipe_, run, error, told in (
        ("", "", UsageError, "no such recipe: ''"),
        ("gan-rin", source.name, UsageError, "did you mean"),
        ("", "00009-x", UnknownIdError, "there is no run"),
    ):
        with pytest.raises(error, match=told):
            jobs.start(recipe_, settings={}, from_run=run)


def test_a_run_that_rests_is_deleted_with_all_that_is_known_of_it(jobs: Jobs, end_all: Callable[[Jobs], None]) -> None:
    name = jobs.start("gan-ring", settings=SMALL, images=LONG)
    with pytest.raises(UsageError, match="stop it first"):
        jobs.remove(name)
    end_all(jobs)
    jobs.remove(name)
    assert jobs.storage.list_runs() == []
    assert not (jobs.storage.runs / name).exists()
    assert list((jobs.storage.private / "jobs").iterdir()) == []
    with pytest.raises(UnknownIdError):
        jobs.remove(name)


@pytest.mark.parametrize("name", ["data.source", "data.split", "game", "--out", "train.x y", "name"])
def test_only_settings_that_name_no_file(name: str) -> None:
    with pytest.raises(UsageError, match="cannot be set here"):
        make_options({name: "/etc/passwd"})


@pytest.mark.parametrize("name", ["..", "../x", "a/b", "", ".studio", "x\0y", "%2e%2e"])
def test_ids_are_looked_up_never_joined(tmp_path: Path, name: str) -> None:
    (tmp_path / "recipe.json").write_text("{}")
    (tmp_path / "runs").mkdir()
    with pytest.raises(UnknownIdError, match="there is no run"):
        Storage(tmp_path / "runs").find_run(name)


def test_numbers_are_not_taken_twice(tmp_path: Path) -> None:
    storage = Storage(tmp_path / "runs")
    assert [storage.reserve_run("a").name, storage.reserve_run("b").name] == ["00000-a", "00001-b"]


def test_the_images_shown_never_pass_the_total(tmp_path: Path) -> None:
    (folder := tmp_path / "run").mkdir()
    (folder / "recipe.json").write_text('{"train": {"images": 1500, "batch": 64}}')
    jobs = Jobs(Storage(tmp_path))
    for items in (1472, 1536):
        (folder / "log.jsonl").write_text(json.dumps({"items": items}) + "\n")
        found = monitor.summarize_run(jobs.storage, jobs, "run")
        assert (found["items"], found["total"]) == (items, 1536)


def test_rows_of_an_earlier_sitting_do_not_count(tmp_path: Path) -> None:
    jobs = Jobs(Storage(tmp_path / "runs"))
    jobs.storage.make_folder("jobs")
    earlier = '{"items": 900}\n'
    jobs.storage.find_note("run", "out").write_text(earlier)
    jobs.storage.find_note("run", "job.json").write_text(json.dumps({"written": len(earlier)}))
    assert jobs.read_row("run") == {}
    jobs.storage.find_note("run", "out").write_text(f'{earlier}{{"items": 150}}\n')
    assert jobs.read_row("run") == {"items": 150}


def test_a_log_is_read_on_from_where_it_was_left(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text('{"step": 1, "items": 2, "dropped": 0, "D": 1.0}\n{"items": 2, "event": "balance: x"}\n{"step": 3, "it')
    first = monitor.read_log(tmp_path, monitor.LogPlace())
    assert (len(first["rows"]), len(first["events"]), len(first["measures"]), first["fresh"]) == (1, 1, 0, True)
    with path.open("a") as file:
        file.write('ems": 4, "fd": 7.0}\n')
    second = monitor.read_log(tmp_path, monitor.LogPlace.parse(first["place"]))
    assert not second["fresh"]
    assert second["measures"] == [{"step": 3, "items": 4, "fd": 7.0}]
    assert monitor.read_log(tmp_path, monitor.LogPlace.parse(second["place"]))["rows"] == []
    other = tmp_path / "other"
    other.write_text('{"step": 1, "items": 2, "dropped": 0}\n')
    other.replace(path)  # as a resumed run does
    assert monitor.read_log(tmp_path, monitor.LogPlace.parse(second["place"]))["fresh"]


@pytest.mark.parametrize("text", ["", "x", "-1-2", "1-2-3", "9" * 40])
def test_a_place_that_is_none_is_the_start(text: str) -> None:
    assert monitor.LogPlace.parse(text) == monitor.LogPlace()


def test_signals_have_names() -> None:
    assert describe_signal(9).startswith("SIGKILL (killed")
    assert describe_signal(99) == "signal 99"


def test_the_distance_of_a_finished_run_stands_beside_its_floor() -> None:
    found = {"distance": {"name": "fd500-digits", "value": 12.345, "floor": 4.0, "trivial": 90.0}}
    assert monitor.describe_distance(found) == "distance to the data 12.3 (real data: 4)"
    for odd in ({}, {"distance": 3}, {"distance": {"value": "x", "floor": 1}}, {"distance": {"value": 1.0}}):
        assert monitor.describe_distance(odd) == ""
