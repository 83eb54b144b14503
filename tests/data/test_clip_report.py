"""The report of `ganvas data` about a folder of clips, and the picture of their squares."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganvas.cli.app import app
from ganvas.data.clip_report import inspect_clips
from ganvas.media.preview import GAP


def draw_frame(at: int) -> Image.Image:
    values = np.full((40, 60, 3), 255, np.uint8)
    values[16:24, at : at + 8] = (200, 30, 30)
    return Image.fromarray(values)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "clips"
    path.mkdir()
    for name, count in (("a.gif", 4), ("b.webp", 6)):
        frames = [draw_frame(10 + 3 * k) for k in range(count)]
        frames[0].save(path / name, save_all=True, append_images=frames[1:], duration=50)
    (path / "notes.txt").write_text("hello")
    return path


def test_a_folder_of_clips_is_read_as_clips(folder: Path) -> None:
    report = inspect_clips(str(folder))
    assert report is not None
    assert (report.clips, report.frames, report.lengths) == (2, 10, (4, 6))
    lines = report.text().splitlines()
    assert lines[0].endswith(": folder of clips, 2 clips of 4 to 6 frames, 10 in all")
    assert lines[1].startswith("warning: 2 clips cut to squares: a.gif to ")
    assert lines[2:] == ["suggested: motion-clips", "skipped: 1"]
    assert [name for name, _ in report.skipped] == ["notes.txt"]
    assert np.array_equal(report.samples[7], report.samples[8]) is False, "another clip begins"
    assert len(report.samples) == 16


def test_the_command_shows_clips(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = folder.parent / "preview.png"
    app(["data", str(folder), "--out", str(out), "--json"], exit_on_error=False, result_action="return_value")
    facts = json.loads(capsys.readouterr().out)
    assert (facts["clips"], facts["recipe"], facts["preview"]) == (2, "motion-clips", str(out))
    with Image.open(out) as image:
        assert image.size == (8 * (64 + GAP) + GAP, 2 * (64 + GAP) + GAP), "a row of frames of each clip"


def test_other_folders_have_another_report(folder: Path) -> None:
    for k in range(3):
        draw_frame(k).save(folder / f"{k}.png")
    assert inspect_clips(str(folder)) is None
    assert inspect_clips("emoji-clips") is None
