"""Films: the kinds there are, and an MP4 that shows what was written."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganvas.errors import DataError, UsageError
from ganvas.media.video import film_name, save_film

FRAMES = [Image.new("L", (33, 22), 12 * level) for level in range(20)]


def test_an_mp4_shows_what_was_written(tmp_path: Path) -> None:
    """Twenty even greys, 50 ms each: within two levels after compression; an odd side loses a column."""
    av = pytest.importorskip("av")
    save_film(tmp_path / "film.mp4", FRAMES, 50, {"seeds": "1,2"})
    with av.open(str(tmp_path / "film.mp4")) as film:
        assert json.loads(film.metadata["comment"]) == {"seeds": "1,2"}
        assert film.streams.video[0].average_rate == 20
        shown = [frame.to_ndarray(format="gray") for frame in film.decode(video=0)]
    assert (len(shown), shown[0].shape) == (20, (22, 32))
    for level, frame in enumerate(shown):
        assert np.abs(frame.astype(int) - 12 * level).max() <= 2


def test_colours_survive(tmp_path: Path) -> None:
    av = pytest.importorskip("av")
    save_film(tmp_path / "film.mp4", [Image.new("RGB", (32, 32), (200, 80, 40))] * 3, 40)
    with av.open(str(tmp_path / "film.mp4")) as film:
        frame = next(film.decode(video=0)).to_ndarray(format="rgb24")
    assert np.abs(frame.astype(int) - (200, 80, 40)).max() <= 6


def test_without_the_extra_one_line_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(UsageError, match=r"pip install 'ganvas\[video\]'"):
        save_film(tmp_path / "film.mp4", FRAMES, 50)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["film.gif", "film.apng", "film.png"])
def test_other_films_repeat_exactly(name: str, tmp_path: Path) -> None:
    save_film(tmp_path / name, FRAMES, 50)
    with Image.open(tmp_path / name) as film:
        assert film.n_frames == 20  # type: ignore[attr-defined]
        film.seek(7)
        assert np.asarray(film.convert("L")).max() == 84


def test_wrong_films(tmp_path: Path) -> None:
    assert film_name("a.MP4") == Path("a.MP4")
    with pytest.raises(UsageError, match=r"cannot write a film to 'a\.avi'"):
        film_name("x/a.avi")
    pytest.importorskip("av")
    with pytest.raises(DataError, match="frames of one size"):
        save_film(tmp_path / "film.mp4", [*FRAMES, Image.new("L", (8, 8))], 50)
    with pytest.raises(UsageError, match="more than 0"):
        save_film(tmp_path / "film.mp4", FRAMES, 0)
