"""A foreign zip of clips comes out as a fresh one: folders of frames, and nothing else."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from zips import packed

from ganvas.data import sanitize_clips
from ganvas.data.sanitize_clips import repack_clips
from ganvas.errors import DataError

HOSTILE = '<img src=x onerror="alert(1)">.gif'


def gif(count: int = 3, width: int = 12, height: int = 8) -> bytes:
    """A dark bar that moves over white, with a comment."""
    frames = [Image.new("L", (width, height), 255) for _ in range(count)]
    for k, frame in enumerate(frames):
        frame.paste(0, (k, 0, k + 2, height))
    file = io.BytesIO()
    options = {"save_all": True, "append_images": frames[1:]} if count > 1 else {}
    frames[0].save(file, "GIF", comment=b"where I live", **options)
    return file.getvalue()


def test_frames_stay_and_everything_else_goes(tmp_path: Path) -> None:
    members = {"a.gif": gif(), "b/c.gif": gif(4), HOSTILE: gif(2)}
    others = {"still.gif": gif(1), "bad.gif": b"hello", "notes.txt": b"hello"}
    found = repack_clips(packed(tmp_path / "in.zip", members | others), tmp_path / "out.zip")
    assert found is not None
    assert {name: reason.split(" (")[0] for name, reason in found[0]} == {
        "bad.gif": "not an image",
        "notes.txt": "not a picture or a film, by its ending",
        "still.gif": "one picture, and most files here are clips",
    }
    assert found[1] == ()
    with zipfile.ZipFile(tmp_path / "out.zip") as made:
        names = made.namelist()
        assert {name.rpartition("/")[0] for name in names} == {"a.gif", "b_c.gif", HOSTILE}
        assert [name for name in names if "b_c" in name] == [f"b_c.gif/{k:04d}.png" for k in range(4)]
        assert not any(b"where I live" in made.read(name) for name in names)
        last = np.asarray(Image.open(io.BytesIO(made.read("b_c.gif/0003.png"))))
        assert [last[4, x, 0] for x in (2, 3, 4, 5)] == [255, 0, 0, 255]


def test_single_pictures_are_left_to_others(tmp_path: Path) -> None:
    members = {"a.gif": gif(), **{f"{k}.gif": gif(1) for k in range(2)}}
    assert repack_clips(packed(tmp_path / "in.zip", members), tmp_path / "out.zip") is None
    assert not (tmp_path / "out.zip").exists()


def test_clips_beyond_the_limit_are_skipped_and_large_frames_become_smaller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sanitize_clips, "SIDE", 4)
    monkeypatch.setattr(sanitize_clips, "MOST_FRAMES", 6)
    path = packed(tmp_path / "in.zip", {f"{name}.gif": gif() for name in "abc"})
    found = repack_clips(path, tmp_path / "out.zip")
    assert found is not None
    assert [(name, reason.startswith("more than 6 frames")) for name, reason in found[0]] == [("c.gif", True)]
    with zipfile.ZipFile(tmp_path / "out.zip") as made:
        assert Image.open(io.BytesIO(made.read("a.gif/0000.png"))).size == (6, 4)
    monkeypatch.setattr(sanitize_clips, "MOST_BYTES", 100)
    with pytest.raises(DataError, match=r"in\.zip: no clip can be read \(a\.gif: more than 100 bytes"):
        repack_clips(path, tmp_path / "none.zip")


def test_a_small_object_in_a_large_frame_keeps_its_pixels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sanitize_clips, "SIDE", 10)
    frames = [Image.new("L", (80, 60), 255) for _ in range(2)]
    for k, frame in enumerate(frames):
        frame.paste(0, (30 + k, 30, 48 + k, 40))  # 19 pixels in all: the square has 21
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    repack_clips(packed(tmp_path / "in.zip", {"a.gif": file.getvalue()}), tmp_path / "out.zip")
    with zipfile.ZipFile(tmp_path / "out.zip") as made:
        assert Image.open(io.BytesIO(made.read("a.gif/0000.png"))).size == (39, 29)


def test_films_without_a_picture_are_tried(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no clip can be read \(x\.mp4: "):
        repack_clips(packed(tmp_path / "in.zip", {"x.mp4": b"hello"}), tmp_path / "out.zip")


def test_a_name_that_leads_out_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="leads out of the archive"):
        repack_clips(packed(tmp_path / "in.zip", {"../a.gif": gif()}), tmp_path / "out.zip")
