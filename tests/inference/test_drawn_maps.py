"""Drawn label maps: by color, by palette, by number; smooth edges; pictures that are no maps; what is painted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from translators import LEGEND, make_translator

from ganvas.data.legend import Legend
from ganvas.errors import DataError, ResourceError, UsageError
from ganvas.inference import drawn_maps
from ganvas.inference.drawn_maps import find_legend, read_map_for
from ganvas.inference.paint_files import paint_file

COLORS = np.array(LEGEND["colors"], np.uint8)
IDS = np.repeat(np.repeat(np.array([[0, 1], [2, 1]], np.uint8), 8, 0), 8, 1)


def save(path: Path, pixels: np.ndarray[Any, Any], palette: Any = None) -> Path:
    """A map as a file."""
    image = Image.fromarray(pixels)
    if palette is not None:
        image.putpalette(np.asarray(palette, np.uint8).tobytes())
    image.save(path)
    return path


@pytest.fixture
def drawn(tmp_path: Path) -> dict[str, Path]:
    """One map in every spelling."""
    shuffled = np.array([2, 0, 1], np.uint8)
    alpha = np.full((*IDS.shape, 1), 255, np.uint8)
    return {
        "colors": save(tmp_path / "c.png", COLORS[IDS]),
        "nearly": save(tmp_path / "n.png", np.clip(COLORS[IDS].astype(int) + 20, 0, 255).astype(np.uint8)),
        "alpha": save(tmp_path / "a.png", np.concatenate([COLORS[IDS], alpha], 2)),
        "jpeg": save(tmp_path / "j.jpg", COLORS[IDS]),
        "numbers": save(tmp_path / "i.png", IDS),
        "palette": save(tmp_path / "p.png", IDS, COLORS),
        "other order": save(tmp_path / "o.png", shuffled[IDS], COLORS[[1, 2, 0]]),
        "any palette": save(tmp_path / "q.png", IDS, [[9, 9, 9], [80, 80, 80], [200, 90, 10]]),
    }


@pytest.mark.parametrize("kind", ["colors", "nearly", "alpha", "jpeg", "numbers", "palette", "other order", "any palette"])
def test_one_map_in_every_spelling(kind: str, drawn: dict[str, Path]) -> None:
    found = read_map_for(make_translator("spade"), drawn[kind])
    assert (found == IDS).mean() > (0.9 if kind == "jpeg" else 0.999)


def test_a_picture_in_hand(drawn: dict[str, Path]) -> None:
    with Image.open(drawn["colors"]) as image:
        assert np.array_equal(read_map_for(make_translator("spade"), image), IDS)


def test_smooth_edges_make_no_classes() -> None:
    large = Image.fromarray(COLORS[IDS]).resize((100, 100), Image.Resampling.BICUBIC)
    found = read_map_for(make_translator("spade"), large)
    assert set(np.unique(found)) <= {0, 1, 2}
    assert (found == np.asarray(Image.fromarray(IDS).resize((100, 100), Image.Resampling.NEAREST))).mean() > 0.95


def test_unknown_and_transparent_pixels(tmp_path: Path) -> None:
    numbers = IDS.copy()
    numbers[0, 0] = 255
    assert read_map_for(make_translator("spade"), save(tmp_path / "x.png", numbers))[0, 0] == 255
    pixels = np.concatenate([COLORS[IDS], np.full((*IDS.shape, 1), 255, np.uint8)], 2)
    pixels[:10, :, 3] = 0
    assert (read_map_for(make_translator("spade"), save(tmp_path / "y.png", pixels))[:10] == 255).all()


def test_what_is_no_map_is_one_line_with_the_classes(tmp_path: Path) -> None:
    photo = np.full((20, 20, 3), (200, 90, 10), np.uint8)
    words = r"100% of the pixels have no color of a class; expected sea #0000ff, land #00a000, ice #ffffff"
    with pytest.raises(DataError, match=words):
        read_map_for(make_translator("spade"), save(tmp_path / "x.png", photo))
    with pytest.raises(DataError, match="no color of a class"):
        read_map_for(make_translator("spade"), save(tmp_path / "g.png", np.full((9, 9), 7, np.uint8)))
    strange = np.where(np.arange(16) > 12, 77, IDS).astype(np.uint8)
    words = r"n.png: class 77 in 48 pixels is not among the 3 classes; expected 0 to 2, or 255 for not known, or the colors sea"
    with pytest.raises(DataError, match=words):
        read_map_for(make_translator("spade"), save(tmp_path / "n.png", strange))
    (tmp_path / "t.png").write_bytes(b"hello")
    with pytest.raises(DataError, match=r"t.png: not an image"):
        read_map_for(make_translator("spade"), tmp_path / "t.png")
    with pytest.raises(DataError, match=r"maps/gone.png: no such file; check the path"):
        read_map_for(make_translator("spade"), tmp_path / "maps/gone.png")
    with pytest.raises(DataError, match=r"is a folder; name one file"):
        read_map_for(make_translator("spade"), tmp_path)


def test_a_map_without_a_class_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, legend = make_translator("spade"), Legend(("sea", "land"), ((0, 0, 255), (0, 160, 0)), colored=True)
    monkeypatch.setattr(drawn_maps, "find_legend", lambda _: legend)
    unknown = np.full((9, 9), 255, np.uint8)
    Image.fromarray(np.arange(81).reshape(9, 9) % 3 > 0).convert("1").save(tmp_path / "1.png")
    clear = np.zeros((9, 9, 4), np.uint8)
    for path, found in (
        (save(tmp_path / "g.png", unknown), "100% of the pixels have no color of a class"),
        (tmp_path / "1.png", "100% of the pixels have no color of a class"),
        (save(tmp_path / "c.png", clear), "no pixel has a class: all are transparent, or 255"),
    ):
        with pytest.raises(DataError, match=found) as caught:
            read_map_for(model, path)
        assert "sea #0000ff" in str(caught.value)
        assert "legend.csv" not in str(caught.value)


def test_the_legend_is_that_of_the_model() -> None:
    assert find_legend(make_translator("spade")).names == ("sea", "land", "ice")
    with pytest.raises(UsageError, match="does not paint label maps"):
        find_legend(make_translator("pix2pix"))


def test_a_map_is_painted_into_a_file(drawn: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    model = make_translator("spade")
    (path,) = paint_file(model, drawn["colors"], seed=3)
    assert path == Path("c-painted.png")
    with Image.open(path) as image:
        assert image.size == (128, 128)
        assert (image.info["seeds"], image.info["synthetic"]) == ("3", "true")
    (small,) = paint_file(model, drawn["colors"], "y.jpg", side=40)
    with Image.open(small) as image:
        assert image.size == (40, 40)
    several = paint_file(model, drawn["colors"], count=3, seed=5, side=16)
    assert [str(path) for path in several] == [f"c-painted/c-seed{seed}.png" for seed in (5, 6, 7)]
    assert len({path.read_bytes() for path in several}) == 3
    several = paint_file(model, drawn["colors"], "padded", count=2, seed=9, side=16)
    assert [path.name for path in several] == ["c-seed09.png", "c-seed10.png"]
    assert paint_file(model, drawn["colors"], "new/", side=16) == (Path("new/c-painted.png"),)


def test_wrong_requests_get_one_line(drawn: dict[str, Path], tmp_path: Path) -> None:
    model, path = make_translator("spade"), drawn["colors"]
    before = path.read_bytes()
    for options, words in (
        ({"out": path}, "is the map itself"),
        ({"out": tmp_path / "y.tif"}, "expected a name ending in"),
        ({"out": tmp_path, "count": 2}, "expected a new or an empty folder"),
        ({"out": path, "count": 2}, "found a file"),
        ({"out": tmp_path / "y.png", "count": 2}, "expected a folder for several files"),
        ({"count": 0}, "count: expected a number from 1"),
        ({"seed": -1}, "seed"),
        ({"side": 2_000}, "side: expected 1 to 1024"),
    ):
        with pytest.raises(UsageError, match=words):
            paint_file(model, path, **options)  # type: ignore[arg-type]
    with pytest.raises(ResourceError, match=r"no folder .*create it"):
        paint_file(model, path, tmp_path / "gone/y.png")
    assert path.read_bytes() == before
