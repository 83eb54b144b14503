"""Names of directions: kept beside the model, known from then on, refused for another state of it."""

from __future__ import annotations

import json
from pathlib import Path

import PIL.Image
import pytest
from support import miniature_model as model

from ganvas.cli.app import app
from ganvas.editing.direction_names import FILE, find_named, keep_name
from ganvas.errors import DataError, UsageError
from ganvas.inference import model_file


def read(folder: Path) -> list[dict[str, str]]:
    return list(json.loads((folder / FILE).read_text())["models"].values())


def test_a_name_stands_for_its_direction(tmp_path: Path) -> None:
    keep_name(tmp_path, "one", "slant", "sefa:3")
    keep_name(tmp_path / "model.safetensors", "one", "wide", "class:7-1")
    assert find_named(tmp_path, "one", ["wide", "pca:0", "slant"]) == ["class:7-1", "pca:0", "sefa:3"]
    with pytest.raises(UsageError, match="did you mean 'slant'"):
        find_named(tmp_path, "one", ["slent"])
    with pytest.raises(UsageError, match="further training; name it again"):
        find_named(tmp_path, "two", ["slant"])
    keep_name(tmp_path, "two", "slant", "sefa:0")
    assert find_named(tmp_path, "two", ["slant"]) == ["sefa:0"]
    assert find_named(tmp_path, "one", ["slant"]) == ["sefa:3"], "names of another model in this folder stay"
    assert find_named(tmp_path / "nowhere", "one", ["sefa:0-3"]) == ["sefa:0-3"]


@pytest.mark.parametrize("name", ["", "sefa:0", "a,b", "7", "x" * 51, "a\nb"])
def test_what_is_no_name(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="expected a letter"):
        keep_name(tmp_path, "one", name, "sefa:3")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("text", ["[]", "{", "{}", '{"models": {"one": {"a": 3}}}'])
def test_a_damaged_file_is_told(text: str, tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(DataError, match=FILE):
        find_named(tmp_path, "one", ["slant"])
    assert find_named(tmp_path, "one", ["sefa:1"]) == ["sefa:1"]


def test_as_it_is_typed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = model("stylegan2-fashion")
    model_file.save(tmp_path / "model.safetensors", one.game, one.card)

    def typed(*words: object) -> None:
        app([str(word) for word in words], exit_on_error=False, print_error=False, result_action="return_value")

    run = tmp_path / "model.safetensors"
    typed("traverse", run, "--direction", "pca:1", "--name", "slant", "--steps", 2, "--out", tmp_path / "a.png")
    assert read(tmp_path) == [{"slant": "pca:1"}]
    typed("traverse", run, "--direction", "slant", "--steps", 2, "--out", tmp_path / "b.png")
    typed("plane", run, "--direction", "slant,sefa:0", "-n", 2, "--out", tmp_path / "c.png")
    assert capsys.readouterr().out.count("\npca:1 (") == 3
    with PIL.Image.open(tmp_path / "a.png") as first, PIL.Image.open(tmp_path / "b.png") as second:
        assert first.tobytes() == second.tobytes()
    for wrong in (("sefa:0-1",), ("sefa:0,pca:0",)):
        with pytest.raises(UsageError, match="name: expected one direction"):
            typed("traverse", run, "--direction", *wrong, "--name", "other", "--out", tmp_path / "d.png")
    assert read(tmp_path) == [{"slant": "pca:1"}]
    assert not (tmp_path / "d.png").exists()
