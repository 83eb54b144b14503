"""The command line, as a new user types it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support import ganvas, hear_hangups

from ganvas.cli.app import main
from ganvas.games import RECIPES

SMALL = (
    "--ranks",
    "1",
    "--set",
    "config.width=4",
    "--set",
    "config.max_width=8",
    "--set",
    "config.head=8",
    "--set",
    "train.snapshots=4",
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Path:
    """A tiny finished conditional run."""
    folder = tmp_path_factory.mktemp("cli")
    done = ganvas("train", "cgan-mnist", "--images", 960, "--out", "run", *SMALL, cwd=folder, XDG_CACHE_HOME=str(cache))
    assert done.returncode == 0, done.stderr
    for name in ("sheet.png", "learning.gif", "ganvas sample", "ganvas interpolate", "next:"):
        assert name in done.stdout
    return folder / "run"


def test_a_run_folder_holds_what_it_promises(run: Path) -> None:
    names = {path.name for path in run.iterdir()}
    assert {
        "recipe.json",
        "env.json",
        "log.jsonl",
        "samples",
        "checkpoints",
        "model.safetensors",
        "result.json",
        "sheet.png",
    } <= names
    recipe = json.loads((run / "recipe.json").read_text())
    assert (recipe["game"], recipe["train"]["images"], recipe["config"]["width"]) == ("cgan", 960, 4)
    rows = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert rows[-1]["items"] == 960
    assert {"D", "G", "R1", "verdict_real", "verdict_fake"} <= rows[-1].keys()
    assert sorted(path.name for path in (run / "samples").iterdir())[0] == "000000.000k.png"
    assert len(list((run / "checkpoints").iterdir())) <= 3
    with Image.open(run / "learning.gif") as film:
        assert film.n_frames >= 4


def test_a_finished_run_says_so(run: Path) -> None:
    again = ganvas("train", "cgan-mnist", "--images", 960, "--out", "run", *SMALL, cwd=run.parent)
    assert again.returncode == 0
    assert "finished" in again.stderr
    other = ganvas("train", "cgan-mnist", "--images", 960, "--batch", 32, "--out", "run", *SMALL, cwd=run.parent)
    assert other.returncode == 2
    assert "train.batch=32 (it has 64)" in other.stderr


def test_sample_sheet_and_archive(run: Path) -> None:
    sheet = ganvas("sample", run, "-n", 12, "--label", 7, "--seed", 3, "--out", "s.png", cwd=run.parent)
    assert sheet.returncode == 0, sheet.stderr
    with Image.open(run.parent / "s.png") as picture:
        assert picture.info["seeds"] == "3-14"
        assert picture.info["synthetic"] == "true"
    assert ganvas("sample", run, "-n", 1100, "--labels", "all", "--out", "s.npz", cwd=run.parent).returncode == 0
    with np.load(run.parent / "s.npz") as arrays:
        images, labels = arrays["images"], arrays["labels"]
    assert images.shape == (1100, 28, 28, 1)
    assert images.dtype == np.uint8
    assert np.bincount(labels).tolist() == [110] * 10
    assert ganvas("sample", run, "-n", 5, "--labels", "all", "--seed", 700, "--out", "t.npz", cwd=run.parent).returncode == 0
    with np.load(run.parent / "t.npz") as arrays:
        assert np.array_equal(arrays["images"], images[700:705])


def test_a_sheet_that_is_there_stays(run: Path, tmp_path: Path) -> None:
    for name in ("sheet.png", "sheet-2.png"):
        done = ganvas("sample", run, "-n", 2, "--device", "cpu", cwd=tmp_path)
        assert (done.returncode, done.stdout) == (0, f"{name}\n")


def test_interpolate(run: Path) -> None:
    done = ganvas("interpolate", run, "--seeds", "1,5,9", "--frames", 9, "--label", "3,8", "--out", "w.gif", cwd=run.parent)
    assert done.returncode == 0, done.stderr
    with Image.open(run.parent / "w.gif") as film:
        assert film.n_frames == 9


def test_recipes_as_json(tmp_path: Path) -> None:
    rows = json.loads(ganvas("recipes", "--json", cwd=tmp_path).stdout)
    assert {"cgan-mnist", "cgan-fashion", "dcgan-images", "r3gan-mnist", "classifier-mnist", "gan-ring"} <= {
        row["name"] for row in rows
    }
    assert all({"name", "game", "paper", "data", "parameters", "minutes"} <= row.keys() for row in rows)


def test_recipes_are_never_shortened(tmp_path: Path) -> None:
    told = ganvas("recipes", cwd=tmp_path, COLUMNS="60").stdout
    assert all(any(line.startswith(f"{name} ") for line in told.splitlines()) for name in RECIPES)
    assert "start one with: ganvas train NAME" in told.splitlines()[-1]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("train", "cgan-mnits"), 2, "did you mean 'cgan-mnist'?"),
        (("train", "cgan-mnist", "--set", "train.learning_rat=1"), 2, "did you mean 'train.learning_rate'?"),
        (("train", "cgan-mnist", "--set", "train.learning_rate"), 2, "FIELD=VALUE"),
        (("train", "cgan-mnist", "--objective", "hing"), 2, "did you mean 'hinge'?"),
        (("train", "classifier-mnist", "--objective", "hinge"), 2, "no discriminator"),
        (("train", "cgan-mnist", "--minutes", "1", "--images", "9"), 2, "both"),
        (("train", "cgan-mnist", "--seeed", "1"), 2, "--see"),
        (("train", "cgan-mnist", "--batch", "three"), 2, "--batch"),
        (("train", "gan-ring", "--ranks", "3"), 2, "does not split"),
        (("train", "cgan-mnist", "--images", "0"), 2, "train.images"),
        (("train", "cgan-mnist", "--seed", "1.5"), 2, "--seed: expected a whole number, got '1.5'"),
        (("train", "gan-ring", "--set", "train.rates.X=2"), 2, "unknown player"),
        (("train", "cgan-mnist", "--data", "nowhere"), 3, "nowhere"),
        (("train", "gan-ring", "--device", "cuda:7"), 5, "cuda:7"),
        (("train", "cgan-mnist", "--data", "ring"), 3, "points"),
        (("train", "dcgan-images"), 2, "--data FOLDER"),
        (("train", "gan-ring", "--device", "gpu"), 2, "did you mean 'cuda'"),
        (("bench", "gan-ring", "--data", "nowhere"), 3, "nowhere: no such file or folder"),
        (("data", "", "--out", "x.jpg"), 2, "got nothing"),
        (("sample", "nowhere"), 3, "nowhere"),
        (("sample", "nowhere", "--device", "gpu"), 2, "did you mean 'cuda'"),
        (("eval", "nowhere", "--device", "cuda:7"), 5, "cuda:7"),
        (("compare", "cgan-mnist", "runs/nowhere"), 3, "runs/nowhere: no such run folder or bundle"),
        (("compare", "cgan-mnist", "cgan-mnits"), 2, "did you mean 'cgan-mnist'?"),
        (("compare", "gan-ring"), 2, "expected at least two models to compare, got 1"),
        (("compare", "gan-ring", "sr-photos-x4"), 2, "--data FOLDER"),
        (("compare", "gan-ring", "cyclegan-earth"), 2, "some of the models take inputs"),  # before one is trained
        (("compare", "gan-ring", "textgan-names"), 2, "some of the models generate text"),
        (("doctor", "cgan-mnist"), 2, "train one: ganvas train cgan-mnist --seed 0"),
        (("resume", "cgan-mnist"), 2, "comes with ganvas as a model alone"),
        (("branch", "cgan-mnist", "--out", "new"), 2, "comes with ganvas as a model alone"),
        (("resume", "nowhere"), 3, "nowhere"),
        (("tarin", "x"), 2, "tarin"),
    ],
)
def test_errors_are_one_line(words: tuple[str, ...], code: int, says: str, tmp_path: Path) -> None:
    done = ganvas(*words, cwd=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (code, 1), done.stderr
    assert done.stderr.startswith("ganvas: ")
    assert says in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_wrong_requests_of_a_model(run: Path) -> None:
    for words, says in (
        (("sample", run, "--label", "11"), "unknown class '11'"),
        (("sample", run, "--out", "x.bmp"), ".npz, or none for a folder"),
        (("interpolate", run, "--seeds", "1"), "at least two seeds"),
        (("interpolate", run, "--seeds", "a,b"), "seeds such as"),
    ):
        done = ganvas(*words, cwd=run.parent)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
        assert says in done.stderr


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_signals_save_and_say_how_to_go_on(number: signal.Signals, code: int, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "ganvas", "train", "gan-ring", "--ranks", "1", "--out", "run", "--quiet"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True, preexec_fn=hear_hangups
    )
    end = time.monotonic() + 60
    while time.monotonic() < end and not (tmp_path / "run" / "log.jsonl").exists():
        time.sleep(0.05)
    process.send_signal(number)
    _, told = process.communicate(timeout=60)
    assert process.returncode == code, told
    assert "ganvas resume run" in told
    assert len(list((tmp_path / "run" / "checkpoints").iterdir())) == 2
    assert not (tmp_path / "run" / "result.json").exists()


@pytest.mark.slow
def test_a_signal_to_all_ranks_as_they_start_is_no_death(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "ganvas", "train", "gan-ring", "--ranks", "2", "--out", "run", "--quiet"]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True, start_new_session=True)
    end = time.monotonic() + 60
    while time.monotonic() < end and not (tmp_path / "run" / "lock").exists():
        time.sleep(0.05)
    time.sleep(0.5)  # the other rank is still importing
    os.killpg(process.pid, signal.SIGTERM)
    _, told = process.communicate(timeout=60)
    assert (process.returncode, told) == (143, "stopped and saved; continue with: ganvas resume run\n")


def test_minutes_become_images_once(tmp_path: Path) -> None:
    done = ganvas("train", "gan-ring", "--minutes", 0.02, "--ranks", "1", "--out", "run", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    env = json.loads((tmp_path / "run" / "env.json").read_text())
    recipe = json.loads((tmp_path / "run" / "recipe.json").read_text())
    assert env["probe"]["minutes"] == 0.02
    assert recipe["train"]["images"] == pytest.approx(env["probe"]["images_per_second"] * 1.2, abs=256)
    assert json.loads(done.stdout.splitlines()[-1])["items"] == recipe["train"]["images"]
    again = ganvas("train", "gan-ring", "--minutes", 0.02, "--ranks", "1", "--out", "run", cwd=tmp_path)
    assert (again.returncode, "finished" in again.stderr) == (0, True)


def test_help_does_not_import_torch() -> None:
    show = "from ganvas.cli.app import app; app('--help', result_action='return_value')"
    code = f"import sys; {show}; exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


def test_own_folder_with_a_broken_picture(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for name in ("cats", "dogs"):
        (tmp_path / "pets" / name).mkdir(parents=True)
        for i in range(12):
            Image.fromarray(random.integers(0, 255, (40, 50, 3), dtype=np.uint8)).save(tmp_path / "pets" / name / f"{i}.png")
    (tmp_path / "pets" / "cats" / "broken.png").write_bytes(b"\x89PNG no")
    small = (
        "--set",
        "config.width=4",
        "--set",
        "config.max_width=8",
        "--set",
        "config.resolution=32",
        "--batch",
        "8",
        "--ranks",
        "1",
    )
    done = ganvas("train", "dcgan-images", "--data", "pets", "--images", 64, "--out", "run", *small, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "skipped" in done.stderr
    assert "broken.png" in done.stderr
    named = ganvas("train", "cgan-mnist", "--data", "pets", "--images", 64, "--out", "named", *small, cwd=tmp_path)
    assert named.returncode == 0, named.stderr
    assert json.loads((tmp_path / "named" / "recipe.json").read_text())["config"]["classes"] == 2
    assert ganvas("sample", "named", "-n", 4, "--label", "dogs", cwd=tmp_path).returncode == 0
    told = ganvas("data", "pets", cwd=tmp_path)
    assert told.returncode == 0, told.stderr
    assert "broken.png" in told.stderr
    assert (tmp_path / "preview.png").exists()


@pytest.mark.parametrize(
    ("failure", "code", "says"),
    [
        (OSError(28, "No space left on device", "/there"), 5, "ganvas: /there: No space left on device; free some space"),
        (RuntimeError("no such\nthing"), 1, "ganvas: this is a bug, please report it"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), 5, "ganvas: out of memory"),
    ],
)
def test_what_nobody_foresaw_is_one_line(
    failure: Exception, code: int, says: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise failure

    monkeypatch.setattr("ganvas.cli.app.app", fail)
    monkeypatch.delenv("GANVAS_DEBUG", raising=False)
    with pytest.raises(SystemExit) as ended:
        main()
    told = capsys.readouterr().err
    assert (ended.value.code, told.count("\n")) == (code, 1)
    assert told.startswith(says)
    if code == 1:
        monkeypatch.setenv("GANVAS_DEBUG", "1")
        with pytest.raises(RuntimeError):
            main()
