"""One training at a time on a device: the next one waits, and starts when its turn comes, also under a later server."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from ganvas.errors import UsageError
from ganvas.studio.train import job_queue
from ganvas.studio.train.jobs import Jobs

SMALL = {"train.batch": "32", "config.width": "8", "config.depth": "1", "data.held_out": "0", "train.snapshots": "4"}
LONG = 4_000_000  # images: more than any test waits for
LIVE = ("starting", "running")


def start(jobs: Jobs) -> str:
    return jobs.start("gan-ring", settings=SMALL, images=LONG, device="cpu")


def test_the_second_training_waits_for_the_first_and_then_starts(jobs: Jobs, end_all: Callable[[Jobs], None]) -> None:
    first, second = start(jobs), start(jobs)
    assert jobs.get_status(first).state in LIVE
    assert jobs.get_status(second).state == "waiting"
    assert "whole processor" in jobs.get_status(second).words
    with pytest.raises(UsageError, match="being trained"):
        jobs.resume(second)
    jobs.start_waiting()
    assert jobs.get_status(second).state == "waiting"  # nothing has ended
    end_all(jobs)
    later = Jobs(jobs.storage)  # as a server that was started since
    later.start_waiting()
    try:
        assert later.get_status(second).state in LIVE
        assert later.get_status(first).state == "interrupted"
        assert later.queue.read() == []
    finally:
        end_all(later)


def test_a_training_that_waits_can_be_cancelled_resumed_and_deleted(jobs: Jobs) -> None:
    _, second, third = start(jobs), start(jobs), start(jobs)
    assert jobs.queue.read() == [second, third]
    jobs.stop(second)
    assert jobs.get_status(second).state == "stopped"
    assert "from the start" in jobs.get_status(second).words
    jobs.resume(second)
    assert jobs.queue.read() == [third, second]
    jobs.remove(third)
    assert jobs.queue.read() == [second]
    assert third not in jobs.storage.list_runs()


def test_trainings_on_different_devices_do_not_wait_for_each_other(jobs: Jobs) -> None:
    first = start(jobs)
    note = jobs.storage.find_note(first, "job.json")
    note.write_text(json.dumps({**json.loads(note.read_text()), "device": "cuda"}))
    assert jobs.get_status(start(jobs)).state in LIVE


def test_the_words_of_a_training_name_its_device(jobs: Jobs) -> None:
    words = json.loads(jobs.storage.find_note(start(jobs), "job.json").read_text())["words"]
    assert words[words.index("--device") + 1] == "cpu"
    with pytest.raises(UsageError, match="unknown device"):
        jobs.start("gan-ring", settings=SMALL, device="abacus")


def test_the_queue_has_an_end(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_queue, "MAX_WAITING", 1)
    start(jobs)
    start(jobs)
    with pytest.raises(UsageError, match="trainings wait already"):
        start(jobs)


def test_a_damaged_queue_is_an_empty_one(jobs: Jobs) -> None:
    jobs.storage.make_folder()
    for text in ("{", '{"waiting": 3}', '{"waiting": [1]}', '{"waiting": ["no-such-run"]}'):
        jobs.queue.path.write_text(text)
        jobs.start_waiting()
        assert jobs.queue.read() == []
        assert not jobs.processes
        jobs.queue.path.unlink(missing_ok=True)
