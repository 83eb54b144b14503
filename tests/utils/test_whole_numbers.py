"""Words as numbers: what looks like a digit but is none, numbers without end, and bounds."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import ganvas, miniature_model

from ganvas.cli.studio_command import studio
from ganvas.config import TrainConfig
from ganvas.editing.named_directions import _parse_classes, _parse_range
from ganvas.engine.autotune import _parse_ranks
from ganvas.errors import UsageError
from ganvas.evaluation.training_neighbours import neighbours
from ganvas.games.registry import find_recipe
from ganvas.runtime.device import max_threads
from ganvas.training.options import split_options
from ganvas.training.start import start_run
from ganvas.utils.parsing import parse_index, parse_numbers
from ganvas.utils.whole_numbers import LARGEST, parse_whole

ODD = ("²", "٣", "9" * 5_000, "-1", "1.5", "", "one", "1e3", "0x10", "+1", " 1")


@pytest.mark.parametrize(("text", "number"), [("960", 960), ("1e6", 10**6), ("100_000", 10**5), ("-3", -3), ("5.0", 5)])
def test_numbers(text: str, number: int) -> None:
    assert parse_whole("--images", text) == number


@pytest.mark.parametrize(
    "text", ["²", "٣", "\uff11", "9" * 5_000, "1e30", "1e400", "inf", "nan", "1.5", "", "one", str(LARGEST + 1)]
)
def test_what_is_no_whole_number(text: str) -> None:
    with pytest.raises(UsageError, match=r"^--images: expected a whole number") as refusal:
        parse_whole("--images", text)
    assert len(str(refusal.value)) < 200


@pytest.mark.parametrize("text", ODD)
def test_an_index_has_the_digits_0_to_9(text: str) -> None:
    assert parse_index(text) is None
    for refused in (
        lambda: _parse_ranks(find_recipe("gan-ring"), text),
        lambda: split_options({"ranks": text}),
        lambda: parse_numbers(text),
        lambda: _parse_range("sefa", text),
        lambda: _parse_classes(f"{text}-1", ("a", "b")),
        lambda: miniature_model("cgan-mnist").class_index(f"#{text}"),
    ):
        with pytest.raises(UsageError):
            refused()


def test_odd_numbers_of_threads_in_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    for text in ODD:
        monkeypatch.setenv("OMP_NUM_THREADS", text)
        assert max_threads() >= 1


@pytest.mark.parametrize("port", [-1, 65_536, 99_999])
def test_no_such_port(port: int) -> None:
    with pytest.raises(UsageError, match=f"--port: expected a number from 0 to 65,535, got {port:,}"):
        studio(port=port, browser=False)


@pytest.mark.parametrize("name", ["s.png", "s.npz"])
def test_too_many_samples_are_refused_before_anything_is_written(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the number of samples: expected a number from 1 to"):
        miniature_model("cgan-mnist").save(tmp_path / name, 10**18)
    assert list(tmp_path.iterdir()) == []


def test_other_bounds(tmp_path: Path) -> None:
    model = miniature_model("cgan-mnist")
    with pytest.raises(UsageError, match="frames: expected a number from 2 to 10,000"):
        model.interpolate(tmp_path / "w.gif", [1, 2], 10**18)
    with pytest.raises(UsageError, match="the number of samples: expected"):
        neighbours(model, tmp_path / "n.png", 10**18)
    with pytest.raises(UsageError, match=r"train\.batch: expected"):
        TrainConfig(batch=10**18)
    with pytest.raises(UsageError, match=r"train\.images: expected"):
        TrainConfig(images=10**18)
    with pytest.raises(UsageError, match=r"minutes: expected a number from 0\.01 to 5,256,000"):
        start_run(find_recipe("gan-ring"), out=tmp_path / "run", minutes=1e300)


def test_a_path_of_two_thousand_folders_is_made_or_refused_in_one_line(tmp_path: Path) -> None:
    deep = Path(*["a"] * 2_000)
    done = ganvas("train", "gan-ring", "--images", 64, "--data", "nowhere", "--out", deep, cwd=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (3, 1), done.stderr
    assert not (tmp_path / "a").exists()
    done = ganvas("train", "gan-ring", "--images", 64, "--out", "a" * 300, cwd=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (5, 1), done.stderr
    assert "File name too long; choose a shorter path" in done.stderr
