"""`inpaint_file`: the files that it reads and writes, and what it refuses before it writes any."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from support import miniature_model

from ganvas.cli.app import app
from ganvas.editing.code_search import Search
from ganvas.editing.inpaint_files import inpaint_file
from ganvas.errors import DataError, ResourceError, UsageError
from ganvas.inference import model_file
from ganvas.inference.model import Model


@pytest.fixture(scope="module")
def model() -> Model:
    return miniature_model("inpaint-photos")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    save("x.png", np.random.default_rng(0).integers(0, 256, (33, 47, 3)).astype(np.uint8))
    mask = np.zeros((33, 47), np.uint8)
    mask[10:20, 12:30] = 128  # just above the middle
    mask[25:30, 12:30] = 127  # just below
    save("m.png", mask)


def save(name: str, values: np.ndarray) -> None:
    Image.fromarray(values).save(name)


def load(name: str | Path) -> np.ndarray:
    with Image.open(name) as image:
        return np.asarray(image)


def test_only_the_hole_changes_and_a_preview_shows_it(model: Model) -> None:
    found = inpaint_file(model, "x.png", "m.png", preview="p.png")
    assert found.out == Path("x-inpainted.png")
    assert found.about == "180 of 33 x 47 pixels are filled (11.6%)".replace("33 x 47", "47 x 33")
    before, after, shown = load("x.png"), load(found.out), load("p.png")
    hole = np.zeros((33, 47), bool)
    hole[10:20, 12:30] = True
    assert np.array_equal(after[~hole], before[~hole])
    assert (after[hole] != before[hole]).any(1).mean() > 0.9
    assert np.array_equal(shown[~hole], before[~hole])
    assert not np.array_equal(shown[hole], before[hole])
    assert inpaint_file(model, "x.png", "m.png").out == Path("x-inpainted-2.png")
    with Image.open(found.out) as image:
        assert image.text["recipe"] == "inpaint-photos"  # type: ignore[attr-defined]


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "P", "1", "I;16"])
def test_pictures_of_every_mode_keep_their_bits(model: Model, mode: str) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (33, 47, 4)).astype(np.uint8)
    noise[..., 3] = 255
    image = Image.fromarray(noise)
    if mode == "I;16":
        image = Image.fromarray((noise[..., 0].astype(np.uint16) << 8) + noise[..., 1])
    elif mode == "P":
        image = image.convert("RGB").quantize(16)
    else:
        image = image.convert(mode)
    image.save("y.png")
    inpaint_file(model, "y.png", "m.png", "z.png")
    kind = {"1": "L", "P": "RGB"}.get(mode)
    before = np.asarray(image.convert(kind)) if kind else np.asarray(image)
    after, hole = load("z.png"), load("m.png") > 127
    assert (after.dtype, after.shape) == (before.dtype, before.shape)
    assert np.array_equal(after[~hole], before[~hole])
    assert not np.array_equal(after[hole], before[hole])


def test_a_model_that_samples_fills_by_inversion() -> None:
    found = inpaint_file(miniature_model("gan-mnist"), "x.png", "m.png", "z.png")
    assert found.error is not None
    assert found.notes == ("33 x 33 pixels were searched at 28 x 28",)
    hole = load("m.png") > 127
    assert np.array_equal(load("z.png")[~hole], load("x.png")[~hole])
    assert found.to_dict()["stopped"] is False


def test_a_stopped_search_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    one = miniature_model("gan-mnist")
    model_file.save(Path("model.safetensors"), one.game, one.card)
    monkeypatch.setattr(Search, "_step", interrupted)
    words = ["inpaint", "model.safetensors", "x.png", "--mask", "m.png", "--out", "z.png", "--json"]
    app(words, exit_on_error=False, print_error=False, result_action="return_value")
    said = capsys.readouterr()
    assert said.err.splitlines()[-1] == "warning: stopped before its end: the best so far"
    assert json.loads(said.out)["stopped"] is True


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"mask": "small.png"}, r"small\.png: expected 47 x 33 pixels, as x\.png has, found 8 x 8"),
        ({"mask": "black.png"}, r"black\.png: expected white where the picture is to be filled, found none"),
        ({"mask": "white.png"}, r"white\.png: expected black where the picture is kept, found none"),
        ({"out": "z.gif"}, r"cannot write a picture to 'z\.gif': expected a name ending in \.png"),
        ({"out": "x.png"}, r"x\.png is the picture itself; choose another --out"),
        ({"out": "m.png"}, r"m\.png is the mask itself"),
        ({"preview": "x.png"}, r"choose another --preview"),
        ({"preview": "z.png", "out": "z.png"}, r"z\.png is the output itself; choose another --preview"),
        ({"preview": "p.jpg"}, r"expected a name ending in \.png"),
        ({"label": "3"}, r"has no classes; leave --label out"),
        ({"seed": -1}, r"seed"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_written(model: Model, words: dict[str, object], says: str) -> None:
    save("small.png", np.full((8, 8), 255, np.uint8))
    save("black.png", np.full((33, 47), 127, np.uint8))
    save("white.png", np.full((33, 47), 128, np.uint8))
    before = {path.name: path.read_bytes() for path in Path().iterdir()}
    with pytest.raises(UsageError, match=says) as refused:
        inpaint_file(model, "x.png", **{"mask": "m.png", **words})  # type: ignore[arg-type]
    assert "\n" not in str(refused.value)
    assert {path.name: path.read_bytes() for path in Path().iterdir()} == before


def test_files_that_cannot_be_read_or_written(model: Model) -> None:
    Path("bad.png").write_bytes(b"hello")
    with pytest.raises(DataError, match=r"bad\.png: not an image"):
        inpaint_file(model, "bad.png", "m.png")
    with pytest.raises(DataError, match=r"none\.png: no such file"):
        inpaint_file(model, "x.png", "none.png")
    with pytest.raises(ResourceError, match="no folder none"):
        inpaint_file(model, "x.png", "m.png", "none/z.png")
    with pytest.raises(UsageError, match=r"fills no holes; choose a model of an inpaint-\.\.\. recipe"):
        inpaint_file(miniature_model("sr-photos"), "x.png", "m.png")


def test_colors_of_16_bits_are_refused(model: Model) -> None:
    # Pillow writes no such file: a PNG of 1 x 1 pixels of 16 bits a channel, by hand.
    import struct
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 2, 1, 16, 2, 0, 0, 0)
    rows = zlib.compress(b"\0" + bytes(range(12)))
    Path("deep.png").write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b""))
    save("one.png", np.array([[0, 255]], np.uint8))
    with pytest.raises(DataError, match=r"deep\.png: colors of 16 bits; expected 8"):
        inpaint_file(model, "deep.png", "one.png")


def test_lossy_files_are_told(model: Model) -> None:
    found = inpaint_file(model, "x.png", "m.png", "z.jpg")
    assert found.notes == (".jpg changes all pixels a little; a .png keeps those outside the hole",)
