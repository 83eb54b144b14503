"""Clips from files and folders, cut to the square with the object; jump cuts; own clips as a data set."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganvas.config import DataConfig
from ganvas.data import clip_files, own_clips
from ganvas.data.clip_crops import choose_crop, doubt_clip, find_jumps, misses_motion, spell_frames
from ganvas.data.clip_files import PACE, order_of_frame, read_clip
from ganvas.data.clips import ClipTable
from ganvas.data.own_clips import count_clips, open_own_clips
from ganvas.errors import DataError
from ganvas.media.video import save_film


def ball(x: int, y: int, width: int = 60, height: int = 40, radius: int = 6) -> np.ndarray:
    """A red ball on white, with its center at pixel (x, y)."""
    rows, columns = np.mgrid[:height, :width]
    frame = np.full((height, width, 3), 255, np.uint8)
    frame[(rows - y) ** 2 + (columns - x) ** 2 <= radius**2] = (200, 30, 30)
    return frame


def rolling(count: int = 6, **settings: int) -> list[np.ndarray]:
    return [ball(20 + 3 * k, 20, **settings) for k in range(count)]


def save(path: Path, frames: list[np.ndarray], duration: int = 50) -> None:
    first, *others = [Image.fromarray(frame) for frame in frames]
    first.save(
        path,
        save_all=True,
        append_images=others,
        duration=duration,
        loop=0,
        **({"lossless": True} if path.suffix == ".webp" else {}),
    )


@pytest.mark.parametrize("ending", [".gif", ".png", ".webp"])
def test_an_animation_is_a_clip(tmp_path: Path, ending: str) -> None:
    save(tmp_path / f"ball{ending}", rolling())
    clip = read_clip(tmp_path / f"ball{ending}")
    assert (len(clip.frames), clip.milliseconds) == (6, 50)
    assert abs(clip.frames[3].astype(int) - rolling()[3]).max() < 12


def test_a_folder_of_frames_is_a_clip(tmp_path: Path) -> None:
    for k, frame in enumerate(rolling()):
        picture = Image.fromarray(frame).convert("RGBA")
        picture.putalpha(Image.fromarray((frame[..., 1] < 200).astype(np.uint8) * 255))
        picture.save(tmp_path / f"{k:03}.png")
    clip = read_clip(tmp_path)
    assert clip.milliseconds == PACE
    assert all((frame == wanted).all() for frame, wanted in zip(clip.frames, rolling(), strict=True)), "on white"


def test_a_folder_of_animations_is_no_clip(tmp_path: Path) -> None:
    for name in "ab":
        save(tmp_path / f"{name}.gif", rolling(4))
    with pytest.raises(DataError, match=r"a\.gif: expected a frame of the clip that its folder is, found an animation"):
        read_clip(tmp_path)


def test_numbers_of_frames_are_compared_as_numbers(tmp_path: Path) -> None:
    assert sorted(["f10", "f2", "f1", "f", "f02"], key=order_of_frame) == ["f", "f1", "f02", "f2", "f10"]
    for k, frame in enumerate(rolling(12), 1):
        Image.fromarray(frame).save(tmp_path / f"f{k}.png")
    clip = read_clip(tmp_path)
    assert all((frame == wanted).all() for frame, wanted in zip(clip.frames, rolling(12), strict=True))
    data = open_own_clips(DataConfig(source=str(tmp_path)), 24)
    crop = choose_crop(clip.frames)
    wanted = np.stack([crop.cut(frame, 24) for frame in rolling(12)]).transpose(0, 3, 1, 2)
    assert np.array_equal(data.fields["driving"].numpy(), wanted)


@pytest.mark.parametrize("name", ["ball.gif", "."])
def test_a_clip_that_goes_on_is_told(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clip_files, "MOST", 4)
    monkeypatch.setattr(own_clips, "MOST", 4)
    if name == ".":
        for k, frame in enumerate(rolling()):
            Image.fromarray(frame).save(tmp_path / f"{k}.png")
    else:
        save(tmp_path / name, rolling())
    clip = read_clip(tmp_path / name)
    assert (len(clip.frames), clip.more) == (4, True)
    assert any(
        "only the first frames are read" in warning for warning in open_own_clips(DataConfig(source=str(tmp_path))).warnings
    )
    monkeypatch.setattr(clip_files, "MOST", 6)
    assert not read_clip(tmp_path / name).more


def test_what_is_no_clip_is_told_in_one_line(tmp_path: Path) -> None:
    Image.fromarray(ball(20, 20)).save(tmp_path / "still.png")
    with pytest.raises(DataError, match=r"still\.png: expected two frames or more, found one") as told:
        read_clip(tmp_path / "still.png")
    assert str(told.value).startswith(f"{tmp_path}/still.png: "), "the whole path"
    (tmp_path / "bad.gif").write_bytes(b"hello")
    with pytest.raises(DataError, match=r"bad\.gif: "):
        read_clip(tmp_path / "bad.gif")
    Image.fromarray(ball(5, 5, 30, 30)).save(tmp_path / "wide.png")
    (tmp_path / "bad.gif").unlink()
    with pytest.raises(DataError, match="frames of one size"):
        read_clip(tmp_path)


def test_picture_and_clip_are_cut_alike_around_the_object() -> None:
    """The same ball in a large picture and in a small clip fills the same share of both squares."""
    large, small = ball(70, 50, 200, 100, 40), ball(30, 20, 60, 40, 14)
    crops = choose_crop([large]), choose_crop([small] * 3)
    assert not crops[0].whole
    shares = [(crop.cut(frame, 64)[..., 1] < 140).mean() for crop, frame in zip(crops, (large, small), strict=True)]
    assert shares[0] == pytest.approx(shares[1], rel=0.05)
    assert crops[0].text() == f"{crops[0].side} x {crops[0].side} pixels at {crops[0].left}, {crops[0].top} of 200 x 100"
    path = choose_crop(rolling())
    assert path.side >= 27, "the square holds the object in every frame"
    assert (path.cut(rolling()[0], 32)[0] == 255).all(), "beyond the picture the ground goes on"


def test_a_picture_without_a_plain_ground_is_cut_in_the_middle() -> None:
    busy = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    crop = choose_crop([busy])
    assert (crop.left, crop.top, crop.side) == (10, 0, 40)
    assert (crop.cut(busy, 40) == busy[:, 10:50]).all()
    full = choose_crop([ball(32, 32, 64, 64, 30)])
    assert full.whole
    assert full.text() == "all of 64 x 64 pixels"


def test_jump_cuts_and_black_and_white_are_told() -> None:
    smooth = np.stack(rolling(8))
    assert find_jumps(smooth) == []
    other = np.stack([255 - ball(20 + 3 * k, 20) for k in range(4)])
    cut = np.concatenate([smooth, other])
    assert find_jumps(cut) == [8]
    assert doubt_clip(smooth) == []
    assert "at frame 9" in doubt_clip(cut)[0]
    grey = smooth.mean(-1, keepdims=True).round().astype(np.uint8).repeat(3, -1)
    assert "black and white" in doubt_clip(grey, smooth[0])[0]
    assert doubt_clip(grey, grey[0]) == []


def test_frames_are_named_as_people_count_them() -> None:
    assert spell_frames([8]) == "frame 9"
    assert spell_frames([12, 13]) == "frames 13, 14"
    assert spell_frames(range(7)) == "frames 1, 2, 3, 4, 5 and 2 more"


def test_motion_outside_the_square_is_told(tmp_path: Path) -> None:
    ground = np.random.default_rng(0).integers(60, 160, (40, 72, 3), np.uint8)

    def move(left: int) -> list[np.ndarray]:
        frames = [ground + np.random.default_rng(k).integers(0, 5, ground.shape, np.uint8) for k in range(6)]
        for k, frame in enumerate(frames):
            frame[18:22, left + k : left + k + 4] = (250, 20, 20)
        return frames

    outside, inside = move(2), move(30)
    crop = choose_crop(outside)
    assert (crop.left, crop.side) == (16, 40)
    assert misses_motion(outside, crop)
    assert not misses_motion(inside, crop)
    assert not misses_motion(inside[:1] * 3, crop), "nothing moves"
    assert not misses_motion(inside[:1], crop)
    save(tmp_path / "side.png", outside)
    save(tmp_path / "middle.png", inside)
    warnings = open_own_clips(DataConfig(source=str(tmp_path)), 24).warnings
    assert next(warning for warning in warnings if "outside" in warning).endswith(": side.png")


def test_own_clips(tmp_path: Path) -> None:
    save(tmp_path / "a.gif", rolling(6))
    save(tmp_path / "b.webp", [*rolling(8), *(255 - ball(20 + 3 * k, 20) for k in range(4))])
    (tmp_path / "c").mkdir()
    for k, frame in enumerate(rolling(5)):
        Image.fromarray(frame).save(tmp_path / "c" / f"{k}.png")
    (tmp_path / "notes.txt").write_text("hello")
    Image.fromarray(ball(5, 5)).save(tmp_path / "alone.png")
    data = open_own_clips(DataConfig(source=str(tmp_path)), 32)
    assert isinstance(data, ClipTable)
    assert (data.shape, data.clips, len(data)) == ((3, 32, 32), 4, 6 + 8 + 4 + 5)
    assert {each.name for each in data.skipped} == {"notes.txt", "alone.png"}
    assert any("b.webp at frame 9" in warning for warning in data.warnings)
    assert any("cut to squares: a.gif to " in warning for warning in data.warnings)
    again = open_own_clips(DataConfig(source=str(tmp_path)), 32)
    assert again.fingerprint == data.fingerprint


def test_frames_of_another_size_are_told_and_stills_are_no_clip(tmp_path: Path) -> None:
    """The most common size counts, also where the first frame has another one."""
    (tmp_path / "c").mkdir()
    (tmp_path / "photos").mkdir()
    for k, frame in enumerate([ball(9, 9, 30, 30), *rolling(4)]):
        Image.fromarray(frame).save(tmp_path / "c" / f"{k}.png")
    for k in range(5):
        Image.fromarray(ball(9, 9, 30 + max(k, 1), 30)).save(tmp_path / "photos" / f"{k}.png")
    data = open_own_clips(DataConfig(source=str(tmp_path)), 24)
    assert (data.clips, len(data)) == (1, 4)
    assert dict(data.skipped) == {
        "c/0.png": "of another size than the most frames of its folder, 60 x 40",
        "photos/": "expected frames of one size, found 31 x 30, 32 x 30, 33 x 30; give frames of one clip",
    }


def test_a_built_in_name_is_no_folder_of_clips(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("mnist", "mine"):
        Path(name).mkdir()
        save(Path(name) / "a.gif", rolling(2))
    assert count_clips(DataConfig(source="mine")) == 1
    assert count_clips(DataConfig(source="mnist")) == 0


def test_a_folder_without_clips_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "bad.gif").write_bytes(b"hello")
    with pytest.raises(DataError) as told:
        open_own_clips(DataConfig(source=str(tmp_path)))
    assert str(told.value).count(tmp_path.name) == 1
    assert str(told.value).count("bad.gif") == 1
    (tmp_path / "bad.gif").unlink()
    (tmp_path / "x.txt").write_text("hello")
    with pytest.raises(DataError, match=r"expected clips: GIF.*found none \(x\.txt: not a picture"):
        open_own_clips(DataConfig(source=str(tmp_path)))
    with pytest.raises(DataError, match="no test split"):
        open_own_clips(DataConfig(source=str(tmp_path), split="test"))


def test_a_zip_of_clips_is_as_its_folder(tmp_path: Path) -> None:
    folder, packed = tmp_path / "clips", tmp_path / "clips.zip"
    (folder / "c").mkdir(parents=True)
    save(folder / "a.gif", rolling(4))
    for k, frame in enumerate(rolling(3)):
        Image.fromarray(frame).save(folder / "c" / f"{k}.png")
    with zipfile.ZipFile(packed, "w") as file:
        for path in folder.rglob("*.*"):
            file.write(path, path.relative_to(folder))
    one, other = (open_own_clips(DataConfig(source=str(path)), 16) for path in (folder, packed))
    assert (one.clips, one.fingerprint, one.warnings) == (2, other.fingerprint, other.warnings)


def test_files_that_cannot_be_read_do_not_decide(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "clips.zip", "w") as file:
        save(tmp_path / "a.gif", rolling(2))
        file.write(tmp_path / "a.gif", "a.gif")
        for name in ("b.gif", "c.png"):
            file.writestr(name, b"hello")
    assert count_clips(DataConfig(source=str(tmp_path / "clips.zip"))) == 1


def test_a_film_is_a_clip(tmp_path: Path) -> None:
    pytest.importorskip("av")
    save_film(tmp_path / "ball.mp4", [Image.fromarray(frame) for frame in rolling()], 50)
    clip = read_clip(tmp_path / "ball.mp4")
    assert len(clip.frames) == 6
    assert clip.milliseconds == pytest.approx(50)
    assert abs(clip.frames[3].astype(int) - rolling()[3]).mean() < 8
    (tmp_path / "bad.mp4").write_bytes(b"hello")
    with pytest.raises(DataError, match=r"bad\.mp4: not a readable film"):
        read_clip(tmp_path / "bad.mp4")
