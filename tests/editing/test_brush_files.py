"""The brush on files: what is written, that the paint is met, and which strokes are refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from support import miniature_model as model

from ganvas.cli.app import app
from ganvas.editing.brush_files import brush_file, read_strokes
from ganvas.editing.code_search import Search
from ganvas.errors import DataError, ResourceError, UsageError
from ganvas.inference import model_file
from ganvas.inference.codes import load_codes


def paint(path: Path, like: np.ndarray[Any, Any], rows: int = 10) -> Path:
    """Strokes: the upper rows of a picture [H, W, C], enlarged three times; the rest is transparent black."""
    shown = np.broadcast_to(like, (*like.shape[:2], 3)).repeat(3, 0).repeat(3, 1)
    alpha = np.zeros(shown.shape[:2], np.uint8)
    alpha[: 3 * rows] = 255
    Image.fromarray(np.dstack([np.where(alpha[..., None] > 0, shown, 0), alpha])).save(path)
    return path


@pytest.mark.parametrize("name", ["cgan-mnist", "stylegan2-fashion", "stylegan2-fashion-conditional"])
def test_a_folder_has_the_picture_and_its_code(name: str, tmp_path: Path) -> None:
    one = model(name)
    label = {"label": 3} if one.classes else {}
    strokes = paint(tmp_path / "s.png", one.sample(1, seed=9, **label)[0])
    found = brush_file(one, 0, strokes, tmp_path / "out", **label)  # type: ignore[arg-type]
    assert found.after < found.before
    assert found.painted == 10 * one.shape[-1]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["codes.npz", "picture.png", "sheet.png"]
    codes = one.load_codes(tmp_path / "out" / "codes.npz")
    assert codes.classes is None or codes.classes.tolist() == [3]
    with Image.open(tmp_path / "out" / "picture.png") as picture:
        assert np.array_equal(np.asarray(picture), one.draw(codes)[0].squeeze())
        assert (picture.info["edited"], picture.info["seeds"]) == ("brush", "0")
    again = brush_file(one, codes, strokes, tmp_path / "again.png")
    assert again.before == pytest.approx(found.after, abs=0.01)


def test_colors_of_transparent_pixels_do_not_count(tmp_path: Path) -> None:
    one = model("stylegan2-fashion")
    values = np.zeros((64, 64, 4), np.uint8)
    values[:20] = (255, 255, 255, 255)
    values[20:] = (0, 0, 0, 0)
    values[20:, :, 0] = 77
    Image.fromarray(values).save(tmp_path / "s.png")
    color, covered = read_strokes(tmp_path / "s.png", one)
    assert covered[:10].eq(1).all()
    assert covered[10:].eq(0).all()
    assert color[:, :10].eq(1).all()


def test_strokes_that_are_refused(tmp_path: Path) -> None:
    one = model("cgan-mnist")

    def refuse(values: np.ndarray[Any, Any], says: str) -> None:
        Image.fromarray(values).save(tmp_path / "s.png")
        with pytest.raises(DataError, match=says):
            brush_file(one, 0, tmp_path / "s.png", tmp_path / "out.png")
        assert not (tmp_path / "out.png").exists()

    refuse(np.zeros((28, 28, 3), np.uint8), "transparent where nothing is painted")
    refuse(np.zeros((28, 28, 4), np.uint8), "found nothing painted")
    refuse(np.full((28, 28, 4), 255, np.uint8), "found everything painted")
    refuse(np.zeros((28, 20, 4), np.uint8), "expected a square picture, as those of the model are, got 20 x 28")
    with pytest.raises(UsageError, match="ending in"):
        brush_file(one, 0, tmp_path / "s.png", tmp_path / "out.gif")
    with pytest.raises(ResourceError, match="no folder"):
        brush_file(one, 0, tmp_path / "s.png", tmp_path / "missing" / "out.png")


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = model("stylegan2-fashion")
    model_file.save(tmp_path / "model.safetensors", one.game, one.card)
    strokes = paint(tmp_path / "s.png", one.sample(1, seed=9)[0])

    def typed(*words: object) -> None:
        app([str(word) for word in words], exit_on_error=False, print_error=False, result_action="return_value")

    typed("brush", tmp_path / "model.safetensors", "--strokes", strokes, "--seed", 4, "--json", "--out", tmp_path / "x")
    told = json.loads(capsys.readouterr().out)
    assert told["after"] < told["before"]
    assert not told["stopped"]
    codes = tmp_path / "x" / "codes.npz"
    assert len(load_codes(codes, one.drawer.latent_dim, 0, one.game.styles)) == 1  # type: ignore[arg-type]
    typed("brush", tmp_path / "model.safetensors", "--strokes", strokes, "--latents", codes, "--out", tmp_path / "y.png")
    assert "painted pixels: off by" in capsys.readouterr().out
    with pytest.raises(UsageError, match="leave one out"):
        typed("brush", tmp_path / "model.safetensors", "--strokes", strokes, "--latents", codes, "--seed", 1)


def test_a_stop_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    one = model("gan-mnist")
    model_file.save(tmp_path / "model.safetensors", one.game, one.card)
    strokes = paint(tmp_path / "s.png", one.sample(1, seed=9)[0])

    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Search, "_step", interrupted)
    words = ["brush", str(tmp_path / "model.safetensors"), "--strokes", str(strokes), "--out"]
    app([*words, str(tmp_path / "x.png")], exit_on_error=False, print_error=False, result_action="return_value")
    line = capsys.readouterr().out.splitlines()[0]
    assert line.endswith("; stopped before its end: the best so far")
    assert "knows no such picture" not in line
    app([*words, str(tmp_path / "y.png"), "--json"], exit_on_error=False, print_error=False, result_action="return_value")
    assert json.loads(capsys.readouterr().out)["stopped"] is True


def test_the_strokes_are_not_replaced(tmp_path: Path) -> None:
    strokes = paint(tmp_path / "s.png", np.zeros((28, 28, 1), np.uint8))
    before = strokes.read_bytes()
    with pytest.raises(UsageError, match=r"s\.png is the picture of the strokes itself; choose another --out"):
        brush_file(model("cgan-mnist"), 0, strokes, tmp_path / "s.png")
    assert strokes.read_bytes() == before
