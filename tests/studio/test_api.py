"""The routes of /train and /explore on a studio that is running: ids, uploads, a run from start to branch."""

from __future__ import annotations

import http.cookiejar
import io
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
from PIL import Image

from ganvas.studio.storage import Storage, read_last_row
from ganvas.studio.train.jobs import Jobs

SMALL = {"train.batch": "32", "config.width": "8", "config.depth": "1", "train.snapshots": "4", "train.keep_all": "true"}
HOSTILE = '<img src=x onerror="document.title=1">'


class Client:
    """A browser's part: the cookie, the Origin."""

    def __init__(self, link: str) -> None:
        self.base = link.partition("/?")[0]
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
        self.opener.open(link).read()

    def __call__(self, path: str, data: Any = None, method: str | None = None) -> tuple[int, bytes]:
        body = data if data is None or isinstance(data, bytes) else json.dumps(data).encode()
        request = urllib.request.Request(f"{self.base}/api/{path}", body, {"Origin": self.base}, method=method)
        try:
            with self.opener.open(request) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, refused.read()

    def json(self, path: str, data: Any = None, method: str | None = None) -> Any:
        status, found = self(path, data, method)
        assert status < 300, found
        return json.loads(found)

    def until(self, path: str, good: Callable[[Any], bool], seconds: float = 120) -> Any:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if good(found := self.json(path)):
                return found
            time.sleep(0.1)
        raise TimeoutError(found)


@pytest.fixture(scope="module")
def client(studio: Any) -> Client:
    return Client(studio.link())


def zipped(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def png(seed: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (16, 16), dtype=np.uint8)).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize("name", ["none", "..%2f..%2fetc", "..%252f", "%2e%2e", "a%5cb", "x%00y", ".studio", "%3Cb%3E"])
def test_ids_that_name_nothing(client: Client, name: str) -> None:
    for path in (
        f"train/runs/{name}",
        f"train/runs/{name}/log",
        f"train/runs/{name}/samples/0",
        f"train/runs/{name}/doctor",
        f"train/uploads/{name}",
        f"train/uploads/{name}/preview",
        f"explore/models/{name}",
        f"explore/models/{name}/picture",
        f"train/compare?a={name}&b={name}",
        f"train/compare/sheet?a={name}&b={name}",
    ):
        status, body = client(path)
        assert status == 404, path
        assert b"Traceback" not in body


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"{", "expected JSON"),
        (b"[1]", "a JSON object"),
        ({}, "missing settings"),
        ({"recipe": "gan-ring", "sed": 1}, "did you mean 'seed'"),
        ({"recipe": "../x"}, "no such recipe"),
        ({"recipe": "--help"}, "no such recipe"),
        ({"recipe": "gan-ring", "images": 0}, "images"),
        ({"recipe": "gan-ring", "images": 10, "minutes": 1.0}, "give one of them"),
        ({"recipe": "gan-ring", "minutes": 0.001}, "minutes: expected a number from 0.01 to 5,256,000"),
        ({"recipe": "gan-ring", "data": "/etc/passwd"}, "upload:ID"),
        ({"recipe": "gan-ring", "data": "etc"}, "expected one of mnist"),
        ({"recipe": "gan-ring", "settings": {"data.source": "/etc"}}, "cannot be set here"),
        ({"recipe": "gan-ring", "settings": {"train.batch": 3}}, "expected str"),
    ],
)
def test_what_cannot_be_started(client: Client, body: Any, told: str) -> None:
    status, found = client("train/runs", body, "POST")
    assert (status, told in json.loads(found)["error"]) == (400, True), found
    assert client.json("train/runs") == []


def test_what_cannot_be_used_is_refused_at_once(client: Client, studio: Any) -> None:
    address = f"train/uploads?name={quote('my ☃.zip')}"
    for content, told in (
        (b"PK broken", "not a readable zip"),
        (zipped({f"{i}.png": bytes(15 << 20) for i in range(16)}), "zip bomb"),
        (zipped({"notes.txt": b"x"}), "no pictures"),
    ):
        status, refused = client(address, content, "POST")
        line = json.loads(refused)["error"]
        assert (status, told in line, "my ☃.zip" in line, "/uploads/" in line) == (422, True, True, False), line
    assert not list((studio.runs / ".studio" / "uploads").iterdir())
    name = client.json(address, zipped({"a.png": b"only its name is a picture's"}), "POST")["id"]
    found = client.until(f"train/uploads/{name}", lambda state: state["state"] != "reading")
    assert (found["state"], "/uploads/" in found["words"], "\n" in found["words"]) == ("refused", False, False), found
    assert client("train/uploads", b"", "POST")[0] == 400
    assert client.json("train/uploads") == []


def test_good_pictures_are_reported_and_nothing_else_is_kept(client: Client, studio: Any) -> None:
    content = zipped({f"{name}/{i}.png": png(i) for name in ("cat", HOSTILE) for i in range(3)} | {"cat/notes.txt": b"x"})
    name = client.json("train/uploads?name=pets.zip", content, "POST")["id"]
    found = client.until(f"train/uploads/{name}", lambda state: state["state"] != "reading")
    assert found["report"]["count"] == 6
    assert found["report"]["classes"] == {HOSTILE: 3, "cat": 3}
    assert found["report"]["skipped"] == [{"name": "*.txt", "reason": "1 not PNG/JPEG/WEBP/BMP/GIF/TIFF"}]
    assert found["report"]["warnings"][-1] == "there are 6 samples; training needs hundreds"
    reason = f"train/recipes/reason?data=upload:{name}&device=cpu"
    whole = "cgan-mnist: 6 grey pictures of 2 classes at 16 pixels for"
    assert client.json(reason)["text"].startswith(f"{whole} 84,000 images on the CPU")
    assert client.json(f"{reason}&minutes=1")["text"].startswith(f"{whole} 1 minute on the CPU")
    assert client.json(f"{reason}&images=500")["text"].startswith(f"{whole} 500 images on the CPU")
    assert client(f"{reason}&minutes=0")[0] == client(f"{reason}&images=1.5")[0] == 400
    assert client.json("train/recipes/reason?data=mnist") == {"text": ""}
    assert client(f"train/uploads/{name}/preview")[1].startswith(b"\x89PNG")
    kept = {path.name for path in (studio.runs / ".studio" / "uploads" / name).iterdir()}
    assert kept == {"data.zip", "name.txt", "preview.png", "report.json"}
    recipe = studio.runs / "pets" / "recipe.json"
    recipe.parent.mkdir()
    recipe.write_text(json.dumps({"data": {"source": str(studio.runs / ".studio" / "uploads" / name / "data.zip")}}))
    status, refused = client(f"train/uploads/{name}", method="DELETE")
    assert (status, b"pets trained on these pictures" in refused) == (400, True)
    recipe.unlink()
    assert client.json(f"train/uploads/{name}", method="DELETE") == {"removed": name}
    assert client(f"train/uploads/{name}", method="DELETE")[0] == 404
    assert client.json("train/uploads") == []


def test_a_run_from_its_start_to_a_branch(client: Client, studio: Any) -> None:
    name = client.json("train/runs", {"recipe": "gan-ring", "images": 640, "settings": SMALL}, "POST")["id"]
    done = client.until(f"train/runs/{name}", lambda run: run["state"] in ("finished", "failed"))
    assert done["state"] == "finished", done
    assert done["snapshots"] == done["checkpoints"]
    assert done["terms"][0] == "D"
    assert done["equilibrium"]["value"] > 0
    assert str(studio.runs) not in json.dumps(done)
    middle = done["checkpoints"][2]
    assert client(f"train/runs/{name}/samples/{middle}")[1].startswith(b"\x89PNG")
    assert client(f"train/runs/{name}/samples/1")[0] == 404
    rows = client.json(f"train/runs/{name}/log")["rows"]
    assert rows[-1]["items"] == 640
    assert client(f"train/runs/{name}/pause", b"", "POST")[0] == 400
    assert client(f"train/runs/{name}/explode", b"", "POST")[0] == 404
    status, refused = client(f"train/runs/{name}/branch", {"at": middle, "settings": {"config.width": "16"}}, "POST")
    assert (status, "changes the networks" in refused.decode()) == (400, True)
    made = client.json(f"train/runs/{name}/branch", {"at": middle, "settings": {"train.learning_rate": "1e-4"}}, "POST")["id"]
    found = client.until(f"train/runs/{made}", lambda run: run["state"] in ("finished", "failed"))
    assert (found["state"], found["branch"]["parent"], found["branch"]["items"]) == ("finished", name, middle)
    compared = client.json(f"train/compare?a={name}&b={made}")
    assert [row[0] for row in compared["differences"]] == ["train.learning_rate"]
    assert compared["state"] == "none"
    assert {one["id"] for one in client.json("explore/models")} >= {name, made}
    assert client.json(f"explore/models/{name}")["kind"] == "points"
    assert client(f"explore/models/{name}/picture?look={quote('{}')}")[1].startswith(b"\x89PNG")
    for wrong in ("{", "[]", '{"seed": -1}', '{"sed": 1}', '{"psi": 1e999}'):
        assert client(f"explore/models/{name}/picture?look={quote(wrong)}")[0] == 400


@pytest.mark.slow
def test_a_second_opinion_and_a_contest(client: Client) -> None:
    one, two = (
        client.json("train/runs", {"recipe": "gan-ring", "images": 640, "seed": seed, "settings": SMALL}, "POST")["id"]
        for seed in (5, 6)
    )
    for name in (one, two):
        client.until(f"train/runs/{name}", lambda run: run["state"] == "finished")
    said = client.json(f"train/runs/{one}/doctor")
    assert said["findings"] or "the doctor found no problem" in said["summary"]
    client.json("train/compare", {"a": one, "b": two, "samples": 500}, "POST")
    found = client.until(
        f"train/compare?a={one}&b={two}&samples=500", lambda comparison: comparison["state"] != "measuring", 300
    )
    assert found["state"] == "ready", found
    assert set(found["models"][0]["measures"]) == {"fd500-points", "recall500-points"}
    assert client(f"train/compare/sheet?a={one}&b={two}&samples=500")[1].startswith(b"\x89PNG")


@pytest.mark.slow
def test_a_training_outlives_a_killed_server(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "ganvas", "studio", "--port", "0", "--no-browser", "--json"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[2])}
    server = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True)
    with server:
        assert server.stdout
        client = Client(json.loads(server.stdout.readline())["url"])
        asked = {"recipe": "gan-ring", "images": 4_000_000, "settings": SMALL}
        name = client.json("train/runs", asked, "POST")["id"]
        client.until(f"train/runs/{name}", lambda run: run["state"] == "running")
        server.kill()
    jobs = Jobs(Storage(tmp_path / "runs"))  # as a server that is started afterwards
    try:
        assert jobs.get_status(name).state == "running"
        before = read_last_row(jobs.storage.find_run(name) / "log.jsonl").get("items", 0)
        end = time.monotonic() + 60
        while (
            now := read_last_row(jobs.storage.find_run(name) / "log.jsonl").get("items", 0)
        ) <= before and time.monotonic() < end:
            time.sleep(0.1)
        assert now > before
    finally:
        jobs.stop(name)
    while jobs.is_alive(name):
        time.sleep(0.1)
    assert jobs.get_status(name).state == "stopped"


def test_favourites_of_two_tabs_are_all_kept_until_the_list_is_full(client: Client, studio: Any) -> None:
    older = [{"model": "a", "look": {"seed": 9}, "name": "from before there were ids"}]
    (studio.runs / ".studio").mkdir(exist_ok=True)
    (studio.runs / ".studio" / "favourites.json").write_text(json.dumps({"kept": older}))
    one = client.json("explore/favourites", {"model": "a", "look": {"seed": 3}, "name": HOSTILE}, "POST")
    two = client.json("explore/favourites", {"model": "b", "look": {"moves": {f"sefa:{i}": 1.5 for i in range(20)}}}, "POST")
    kept = client.json("explore/favourites")["kept"]
    assert kept[1:] == [one, two]
    assert client.json(f"explore/favourites/{kept[0]['id']}", method="DELETE") == {"removed": kept[0]["id"]}
    assert client(f"explore/favourites/{kept[0]['id']}", method="DELETE")[0] == 404
    assert client.json("explore/favourites")["kept"] == [one, two]
    for _ in range(198):
        client.json("explore/favourites", {"model": "b", "look": two["look"]}, "POST")
    status, told = client("explore/favourites", {"model": "b", "look": {}}, "POST")
    assert (status, b"200 favourites are kept" in told) == (400, True)
    assert client.json("explore/favourites")["kept"][0] == one
    assert client("explore/favourites", {"model": 1}, "POST")[0] == 400
    assert client("explore/favourites", {"model": "a", "look": {"x": "y" * 5000}}, "POST")[0] == 400


def test_runs_of_the_command_line_are_there_too(client: Client, studio: Any) -> None:
    folder: Path = studio.runs / "by-hand"
    folder.mkdir()
    (folder / "recipe.json").write_text('{"name": "gan-ring", "game": "gan", "train": {"images": 100}}')
    found = client.json("train/runs/by-hand")
    assert (found["state"], found["total"]) == ("interrupted", 100)
    assert "resume continues from the start" in found["words"]
