"""How many images a run has used: one number in the list and in the monitor, also while it is resumed or measured."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ganvas.studio.storage import Storage
from ganvas.studio.train.images_used import count_items, count_total, has_used_all
from ganvas.studio.train.job_status import list_actions
from ganvas.studio.train.jobs import Jobs


def test_the_images_of_a_run_are_one_number_and_never_fall_when_it_is_resumed(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    (folder / "checkpoints").mkdir(parents=True)
    assert count_items(folder, False, None) == 0
    (folder / "log.jsonl").write_text('{"step": 9, "items": 90, "dropped": 0}\n')
    assert count_items(folder, False, None) == 90  # its checkpoints were deleted
    (folder / "checkpoints" / "000000100").mkdir()
    assert count_items(folder, False, None) == 100  # paused between two rows of the log
    (folder / "log.jsonl").write_text('{"step": 49, "items": 490, "dropped": 0}\n')
    assert count_items(folder, True, {"items": 520}) == 520
    assert count_items(folder, True, {"items": 470}) == count_items(folder, True, None) == 490
    killed, ready = count_items(folder, False, None), count_items(folder, True, {})
    assert killed == ready == 100  # what was done after the checkpoint is done again


@pytest.mark.parametrize(
    ("wanted", "batch", "since", "total"),
    [(1500, 64, 0, 1536), (1536, 64, 0, 1536), (1500, 512, 1000, 1512), (0, 64, 0, 0), (1500, 64, 1536, 1536)],
)
def test_a_run_ends_with_a_whole_batch(wanted: int, batch: int, since: int, total: int) -> None:
    assert count_total({"images": wanted, "batch": batch}, since) == total


@pytest.fixture
def at_work(tmp_path: Path) -> Iterator[Jobs]:
    """A run of 100 images in batches of 16, whose process has printed nothing and has not changed the log."""
    jobs = Jobs(Storage(tmp_path / "runs"))
    (folder := jobs.storage.runs / "run").mkdir(parents=True)
    (folder / "recipe.json").write_text('{"train": {"images": 100, "batch": 16}}')
    jobs.storage.make_folder("jobs")
    jobs.storage.find_note("run", "job.json").write_text('{"words": ["train"], "asked": "", "written": 0, "logged": 0}')
    with jobs.storage.find_note("run", "alive").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield jobs


def test_a_training_that_has_printed_nothing_trains_once_its_log_grows_and_is_measured_after_the_last_image(
    at_work: Jobs,
) -> None:
    folder = at_work.storage.find_run("run")
    assert at_work.get_status("run").state == "starting"
    for items, state in ((48, "running"), (112, "measuring")):
        (folder / "log.jsonl").write_text(json.dumps({"step": 1, "items": items, "dropped": 0}) + "\n")
        status = at_work.get_status("run")
        assert (status.state, status.live, at_work.count_items("run", status.live)) == (state, True, items)
    assert status.words == "every image was used; measuring the finished model"
    assert list_actions("measuring", [112]) == []  # it saves and ends by itself


def test_a_resumed_training_gets_ready_until_it_goes_on_after_its_checkpoint(at_work: Jobs) -> None:
    folder, note = at_work.storage.find_run("run"), at_work.storage.find_note("run", "job.json")
    (folder / "checkpoints" / "000000048").mkdir(parents=True)
    log = folder / "log.jsonl"
    log.write_text('{"step": 6, "items": 112, "dropped": 0}\n')  # it was killed before the last checkpoint was whole
    note.write_text(json.dumps({**json.loads(note.read_text()), "logged": log.stat().st_size}))
    assert (at_work.get_status("run").state, at_work.count_items("run", True)) == ("starting", 48)
    log.write_text('{"step": 2, "items": 48, "dropped": 0}\n')
    assert (at_work.get_status("run").state, at_work.count_items("run", True)) == ("running", 48)
    (folder / "checkpoints" / "000000112").mkdir()
    assert at_work.get_status("run").state == "measuring"


def test_a_run_without_a_recipe_has_not_used_all(tmp_path: Path) -> None:
    assert not has_used_all(tmp_path, 0)
