"""`ganvas translate` and `ganvas paint`, as they are typed; and the same from Python."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from support import miniature_model
from translators import make_translator

from ganvas.cli.app import app
from ganvas.errors import UsageError
from ganvas.inference import model_file
from ganvas.inference.model import load


def typed(*words: object) -> Any:
    return app([str(word) for word in words], exit_on_error=False, print_error=False, result_action="return_value")


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Models of both kinds, with random weights."""
    folder, found = tmp_path_factory.mktemp("bundles"), {}
    for name in ("cyclegan-emoji", "spade-earth", "inpaint-photos"):
        found[name] = folder / f"{name}.safetensors"
        one = miniature_model(name)
        model_file.save(found[name], one.game, one.card)
    return found


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)).save("x.png")
    Image.fromarray(np.zeros((8, 8), np.uint8)).save("map.png")


def test_translate(bundles: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    typed("translate", bundles["cyclegan-emoji"], "x.png", "--to", "b", "--back")
    printed = capsys.readouterr()
    assert [line.partition(" (")[0] for line in printed.out.splitlines()] == [f"x-{word}.png" for word in ("b", "b-back")]
    assert printed.out.strip().endswith("(the way back)")
    assert "was trained on 32 x 32" in printed.err
    assert len(list(Path().glob("x-*.png"))) == 2
    typed("translate", bundles["cyclegan-emoji"], "x.png", "--to", "b", "--quiet", "--out", "quiet.png")
    assert capsys.readouterr() == ("", "")
    Path("in").mkdir()
    Path("x.png").rename("in/x.png")
    Path("in/bad.png").write_bytes(b"hello")
    typed("translate", bundles["cyclegan-emoji"], "in", "--to", "b>a", "--out", "out", "--strength", "0.5", "--json")
    printed = capsys.readouterr()
    facts = json.loads(printed.out)
    assert facts["written"] == ["out/x.png"]
    assert facts["skipped"][0]["file"] == "bad.png"
    assert "skipped bad.png: not an image" in printed.err


def test_paint(bundles: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    typed("paint", bundles["spade-earth"], "map.png", "--seed", 3)
    assert capsys.readouterr().out == "map-painted.png\n"
    with Image.open("map-painted.png") as image:
        assert image.size == (64, 64)
    typed("paint", bundles["spade-earth"], "map.png", "-n", 2, "--side", 16, "--out", "several", "--quiet")
    assert {path.name for path in Path("several").iterdir()} == {"map-seed0.png", "map-seed1.png"}


def test_inpaint(bundles: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    mask = np.zeros((20, 30), np.uint8)
    mask[5:10, 5:10] = 255
    Image.fromarray(mask).save("mask.png")
    typed("inpaint", bundles["inpaint-photos"], "x.png", "--mask", "mask.png", "--preview", "hole.png")
    assert capsys.readouterr().out == "x-inpainted.png (25 of 30 x 20 pixels are filled (4.2%))\n"
    typed("inpaint", bundles["inpaint-photos"], "x.png", "--mask", "mask.png", "--out", "y.jpg", "--json")
    printed = capsys.readouterr()
    assert json.loads(printed.out)["out"] == "y.jpg"
    assert "changes all pixels a little" in printed.err
    with Image.open("x.png") as before, Image.open("x-inpainted.png") as after, Image.open("hole.png") as hole:
        outside = mask == 0
        assert np.array_equal(np.asarray(before)[outside], np.asarray(after)[outside])
        assert np.array_equal(np.asarray(before)[outside], np.asarray(hole)[outside])
    with pytest.raises(UsageError, match="fills no holes"):
        typed("inpaint", bundles["cyclegan-emoji"], "x.png", "--mask", "mask.png")
    filler = load(bundles["inpaint-photos"])
    assert np.array_equal(np.asarray(filler.inpaint("x.png", "mask.png")), np.asarray(Image.open("x-inpainted.png")))


def test_wrong_words(bundles: dict[str, Path]) -> None:
    with pytest.raises(UsageError, match="translate: expected a picture, a folder or a zip after the run"):
        typed("translate", bundles["cyclegan-emoji"])
    with pytest.raises(UsageError, match="several directions: choose one with --to"):
        typed("translate", bundles["cyclegan-emoji"], "x.png")
    for word, value in (("--strength", 2), ("--seed", -1)):
        with pytest.raises(UsageError, match=f"^{word}: expected"):
            typed("translate", bundles["cyclegan-emoji"], "x.png", "--to", "b", word, value)
    for word, value in (("--side", 2_000), ("-n", 0)):
        with pytest.raises(UsageError, match=f"^{word}: expected"):
            typed("paint", bundles["spade-earth"], "map.png", word, value)
    with pytest.raises(UsageError, match="unknown output 'nois'"):
        typed("translate", bundles["cyclegan-emoji"], "x.png", "--to", "nois")
    with pytest.raises(UsageError, match="use ganvas paint"):
        typed("translate", bundles["spade-earth"], "x.png")
    with pytest.raises(UsageError, match="does not paint label maps"):
        typed("paint", bundles["cyclegan-emoji"], "map.png")


def test_the_same_from_python() -> None:
    cycle, larger, spade = make_translator("cyclegan"), make_translator("srgan"), make_translator("spade")
    with Image.open("x.png") as image:
        array, picture = np.asarray(image), image.copy()
    from_path = np.asarray(cycle.translate("x.png", to="shaded"))
    assert np.array_equal(from_path, np.asarray(cycle.translate(picture, "a>b")))
    assert np.abs(from_path.astype(int) - cycle.translate(array[None], "a>b")[0]).max() <= 1
    assert np.array_equal(cycle.translate(array[None], to="shaded"), cycle.translate({"a": array[None]}, "a>b"))
    assert cycle.translate(array[None, ..., :1], to="flat").shape == (1, 20, 30, 3)
    assert larger.upscale("x.png", strength=0.5).size == (60, 40)
    assert larger.upscale(array[None]).shape == (1, 40, 60, 3)
    assert np.asarray(larger.translate("x.png")).shape == (40, 60, 3)
    assert np.array_equal(np.asarray(spade.paint("map.png", seed=2)), spade.paint(np.zeros((8, 8), np.uint8), seed=2))
    with pytest.raises(UsageError, match=r"use Model.upscale"):
        larger.translate(array[None])
    with pytest.raises(UsageError, match="direction and to"):
        cycle.translate("x.png", "a>b", to="flat")
