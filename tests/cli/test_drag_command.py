"""The command `drag` as it is typed, on a miniature bundle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import PIL.Image
import pytest
from support import miniature_model

from ganvas.cli.app import app
from ganvas.errors import DataError, UsageError
from ganvas.inference import model_file
from ganvas.inference.codes import Codes
from ganvas.latents.seed_latents import latents


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    one = miniature_model("stylegan2-fashion")
    path = tmp_path_factory.mktemp("bundle") / "model.safetensors"
    model_file.save(path, one.game, one.card)
    return path


def typed(*words: object) -> Any:
    return app([str(word) for word in words], exit_on_error=False, print_error=False, result_action="return_value")


def test_a_drag_is_written_and_told(bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "x.png"
    typed("drag", bundle, "--seed", 5, "--from", "10,12", "--to", "16,12", "--steps", 3, "--out", out)
    with PIL.Image.open(out) as picture:
        assert picture.size == (32, 32)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("10,12 to 16,12: ended ")
    assert lines[1].startswith("limit, after 3 steps: ")
    assert lines[2] == str(out)


def test_several_handles_in_their_order(bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--from", "10,12", "--to", "16,12", "--from", "20,20", "--to", "20,25.5")
    typed("drag", bundle, *words, "--steps", 1, "--json", "--out", tmp_path / "x.png")
    told = json.loads(capsys.readouterr().out)
    assert [(each["from"], each["to"]) for each in told["handles"]] == [([10, 12], [16, 12]), ([20, 20], [20, 25.5])]


def test_codes_in_place_of_a_seed(bundle: Path, tmp_path: Path) -> None:
    one = miniature_model("stylegan2-fashion")
    Codes("z", latents([5], one.drawer.latent_dim), None, ("five",)).save(tmp_path / "codes.npz")
    words = ("--from", "10,12", "--to", "16,12", "--steps", 2, "--out")
    typed("drag", bundle, "--latents", tmp_path / "codes.npz", *words, tmp_path / "code.png")
    typed("drag", bundle, "--seed", 5, *words, tmp_path / "seed.png")
    with PIL.Image.open(tmp_path / "code.png") as code, PIL.Image.open(tmp_path / "seed.png") as seed:
        assert code.tobytes() == seed.tobytes()
        assert code.info["seeds"] == "five"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--from", "10", "--to", "3,4"), "expected a point X,Y in pixels such as 20,31, got '10'"),
        (("--from", "10,a", "--to", "3,4"), "got '10,a'"),
        (("--from", "1,2,3", "--to", "3,4"), "got '1,2,3'"),
        (("--from", "-1,2", "--to", "3,4"), "handle -1,2: expected a pixel of the picture"),
        (("--from", "1,2", "--to", "3,40"), "target 3,40"),
        (("--from", "1,2", "--to", "3,4", "--to", "5,6"), "got 1 handle and 2 targets"),
        (("--from", "1,2", "--to", "3,4", "--seed", "1", "--latents", "x.npz"), "expected --seed or --latents, got both"),
    ],
)
def test_wrong_words(words: tuple[str, ...], says: str, bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=says):
        typed("drag", bundle, *words, "--out", tmp_path / "x.png")
    assert not list(tmp_path.iterdir())


def test_a_mask_of_another_size_is_told(bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--from", "10,12", "--to", "16,12", "--steps", 1, "--quiet", "--out", tmp_path / "x.png", "--mask")
    for side, says in ((32, ""), (28, "got a black border"), (40, "was resized")):
        PIL.Image.new("L", (side, side), 255).save(tmp_path / "mask.png")
        typed("drag", bundle, *words, tmp_path / "mask.png")
        told = capsys.readouterr().err
        expected = f"warning: {tmp_path}/mask.png: it {says} to have the 32 x 32 pixels of the model's pictures\n"
        assert told == (expected if says else "")


def test_codes_that_are_not_there(bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        typed("drag", bundle, "--latents", tmp_path / "x.npz", "--from", "1,2", "--to", "3,4", "--out", tmp_path / "x.png")
