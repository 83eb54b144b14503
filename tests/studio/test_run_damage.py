"""A run folder whose files were damaged by hand: its row says so, and the other rows are there."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ganvas.games import RECIPES
from ganvas.studio import home
from ganvas.studio.commands import quote_code
from ganvas.studio.responses import answer_json
from ganvas.studio.run_damage import find_damage
from ganvas.studio.storage import Storage
from ganvas.studio.train import monitor
from ganvas.studio.train.jobs import Jobs
from ganvas.utils.settings import to_dict

ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["images", "batch", "x"]), inner, max_size=2),
    max_leaves=4,
)
FILES = ["recipe.json", "result.json", "branch.json", "best.json", "env.json", "log.jsonl", "../.studio/jobs/a.job.json"]
KEYS = (  # noqa: SIM905
    "name game config data train items seconds words asked pid written step dropped skill lead plan images_per_second "
    "resolution channels dims point shape eval_every machine about"
).split()


@pytest.fixture
def jobs(tmp_path: Path) -> Jobs:
    """A whole run and one to be damaged."""
    storage = Storage(tmp_path / "runs")
    for name in ("a", "whole"):
        (storage.runs / name).mkdir(parents=True)
        (storage.runs / name / "recipe.json").write_text(json.dumps(to_dict(RECIPES["gan-ring"])))
    storage.make_folder("jobs")
    return Jobs(storage)


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("recipe.json", "{", "recipe.json is not readable JSON"),
        ("recipe.json", "[]", "recipe.json is not a JSON object"),
        ("recipe.json", '{"train": []}', "recipe.json: train is no JSON object"),
        ("recipe.json", '{"train": {"images": "many"}}', "recipe.json: train: images is no count"),
        ("recipe.json", '{"train": {"batch": 0}}', "recipe.json: train: batch is no count"),
        ("result.json", '{"items": "all"}', "result.json: items is no count"),
        ("branch.json", "\xff", "branch.json is not readable JSON"),
    ],
)
def test_a_damaged_run_is_a_row_that_says_so(jobs: Jobs, file: str, content: str, words: str) -> None:
    folder = jobs.storage.runs / "a"
    (folder / file).write_text(content, encoding="latin-1")
    rows = {name: monitor.summarize_run(jobs.storage, jobs, name) for name in jobs.storage.list_runs()}
    assert (rows["a"]["state"], words in rows["a"]["words"]) == ("damaged", True)
    assert "delete the run" in rows["a"]["words"]
    assert (rows["whole"]["state"], rows["whole"]["total"]) == ("interrupted", 5_000_192)
    assert monitor.describe_run(jobs.storage, jobs, "a")["actions"] == ["remove"]
    recent = {row["name"]: row["damage"] for row in home.list_recent(jobs.storage.runs)}
    assert (words in recent["a"], recent["whole"]) == (True, "")
    jobs.remove("a")
    assert jobs.storage.list_runs() == ["whole"]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(file=st.sampled_from(FILES), values=st.dictionaries(st.sampled_from(KEYS), ANY, max_size=5), game=st.booleans())
def test_whatever_is_in_a_file_the_lists_are_answered(jobs: Jobs, file: str, values: dict[str, Any], game: bool) -> None:
    path = jobs.storage.runs / "a" / file
    before = path.read_bytes() if path.exists() else None
    path.write_text(json.dumps({**values, **({"game": "dcgan"} if game else {})}) + "\n")
    try:
        for name in jobs.storage.list_runs():
            answer_json(monitor.describe_run(jobs.storage, jobs, name))
            answer_json(monitor.read_log(jobs.storage.runs / name, monitor.LogPlace()))
        answer_json(home.list_recent(jobs.storage.runs))
        answer_json(home.list_starts(jobs.storage.runs))
        jobs.start_waiting()
    finally:
        path.unlink() if before is None else path.write_bytes(before)


def test_numbers_and_letters_that_json_does_not_have_are_answered() -> None:
    answer = answer_json({"rows": [{"D": math.nan, "G": -math.inf}], "name": "half \ud83d", "n": (1, 2.5)})
    assert json.loads(answer.body) == {"rows": [{"D": None, "G": None}], "name": "half ?", "n": [1, 2.5]}


def test_a_folder_that_cannot_be_read_is_told_by_its_file(tmp_path: Path) -> None:
    (tmp_path / "recipe.json").mkdir()
    assert find_damage(tmp_path).startswith("recipe.json is a folder, not a regular file")


def test_backticks_of_the_command_line_do_not_reach_a_page() -> None:
    assert quote_code("see `ganvas recipes`, then `--set`; one ` stays") == "see “ganvas recipes”, then “--set”; one ` stays"
