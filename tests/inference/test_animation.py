"""Animate a picture with a clip: files, the frame that fits best, what is told, and the command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from support import miniature_model

from ganvas.cli.app import app
from ganvas.data import clip_files
from ganvas.data.builtin import emoji_clips
from ganvas.errors import DataError, UsageError
from ganvas.inference import animation, model_file
from ganvas.inference.animate_files import animate_file
from ganvas.inference.animation import animate_clip, measure_poses
from ganvas.inference.model import Model


@pytest.fixture
def model() -> Model:
    """Random weights, with keypoints that leap at every change, and a training in which they did so."""
    found = miniature_model("motion-emoji")
    game: Any = found.game
    with torch.no_grad():
        game.G.detect.places.weight.mul_(30)
    game.steps += 1
    game.turns_made += 1
    return found


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Image.fromarray(emoji_clips.load_driver("roar")[0]).save("lion.png")


def frames_of(path: str | Path) -> int:
    with Image.open(path) as image:
        return int(getattr(image, "n_frames", 1))


@pytest.mark.parametrize("ending", [".gif", ".png", ".webp"])
def test_a_picture_becomes_an_animation(model: Model, ending: str) -> None:
    found = animate_file(model, "lion.png", "nod", f"out{ending}")
    assert found.out == Path(f"out{ending}")
    assert found.result.frames.shape == (24, 32, 32, 3)
    assert 1 < frames_of(found.out) <= 24, "equal frames may be one"
    with Image.open(found.crops) as crops:
        assert crops.width > crops.height
    assert len(found.result.motion) == 24
    assert [crop.text() for crop in found.result.crops] == ["all of 64 x 64 pixels"] * 2


def test_the_motion_starts_from_the_frame_that_fits_best(model: Model) -> None:
    driver = list(emoji_clips.load_driver("sway"))
    found = animate_clip(model, driver[7], driver)
    assert found.start == 7, "the picture is this frame itself"
    assert found.motion[7] == pytest.approx(0, abs=1e-3)
    told = animate_clip(model, driver[7], driver, start=2)
    assert told.start == 2
    assert animate_clip(model, driver[7], driver, absolute=True).start is None
    with pytest.raises(UsageError, match="expected a frame from 0 to 23"):
        animate_clip(model, driver[7], driver, start=24)


def test_poses_are_compared_without_place_and_size(model: Model) -> None:
    class Moved:
        """Keypoints by hand: the third pose has another shape."""

        def __init__(self) -> None:
            shape = torch.tensor([[0.0, 0.0], [0.2, 0.0], [0.0, 0.4]])
            self.poses = torch.stack([shape, 2 * shape - 0.3, shape.flip(1)])

        def find_pose(self, image: torch.Tensor) -> torch.Tensor:
            return self.poses[: len(image)]

    far = measure_poses(Moved(), torch.zeros(1, 3, 8, 8), torch.zeros(3, 3, 8, 8))  # type: ignore[arg-type]
    assert far[:2].tolist() == pytest.approx([0, 0], abs=1e-5)
    assert far[2] > 0.5


def test_motion_beyond_the_training_is_told(model: Model) -> None:
    game: Any = model.game
    game.steps.fill_(1e-6)
    driver = list(emoji_clips.load_driver("reel"))
    found = animate_clip(model, driver[0], driver)
    assert max(found.motion) > 1
    assert any("the motion was held back" in note for note in found.notes)
    # Absolute motion is that from the picture: the same frame rests, and the others are held back as well.
    absolute = animate_clip(model, driver[0], driver, absolute=True)
    assert absolute.motion == pytest.approx(animate_clip(model, driver[0], driver, start=0).motion, abs=1e-3)
    assert any("leave absolute out" in note for note in absolute.notes)
    told = animate_clip(model, driver[0], driver, absolute=True, advice="leave --absolute out")
    assert any("leave --absolute out" in note for note in told.notes)
    np.testing.assert_allclose(absolute.frames.astype(int), found.frames.astype(int), atol=2)


def test_one_frame_that_is_held_back_is_told_in_the_singular(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    driver = list(emoji_clips.load_driver("reel"))[:3]
    sizes = torch.tensor([[0.0, 1.0004, 0.5]])
    monkeypatch.setattr(type(model.game), "measure_motion", lambda *_: sizes)
    [note] = [note for note in animate_clip(model, driver[0], driver).notes if "held back" in note]
    assert note.startswith("1 frame of 3 moves further than the clips of the training, up to 1.01 times")
    sizes[0, 2] = 2.3
    assert any("2 frames of 3 move further" in note for note in animate_clip(model, driver[0], driver).notes)


def test_only_a_pose_that_is_very_unlike_is_told(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    driver = list(emoji_clips.load_driver("reel"))[:3]

    def find_notes(distance: float) -> list[str]:
        monkeypatch.setattr(animation, "measure_poses", lambda *_: torch.tensor([2.0, distance, 2.0]))
        return [note for note in animate_clip(model, driver[0], driver).notes if "no pose like" in note]

    assert find_notes(1.5) == [], "as of half of all pairs of a picture and a clip"
    [note] = find_notes(1.95)
    assert "of frame 2," in note
    assert "%" not in note


def test_motion_outside_the_square_is_told(model: Model) -> None:
    driver = [np.random.default_rng(0).integers(60, 160, (40, 90, 3), np.uint8) for _ in range(3)]
    for k, frame in enumerate(driver):
        frame[20:24, 2 + 4 * k : 6 + 4 * k] = 255
    notes = animate_clip(model, driver[0], driver).notes
    assert any("lies outside the square that is cut out of it, 40 x 40 pixels at 25, 0 of 90 x 40" in note for note in notes)


def test_what_is_not_read_is_told(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clip of many frames, and a picture that is an animation."""
    monkeypatch.setattr(clip_files, "MOST", 5)
    frames = [Image.fromarray(frame) for frame in emoji_clips.load_driver("nod")[:8]]
    frames[0].save("nod.png", save_all=True, append_images=frames[1:])
    notes = animate_file(model, "nod.png", "./nod.png", "out.gif").result.notes
    assert notes[:2] == ("nod.png: the first of 8 frames", "./nod.png: only the first 5 frames are read")


def test_arrays(model: Model) -> None:
    driver = emoji_clips.load_driver("wave")[None, :5, ::2, ::2]
    moved = model.animate(driver[:, 2], driver)
    assert (moved.shape, moved.dtype) == (driver.shape, np.uint8)
    assert not np.array_equal(moved, model.animate(driver[:, 3], driver, absolute=True))
    with pytest.raises(UsageError, match="one size"):
        model.animate(driver[:, 2, :16], driver)


def test_bad_input_is_one_line_and_writes_nothing(model: Model) -> None:
    with pytest.raises(DataError, match="no such file; check the path, or name a clip that comes with ganvas: sway"):
        animate_file(model, "lion.png", "nothing.gif")
    with pytest.raises(DataError, match="expected two frames or more"):
        animate_file(model, "lion.png", "lion.png", "x.gif")
    with pytest.raises(UsageError, match=r"expected a name ending in \.gif"):
        animate_file(model, "lion.png", "nod", "x.txt")
    with pytest.raises(UsageError, match=r"lion\.png is the picture itself; choose another --out"):
        animate_file(model, "lion.png", "nod", "lion.png")
    with pytest.raises(UsageError, match="does not animate"):
        animate_file(miniature_model("pix2pix-emoji"), "lion.png", "nod")
    assert [path.name for path in Path().iterdir()] == ["lion.png"]


def test_no_file_is_replaced_by_the_sheet_of_crops(model: Model) -> None:
    Path("lion.png").rename("m-crops.png")
    before = Path("m-crops.png").read_bytes()
    assert animate_file(model, "m-crops.png", "nod", "m.gif").crops == Path("m-crops-2.png")
    assert Path("m-crops.png").read_bytes() == before


def test_a_frame_of_the_clip_is_not_replaced(model: Model) -> None:
    Path("clip").mkdir()
    for k, frame in enumerate(emoji_clips.load_driver("nod")[:3]):
        Image.fromarray(frame).save(f"clip/{k}.png")
    with pytest.raises(UsageError, match=r"clip/1\.png is a file of the clip; choose another --out"):
        animate_file(model, "lion.png", "clip", "clip/1.png")


def test_a_missing_dimension_and_files_are_told(model: Model) -> None:
    clips = emoji_clips.load_driver("wave")[None, :2, ::2, ::2]
    pictures: Any = clips[:, 0]
    for given, says in (
        (
            (pictures[0], clips),
            r"source: .* found \[32, 32, 3\]; add the first dimension, as in source\[None\]",
        ),
        ((pictures, clips[0]), r"driving: expected .*, found \[2, 32, 32, 3\]; add the first"),
        (("lion.png", "nod"), r"source: expected an array uint8 .*, found str; read files with Pillow"),
    ):
        with pytest.raises(UsageError, match=says):
            model.animate(*given)


def test_the_command(model: Model, capsys: pytest.CaptureFixture[str]) -> None:
    model_file.save(Path("m.safetensors"), model.game, model.card)

    def typed(*words: object) -> None:
        app([str(word) for word in words], exit_on_error=False, print_error=False, result_action="return_value")

    with pytest.raises(UsageError, match=r"one picture at a time: .* for b\.png"):
        typed("animate", "m.safetensors", "lion.png", "b.png", "--driving", "wave")
    typed("animate", "m.safetensors", "lion.png", "--driving", "wave")
    printed = capsys.readouterr().out
    assert printed.startswith("lion-wave.gif (24 frames, motion since frame ")
    assert "lion-wave-crops.png (picture: all of 64 x 64 pixels; clip: all of 64 x 64 pixels)" in printed
    typed("animate", "m.safetensors", "lion.png", "--driving", "lion-wave.gif", "--absolute", "--json", "--out", "again.webp")
    facts = json.loads(capsys.readouterr().out)
    assert (facts["out"], facts["start"], len(facts["motion"])) == ("again.webp", None, 24)
